"""The instruments between a plant and what its clients see."""

from random import Random
from statistics import fmean, stdev

import pytest

from simulators.faults import Fault, FaultKind, Reading
from simulators.instruments import Instruments
from simulators.spec import PointSpec, Signal


class Tank:
    """A plant of two signals, one of which can be moved."""

    def __init__(self) -> None:
        self.seen: dict[str, Signal] = {"level": 50.0, "valve": 10.0}

    def step(self, dt: float) -> None:
        self.seen["level"] = float(self.seen["level"]) + dt

    def signals(self) -> dict[str, Signal]:
        return dict(self.seen)

    def set(self, name: str, value: Signal) -> None:
        if value == "open":
            raise ValueError("a valve takes a number")
        self.seen[name] = value


def instruments(plant: Tank, *, noise: float = 0.0, seed: int = 1) -> Instruments:
    points = (
        PointSpec(name="level", signal="level", noise=noise, span=(0, 100)),
        PointSpec(name="level_b", signal="level", noise=noise, span=(0, 100)),
        PointSpec(name="valve", signal="valve", writable=True),
    )
    return Instruments("tank", points, plant, Random(seed))


def test_a_scan_shows_the_plant_as_it_is() -> None:
    plant = Tank()
    shown = instruments(plant)
    plant.step(5)
    assert shown.readings["level"] == Reading(50.0)
    shown.scan()
    assert shown.readings["level"] == Reading(55.0)


def test_sensors_of_one_signal_have_noise_of_their_own() -> None:
    shown = instruments(Tank(), noise=2.0)
    first, second = [], []
    for _ in range(2_000):
        shown.scan()
        first.append(float(shown.readings["level"].value))
        second.append(float(shown.readings["level_b"].value))
    assert abs(fmean(first) - 50.0) < 0.2
    assert abs(stdev(first) - 2.0) < 0.2
    assert abs(stdev(a - b for a, b in zip(first, second, strict=True)) - 2.0 * 2**0.5) < 0.3


def test_one_seed_gives_one_noise() -> None:
    assert instruments(Tank(), noise=2.0).readings == instruments(Tank(), noise=2.0).readings
    assert instruments(Tank(), noise=2.0, seed=2).readings != instruments(Tank(), noise=2.0).readings


def test_a_transmitter_saturates_at_the_ends_of_its_span() -> None:
    plant = Tank()
    plant.seen["level"] = 140.0
    assert instruments(plant).readings["level"] == Reading(100.0)


def test_a_write_moves_the_plant_and_shows_at_once() -> None:
    plant = Tank()
    shown = instruments(plant)
    shown.write("valve", 80.0)
    assert plant.seen["valve"] == 80.0
    assert shown.readings["valve"] == Reading(80.0)


def test_a_write_that_the_plant_refuses_changes_nothing() -> None:
    plant = Tank()
    shown = instruments(plant)
    with pytest.raises(ValueError, match="takes a number"):
        shown.write("valve", "open")
    assert shown.readings["valve"] == Reading(10.0)


def test_a_stuck_sensor_stays_while_its_neighbour_moves_on() -> None:
    plant = Tank()
    shown = instruments(plant)
    shown.inject("level", Fault(FaultKind.STUCK))
    plant.step(5)
    shown.scan()
    assert (shown.readings["level"].value, shown.readings["level_b"].value) == (50.0, 55.0)


def test_a_repaired_sensor_shows_the_plant_again() -> None:
    shown = instruments(Tank())
    shown.inject("level", Fault(FaultKind.OFFSET, 30.0))
    assert shown.readings["level"] == Reading(80.0)
    shown.clear("level")
    shown.scan()
    assert shown.readings["level"] == Reading(50.0)
    assert not shown.faults


def test_a_second_offset_replaces_the_first() -> None:
    shown = instruments(Tank())
    shown.inject("level", Fault(FaultKind.OFFSET, 30.0))
    shown.inject("level", Fault(FaultKind.OFFSET, 10.0))
    assert shown.readings["level"] == Reading(60.0)


def test_a_device_that_stands_still_shows_the_same_and_takes_writes_without_effect() -> None:
    plant = Tank()
    shown = instruments(plant)
    shown.frozen = True
    plant.step(5)
    shown.scan()
    shown.write("valve", 80.0)
    assert shown.readings["level"] == Reading(50.0)
    assert plant.seen["valve"] == 10.0


def test_a_fault_of_an_unknown_point_is_a_key_error() -> None:
    shown = instruments(Tank())
    with pytest.raises(KeyError):
        shown.inject("pressure", Fault(FaultKind.BAD))
    with pytest.raises(KeyError):
        shown.clear("pressure")
