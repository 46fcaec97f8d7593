"""The stand-in of a configuration: the same tags, and no address that leads anywhere."""

from pathlib import Path

import pytest

from drivers.memory import MemoryDevice
from drivers.values import Seconds
from gateway.safety.constraint import Setting
from gateway.safety.verdict import SafetyLevel
from gateway.testing.cell import CannotDrive, Kind, Span
from gateway.testing.plant_model import PlantModel
from gateway.testing.rest import rest_values
from gateway.testing.stand_in import stand_in, start_values, stretch
from tests.unit.gateway.testing.proofs import LAYOUT, settings_of


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    return tmp_path


def test_every_device_but_the_computed_is_one_in_memory_with_the_same_tags(plant: Path) -> None:
    settings = settings_of(plant, *LAYOUT.values())
    standing = stand_in(settings)
    assert {name: each.driver for name, each in standing.devices.items()} == {
        "boiler": "memory", "turbine": "memory", "house": "computed",
    }  # fmt: skip
    assert standing.devices["boiler"].driver_settings == MemoryDevice(url="memory://proof-test/boiler")
    for name, device in settings.devices.items():
        assert [tag.name for tag in standing.devices[name].tags] == [tag.name for tag in device.tags]
        assert [tag.settings.range for tag in standing.devices[name].tags] == [t.settings.range for t in device.tags]
    assert standing.gateway.control == "on"
    assert standing.safety == settings.safety
    assert "127.0.0.1:1" not in repr(standing.devices)


def test_scaling_and_bits_are_taken_out_and_types_and_reach_are_kept(plant: Path) -> None:
    settings = settings_of(plant, LAYOUT["threshold"])
    level = next(tag for tag in stand_in(settings).devices["boiler"].tags if tag.name == "level")
    assert (level.settings.scale, level.settings.offset) == (1.0, 0.0)
    cells = PlantModel(settings).cells
    assert {name: cells[f"boiler.{name}"].kind for name in ("steam", "level", "count", "pump", "alarm_bit")} == {
        "steam": Kind.REAL, "level": Kind.REAL, "count": Kind.WHOLE, "pump": Kind.BOOL, "alarm_bit": Kind.BOOL,
    }  # fmt: skip
    assert cells["boiler.level"].reach.low == pytest.approx(-3276.8)
    assert cells["turbine.mode"].kind is Kind.TEXT


def test_a_type_that_only_the_server_knows_follows_from_what_is_compared_with_the_tag(plant: Path) -> None:
    cells = PlantModel(settings_of(plant, LAYOUT["vote"])).cells
    assert (cells["turbine.valve"].kind, cells["turbine.speed"].kind) == (Kind.BOOL, Kind.REAL)


def test_fingerprints_start_with_what_they_have_to_read(plant: Path) -> None:
    assert start_values(settings_of(plant, LAYOUT["threshold"])) == {"boiler.firmware": 12}


def test_at_rest_no_constraint_has_anything_to_say(plant: Path) -> None:
    settings = settings_of(plant, *LAYOUT.values(), "{kind: threshold, tag: house.difference, min: 400, level: high}")
    model = PlantModel(settings)
    rest = rest_values(model, settings.safety.constraints, settings.safety.constraints[-1], start_values(settings))
    assert rest["boiler.firmware"] == 12
    assert rest["boiler.pump"] is True
    assert Span(5, 150).holds(rest["boiler.nox"])
    assert Span(50, 580).holds(rest["boiler.steam"])
    value = model.steady("house.difference", rest).value
    assert isinstance(value, float)
    assert value >= 400


def test_a_longer_time_stretches_scans_ages_and_the_period_together(plant: Path) -> None:
    constraint = "{kind: compliance, tag: boiler.nox, max: 150, window: 1h, level: high, max_age: 2s}"
    settings = stand_in(settings_of(plant, constraint))
    slow = stretch(settings, settings.safety.constraints[0], 3600.0)
    factor = slow.safety.period / settings.safety.period
    assert factor == pytest.approx(90)
    assert slow.devices["boiler"].gateway.scan == pytest.approx(0.5 * factor)
    assert slow.safety.constraints[0].max_age == pytest.approx(2 * factor)
    assert slow.safety.constraints[0].level is SafetyLevel.HIGH
    assert stretch(settings, settings.safety.constraints[0], 10.0) is settings


@pytest.mark.parametrize("longest", [3600.0, 86400.0, 31 * 86400.0])
def test_a_stretched_configuration_is_a_possible_one(plant: Path, longest: float) -> None:
    settings = stand_in(settings_of(plant, "{kind: threshold, tag: boiler.steam, max: 1, level: high, max_age: 2s}"))
    slow = stretch(settings, settings.safety.constraints[0], longest)
    assert slow.safety.period <= 10
    assert all(each.gateway.scan <= Seconds(3600) for each in slow.devices.values())


@pytest.mark.parametrize(
    ("tag", "span", "moved"),
    [
        ("house.difference", Span(290, 300), "boiler.steam"),
        ("house.difference", Span(-5, -4.9), "boiler.steam"),
        ("house.mean", Span(600, 601), "boiler.steam"),
        ("house.middle", Span(4100, 4101), "turbine.speed"),
    ],
    ids=["a difference", "a narrow span", "a mean", "a median, which takes several"],
)
def test_inputs_are_found_for_a_computed_value(plant: Path, tag: str, span: Span, moved: str) -> None:
    model = PlantModel(settings_of(plant, LAYOUT["threshold"]))
    rest: dict[str, Setting] = {path: 100.0 for path, cell in model.cells.items() if cell.kind is Kind.REAL}
    found = model.number(tag, span, rest)
    assert moved in found
    assert span.holds(model.steady(tag, {**rest, **found}).value)


def test_where_there_are_no_such_inputs_it_says_so(plant: Path) -> None:
    model = PlantModel(settings_of(plant, LAYOUT["threshold"]))
    with pytest.raises(CannotDrive, match=r"brings house\.constant to 300 to 400"):
        model.number("house.constant", Span(300, 400), {"boiler.steam": 150.0})
