"""The simulated meters: what they show hangs together, and lies where their makers say."""

from math import hypot, isnan
from random import Random

import pytest

from simulators.faces.registers import Registers, words_of
from simulators.faults import Reading
from simulators.meter_maps import INVERTER, PM5110, SDM630
from simulators.meters import Meters
from simulators.nameplate import Nameplate
from simulators.plant.feeder import Feeder
from simulators.plant.inverter import EFFICIENCY, FAULT, GRID_DISCONNECT, RATED, SLEEPING, TRACKING, Inverter
from simulators.spec import ModbusSpec, RegisterSpec, Signal


def numbers(signals: object) -> dict[str, float]:
    assert isinstance(signals, dict)
    return {name: float(value) for name, value in signals.items()}


@pytest.mark.parametrize("seed", range(5))
def test_a_feeder_s_powers_follow_from_its_voltages_and_currents(seed: int) -> None:
    feeder = Feeder(Random(seed))
    for _ in range(50):
        feeder.step(3.0)
        now = numbers(feeder.signals())
        for phase in ("l1", "l2", "l3"):
            assert now[f"apparent_power_{phase}"] == pytest.approx(now[f"voltage_{phase}"] * now[f"current_{phase}"])
            assert now[f"apparent_power_{phase}"] == pytest.approx(
                hypot(now[f"active_power_{phase}"], now[f"reactive_power_{phase}"])
            )
        assert now["active_power"] == pytest.approx(sum(now[f"active_power_{phase}"] for phase in ("l1", "l2", "l3")))
        assert now["power_factor"] == pytest.approx(now["active_power"] / now["apparent_power"])
        assert 390 < now["voltage_ll"] < 410
        assert 0 <= now["neutral_current"] < now["current_sum"]


def test_a_feeder_counts_the_energy_that_flowed() -> None:
    feeder = Feeder(Random(1))
    before, energy = numbers(feeder.signals()), 0.0
    for _ in range(600):
        feeder.step(1.0)
        energy += numbers(feeder.signals())["active_power"] / 3_600_000.0
    after = numbers(feeder.signals())
    assert after["energy_import"] - before["energy_import"] == pytest.approx(energy)
    assert after["energy_total"] == pytest.approx(after["energy_import"] + after["energy_export"])
    assert after["power_demand_max"] >= after["power_demand"]


def test_an_inverter_gives_what_the_sun_gives() -> None:
    inverter = Inverter(Random(3))
    for _ in range(200):
        inverter.step(5.0)
        now = numbers(inverter.signals())
        assert now["active_power"] == pytest.approx(now["dc_power"] * EFFICIENCY)
        assert now["dc_power"] == pytest.approx(now["dc_voltage"] * now["dc_current"])
        assert 0 <= now["active_power"] <= RATED
        assert now["state"] == (TRACKING if now["active_power"] else SLEEPING)


def test_an_inverter_off_the_grid_says_why_it_gives_nothing() -> None:
    inverter = Inverter(Random(3))
    inverter.set("grid_lost", value=True)
    energy = inverter.energy
    inverter.step(10.0)
    now = numbers(inverter.signals())
    assert (now["state"], now["events"], now["active_power"]) == (FAULT, GRID_DISCONNECT, 0.0)
    assert inverter.energy == energy
    with pytest.raises(KeyError):
        inverter.set("sun", value=True)


def test_what_is_engraved_is_never_moved() -> None:
    plate = Nameplate(Inverter(Random(1)), {"model": "X"})
    plate.set("grid_lost", value=True)
    assert plate.signals()["model"] == "X"
    assert plate.signals()["state"] == FAULT
    with pytest.raises(KeyError):
        plate.set("model", value="Y")


def register(kind: str, *, length: int = 1, exponent: int = 0, offset: int = 0) -> RegisterSpec:
    return RegisterSpec(
        name="a",
        signal="a",
        table="holding",
        offset=offset,
        type=kind,  # type: ignore[arg-type]  # a str of the test
        length=length,
        exponent=exponent,
    )


@pytest.mark.parametrize(
    ("spec", "value", "words"),
    [
        (register("string", length=3), "ABCD", [0x4142, 0x4344, 0]),
        (register("string", length=1), "ABCD", [0x4142]),
        (register("uint16", exponent=-2), 49.994, [4999]),
        (register("int16", exponent=1), -968.9, [0xFF9F]),
        (register("int64", exponent=-3), 12.0, [0, 0, 0, 12_000]),
        (register("uint16"), 7, [7]),
    ],
)
def test_a_point_is_laid_out_as_its_device_has_it(spec: RegisterSpec, value: Signal, words: list[int]) -> None:
    assert words_of(spec, value) == words


def test_blank_places_are_there_and_hold_nothing() -> None:
    registers = Registers([register("uint16", offset=2)], [("holding", 0, 4)])
    registers.show(register("uint16", offset=2), Reading(9))
    assert registers.places("holding") == [0, 1, 2, 3, 4]
    assert registers.words("holding") == {0: 0, 1: 0, 2: 9, 3: 0, 4: 0}


@pytest.mark.parametrize(
    ("spec", "name", "offset"),
    [
        (SDM630, "frequency", 70),
        (SDM630, "reactive_energy_total_l3", 380),
        (INVERTER, "manufacturer", 40004),
        (INVERTER, "active_power_sf", 40084),
        (INVERTER, "state", 40107),
        (INVERTER, "events_vendor_4", 40119),
        (PM5110, "frequency", 3109),
        (PM5110, "energy_import_wh", 3203),
    ],
)
def test_points_lie_where_the_manual_says(spec: ModbusSpec, name: str, offset: int) -> None:
    assert [point.offset for point in spec.points if point.name == name] == [offset]


async def test_meters_of_one_seed_show_the_same() -> None:
    one, two = Meters(7), Meters(7)
    for served in (one, two):
        for _ in range(3):
            await served.step(1.0)
    for name, instruments in one.devices.items():
        for point, reading in instruments.readings.items():
            other = two.devices[name].readings[point]
            assert reading == other or isnan(float(reading.value))
