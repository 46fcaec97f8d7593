"""What the control socket understands."""

import json
from typing import Any

import pytest

from simulators.boiler_house_plcs import BoilerHousePlcs
from simulators.console import Console


@pytest.fixture
def plcs() -> BoilerHousePlcs:
    return BoilerHousePlcs()


def ask(plcs: BoilerHousePlcs, request: object) -> dict[str, Any]:
    reply = Console(plcs).execute(json.dumps(request).encode())
    json.dumps(reply, allow_nan=False)
    return reply


def test_an_input_is_moved(plcs: BoilerHousePlcs) -> None:
    assert ask(plcs, {"set": {"boiler.overfire": True, "boiler.temperature_setpoint": 480}}) == {"ok": True}
    assert plcs.house.boiler.inputs.overfire
    assert plcs.house.boiler.inputs.temperature_setpoint == 480


def test_a_point_is_broken_and_repaired(plcs: BoilerHousePlcs) -> None:
    assert ask(plcs, {"fault": {"boiler.steam_temperature": "nan", "turbine.speed": {"offset": 700}}})["ok"]
    points = ask(plcs, {"query": ["boiler.steam_temperature", "turbine.speed"]})["points"]
    assert points["boiler.steam_temperature"] == {"value": None, "good": True}
    assert points["turbine.speed"]["value"] > 3600
    assert ask(plcs, {"query": "all"})["faults"] == {"boiler.steam_temperature": "nan", "turbine.speed": "offset"}
    assert ask(plcs, {"clear": "all"})["ok"]
    assert ask(plcs, {"query": "all"})["faults"] == {}


def test_a_plc_is_stopped_and_started(plcs: BoilerHousePlcs) -> None:
    assert ask(plcs, {"freeze": ["boiler"]})["ok"]
    assert ask(plcs, {"query": "all"})["frozen"] == ["boiler"]
    assert ask(plcs, {"thaw": "all"})["ok"]
    assert ask(plcs, {"query": "all"})["frozen"] == []


def test_everything_can_be_looked_at(plcs: BoilerHousePlcs) -> None:
    reply = ask(plcs, {"query": "all"})
    assert reply["points"]["turbine.state"] == {"value": "synchronised", "good": True}
    assert reply["signals"]["boiler.burner_enable"] is True
    assert reply["requests"] == {"modbus_reads": 0, "modbus_writes": 0, "opcua_writes": 0}


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ([], "say one of set, fault"),
        ({"open": {}}, "say one of set, fault"),
        ({"set": {}, "clear": []}, "say one of set, fault"),
        ({"set": ["boiler.overfire"]}, "an object of names and values"),
        ({"set": {"boiler.overfired": True}}, "no input is called boiler.overfired; there are boiler.burner_enable"),
        ({"set": {"boiler.overfire": "yes"}}, "takes true or false"),
        ({"set": {"boiler.overfire": None}}, "takes true or false"),
        ({"set": {"turbine.load_setpoint": None}}, "takes 0.2 to 5"),
        ({"set": {"turbine.load_setpoint": [1]}}, "takes 0.2 to 5"),
        ({"fault": {"boiler.steam_temperatur": "nan"}}, "no point is called boiler.steam_temperatur"),
        ({"fault": {"boiler.steam_temperature": "melted"}}, 'a fault is "stuck"'),
        ({"fault": {"boiler.steam_temperature": {"offset": True}}}, 'a fault is "stuck"'),
        ({"fault": {"boiler.flame": "nan"}}, "cannot fail as nan"),
        ({"clear": "boiler.flame"}, "a list of names"),
        ({"clear": [1]}, "a list of names"),
        ({"freeze": ["kettle"]}, "no device is called kettle; there are boiler, turbine"),
        ({"query": ["kettle.level"]}, "no point is called kettle.level"),
    ],
)
def test_a_request_that_makes_no_sense_is_answered_with_what_would(
    plcs: BoilerHousePlcs, request_: object, says: str
) -> None:
    reply = ask(plcs, request_)
    assert not reply["ok"]
    assert says in reply["error"]
    assert "\n" not in reply["error"]


@pytest.mark.parametrize("line", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"set": {"turbine.load_setpoint": NaN}}'])
def test_a_line_that_is_no_request_is_answered_with_an_error(plcs: BoilerHousePlcs, line: bytes) -> None:
    reply = Console(plcs).execute(line)
    assert not reply["ok"]
    assert reply["error"]
