"""The simulated plant obeys the laws of conservation, whatever is done to it."""

from dataclasses import fields
from math import isclose, isfinite
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.plant.boiler import BoilerInputs
from simulators.plant.boiler_house import LIMITS, BoilerHouse
from simulators.plant.drum import CAPACITY
from simulators.plant.turbine import TurbineInputs

SWITCHES = [
    f"{part}.{field.name}"
    for part, inputs in (("boiler", BoilerInputs), ("turbine", TurbineInputs))
    for field in fields(inputs)
    if f"{part}.{field.name}" not in LIMITS
]

switch = st.tuples(st.sampled_from(SWITCHES), st.booleans())
setpoint = st.sampled_from(sorted(LIMITS)).flatmap(lambda name: st.tuples(st.just(name), st.floats(*LIMITS[name])))
moves = st.lists(st.tuples(switch | setpoint, st.floats(0.001, 20.0)), max_size=10)
seeds = st.integers(0, 1000)


def disturbed(seed: int, moved: list[tuple[tuple[str, bool | float], float]]) -> BoilerHouse:
    house = BoilerHouse(Random(seed))
    for (name, value), dt in moved:
        house.set(name, value)
        house.step(dt)
    return house


@settings(max_examples=40, deadline=None)
@given(seeds, moves)
def test_energy_that_entered_has_left_or_is_stored(
    seed: int, moved: list[tuple[tuple[str, bool | float], float]]
) -> None:
    before = BoilerHouse(Random(seed)).stored_energy
    house = disturbed(seed, moved)
    books = house.ledger
    assert isclose(before + books.energy_in, house.stored_energy + books.energy_out, rel_tol=1e-9)


@settings(max_examples=40, deadline=None)
@given(seeds, moves)
def test_water_that_entered_has_left_or_is_in_the_drum(
    seed: int, moved: list[tuple[tuple[str, bool | float], float]]
) -> None:
    before = BoilerHouse(Random(seed)).boiler.drum.water
    house = disturbed(seed, moved)
    books = house.ledger
    assert isclose(before + books.water_in, house.boiler.drum.water + books.water_out, rel_tol=1e-9)


@settings(max_examples=40, deadline=None)
@given(seeds, moves)
def test_every_signal_stays_within_what_a_vessel_can_hold(
    seed: int, moved: list[tuple[tuple[str, bool | float], float]]
) -> None:
    house = disturbed(seed, moved)
    assert 0 <= house.boiler.drum.water <= CAPACITY
    seen = {name: value for name, value in house.signals().items() if not isinstance(value, str)}
    assert all(isfinite(value) for value in seen.values()), seen
    for name, (low, high) in {
        "boiler.drum_level": (-300, 300),
        "boiler.drum_pressure": (0.5, 60),
        "boiler.steam_temperature": (20, 1400),
        "boiler.feed_water_flow": (0, 40),
        "boiler.steam_flow": (0, 120),
        "boiler.o2": (0, 21),
        "boiler.efficiency": (0, 100),
        "turbine.speed": (0, 4200),
        "turbine.valve_position": (0, 100),
        "turbine.steam_flow": (0, 60),
    }.items():
        assert low <= seen[name] <= high, (name, seen[name])
