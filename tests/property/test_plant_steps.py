"""The course of the simulated plant hardly depends on the steps in which it is taken."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.plant.boiler_house import BoilerHouse

NEAR = {
    "boiler.steam_temperature": 1.0,
    "boiler.drum_pressure": 0.1,
    "boiler.drum_level": 1.0,
    "boiler.nox": 1.0,
    "turbine.speed": 1.0,
    "turbine.power": 0.1,
}


def course(seed: int, steps: list[float]) -> dict[str, float]:
    house = BoilerHouse(Random(seed))
    house.set("boiler.temperature_setpoint", 470)
    house.set("turbine.load_setpoint", 4.4)
    for dt in steps:
        house.step(dt)
    seen = house.signals()
    return {name: float(seen[name]) for name in NEAR}


def test_many_small_steps_end_near_a_few_large_ones() -> None:
    small, large = course(3, [0.01] * 6_000), course(3, [5.0] * 12)
    assert small == pytest.approx(large, abs=1.0)
    assert all(abs(small[name] - large[name]) <= near for name, near in NEAR.items())


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 100), st.lists(st.floats(0.01, 3.0), min_size=10, max_size=20))
def test_steps_of_any_sizes_end_near_even_ones(seed: int, steps: list[float]) -> None:
    uneven, even = course(seed, steps), course(seed, [sum(steps) / 1_000] * 1_000)
    assert all(abs(uneven[name] - even[name]) <= near for name, near in NEAR.items()), (uneven, even)
