"""The demo's configuration and the simulated PLCs tell of the same plant."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from simulators.boiler_house_map import BOILER, NAMESPACE, TURBINE
from simulators.boiler_house_plcs import BoilerHousePlcs
from simulators.spec import RegisterSpec, VariableSpec

CONFIG = Path(__file__).parents[3] / "config" / "boiler-house.yaml"
DEVICES: dict[str, Any] = yaml.safe_load(CONFIG.read_text())["devices"]


@pytest.mark.parametrize("point", BOILER.points, ids=lambda point: point.name)
def test_the_configuration_finds_each_register(point: RegisterSpec) -> None:
    tag = DEVICES["boiler"]["tags"][point.name]
    assert tag["address"] == f"{point.table}:{point.offset}"
    assert tag.get("type", "bool") == point.type
    assert tag.get("writable", False) == point.writable


@pytest.mark.parametrize("point", TURBINE.points, ids=lambda point: point.name)
def test_the_configuration_finds_each_variable(point: VariableSpec) -> None:
    tag = DEVICES["turbine"]["tags"][point.name]
    assert tag["node"] == f"nsu={NAMESPACE};s={point.node}"
    assert tag.get("writable", False) == point.writable


@pytest.mark.parametrize("spec", [BOILER, TURBINE], ids=lambda spec: spec.name)
def test_the_configuration_names_no_point_that_is_not_there(spec: Any) -> None:
    assert set(DEVICES[spec.name]["tags"]) == {point.name for point in spec.points}


@pytest.mark.parametrize("spec", [BOILER, TURBINE], ids=lambda spec: spec.name)
def test_a_transmitters_span_is_the_tags_range(spec: Any) -> None:
    tags = DEVICES[spec.name]["tags"]
    spans = {point.name: list(point.span) for point in spec.points if point.span is not None}
    assert spans == {name: tags[name]["range"] for name in spans}


def test_the_demo_starts_at_the_setpoint_that_the_contract_names() -> None:
    assert BoilerHousePlcs().boiler.readings["temperature_setpoint"].value == 450.0


def test_the_noise_of_a_transmitter_stays_mostly_within_the_tags_deadband() -> None:
    for spec in (BOILER, TURBINE):
        for point in spec.points:
            deadband = DEVICES[spec.name]["tags"][point.name].get("deadband", 0.0)
            assert point.noise <= max(deadband, 0.0), point.name
