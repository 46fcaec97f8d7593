"""What the simulated boiler house does when it is left alone, moved and broken."""

from itertools import pairwise
from math import nan
from random import Random

import pytest

from simulators.plant.boiler_house import BoilerHouse


def house(seed: int = 1) -> BoilerHouse:
    return BoilerHouse(Random(seed))


def run(plant: BoilerHouse, seconds: float) -> dict[str, float]:
    for _ in range(round(seconds * 10)):
        plant.step(0.1)
    return {name: float(value) for name, value in plant.signals().items() if not isinstance(value, str)}


def turn(plant: BoilerHouse, *, on: str = "", off: str = "") -> None:
    plant.set(on or off, bool(on))


def peak(plant: BoilerHouse, signal: str, seconds: float) -> float:
    return max(run(plant, 0.1)[signal] for _ in range(round(seconds * 10)))


def test_left_alone_it_stays_at_its_setpoints() -> None:
    plant = house()
    for _ in range(20):
        seen = run(plant, 30)
        assert 448 < seen["boiler.steam_temperature"] < 452
        assert 41.5 < seen["boiler.drum_pressure"] < 42.5
        assert -10 < seen["boiler.drum_level"] < 10
        assert 2990 < seen["turbine.speed"] < 3010
        assert 3.9 < seen["turbine.power"] < 4.1
        assert 85 < seen["boiler.efficiency"] < 95
        assert 100 < seen["boiler.nox"] < 150


def test_most_of_its_signals_never_stand_still() -> None:
    plant = house()
    before, after = run(plant, 1), run(plant, 1)
    assert sum(before[name] != after[name] for name in before) > 20


def test_one_seed_gives_one_course_and_another_seed_another() -> None:
    assert run(house(7), 60) == run(house(7), 60)
    assert run(house(7), 60) != run(house(8), 60)


def test_the_steam_temperature_follows_its_setpoint() -> None:
    plant = house()
    plant.set("boiler.temperature_setpoint", 400)
    assert abs(run(plant, 120)["boiler.steam_temperature"] - 400) < 3


def test_overfire_drives_the_steam_over_its_limit_within_a_minute_and_never_too_fast() -> None:
    plant = house()
    turn(plant, on="boiler.overfire")
    temperatures = [run(plant, 1)["boiler.steam_temperature"] for _ in range(60)]
    assert 580 < temperatures[-1] < 700
    assert max(after - before for before, after in pairwise(temperatures)) < 10


def test_the_burner_switch_beats_a_gas_valve_that_sticks_open() -> None:
    plant = house()
    turn(plant, on="boiler.overfire")
    run(plant, 60)
    turn(plant, off="boiler.burner_enable")
    seen = run(plant, 1)
    assert (seen["boiler.flame"], seen["boiler.fuel_flow"]) == (0, 0)
    assert run(plant, 30)["boiler.steam_temperature"] < 560


def test_the_burner_lights_again_after_purging() -> None:
    plant = house()
    turn(plant, off="boiler.burner_enable")
    run(plant, 30)
    turn(plant, on="boiler.burner_enable")
    assert not run(plant, 2)["boiler.flame"]
    assert run(plant, 2)["boiler.flame"]
    assert abs(run(plant, 300)["boiler.steam_temperature"] - 450) < 5


def test_low_water_puts_the_flame_out_until_there_is_water_again() -> None:
    plant = house()
    turn(plant, on="boiler.feed_pump_failed")
    seen = run(plant, 10)
    assert not seen["boiler.feed_pump_running"]
    seen = run(plant, 240)
    assert seen["boiler.locked_out"]
    assert not seen["boiler.flame"]
    turn(plant, off="boiler.feed_pump_failed")
    assert run(plant, 300)["boiler.flame"]


def test_a_tripped_turbine_takes_no_steam_leaves_the_grid_and_slows_down() -> None:
    plant = house()
    turn(plant, on="turbine.trip_valve")
    seen = run(plant, 10)
    assert seen["turbine.steam_flow"] == 0
    assert not seen["turbine.breaker"]
    assert plant.signals()["turbine.state"] == "tripped"
    assert run(plant, 60)["turbine.speed"] < 2800


def test_the_boiler_survives_the_turbines_trip() -> None:
    plant = house()
    turn(plant, on="turbine.trip_valve")
    assert peak(plant, "boiler.drum_pressure", 120) < 48
    assert plant.boiler.flame


def test_a_turbine_whose_trip_is_reset_runs_up_and_joins_the_grid() -> None:
    plant = house()
    turn(plant, on="turbine.trip_valve")
    run(plant, 60)
    turn(plant, off="turbine.trip_valve")
    assert plant.signals()["turbine.state"] == "rolling"
    assert peak(plant, "turbine.speed", 120) < 3100
    assert plant.signals()["turbine.state"] == "synchronised"
    assert abs(run(plant, 120)["turbine.power"] - 4.0) < 0.2


def test_a_governor_catches_the_turbine_when_the_load_is_lost() -> None:
    plant = house()
    turn(plant, on="turbine.breaker_open")
    assert peak(plant, "turbine.speed", 20) < 3100
    assert plant.signals()["turbine.state"] == "rolling"


def test_a_stuck_governor_overspeeds_until_the_bolt_trips_the_turbine() -> None:
    plant = house()
    turn(plant, on="turbine.governor_stuck")
    turn(plant, on="turbine.breaker_open")
    assert 3600 < peak(plant, "turbine.speed", 20) < 4000
    assert plant.signals()["turbine.trip_valve"] is True


@pytest.mark.parametrize("value", [nan, 99, 601, True, "450"])
def test_a_setpoint_takes_only_numbers_within_its_limits(value: float | str) -> None:
    plant = house()
    with pytest.raises(ValueError, match=r"boiler\.temperature_setpoint takes 100 to 600"):
        plant.set("boiler.temperature_setpoint", value)
    assert plant.signals()["boiler.temperature_setpoint"] == 450


def test_a_switch_takes_only_true_and_false() -> None:
    with pytest.raises(ValueError, match="true or false"):
        house().set("boiler.overfire", 1)


def test_an_unknown_input_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        house().set("boiler.steam_temperature", 600)


def test_a_step_of_no_time_changes_nothing_but_the_scan_counter() -> None:
    plant = house()
    before = plant.signals()
    plant.step(0.0)
    after = plant.signals()
    assert {name for name in before if before[name] != after[name]} == {"boiler.scan_counter", "turbine.scan_counter"}
