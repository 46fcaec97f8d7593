"""The register maps that are shipped: each tag of them gives the value that its maker's manual puts there.

The tables here are written from the manuals, in their own notation, and not from the maps: registers as they
are on the wire, and the values that they stand for.
"""

import struct
from collections.abc import AsyncIterator, Iterator
from math import isnan
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from drivers.modbus import DRIVER
from drivers.values import DataType, Quality, Sample, Value, bad
from gateway.settings.load import load
from gateway.settings.model import Device
from simulators.meters import Meters, meters
from tests.integration.fake_plc import FakePlc, fake_plc
from tests.unit.drivers.modbus.fake_unit import Scans

pytestmark = pytest.mark.real

# SDM630: number of the parameter, tag.
SDM630 = """
1 voltage_l1    2 voltage_l2    3 voltage_l3    4 current_l1    5 current_l2    6 current_l3
7 active_power_l1    8 active_power_l2    9 active_power_l3
10 apparent_power_l1    11 apparent_power_l2    12 apparent_power_l3
13 reactive_power_l1    14 reactive_power_l2    15 reactive_power_l3
16 power_factor_l1    17 power_factor_l2    18 power_factor_l3
19 phase_angle_l1    20 phase_angle_l2    21 phase_angle_l3
22 voltage_ln    24 current    25 current_sum    27 active_power    29 apparent_power    31 reactive_power
32 power_factor    34 phase_angle    36 frequency    37 energy_import    38 energy_export
39 reactive_energy_import    40 reactive_energy_export    41 apparent_energy    42 charge
43 power_demand    44 power_demand_max    51 apparent_power_demand    52 apparent_power_demand_max
53 neutral_current_demand    54 neutral_current_demand_max
101 voltage_l1_l2    102 voltage_l2_l3    103 voltage_l3_l1    104 voltage_ll    113 neutral_current
118 voltage_thd_l1    119 voltage_thd_l2    120 voltage_thd_l3
121 current_thd_l1    122 current_thd_l2    123 current_thd_l3    125 voltage_thd    126 current_thd
130 current_demand_l1    131 current_demand_l2    132 current_demand_l3
133 current_demand_max_l1    134 current_demand_max_l2    135 current_demand_max_l3
168 voltage_thd_l1_l2    169 voltage_thd_l2_l3    170 voltage_thd_l3_l1    171 voltage_thd_ll
172 energy_total    173 reactive_energy_total
174 energy_import_l1    175 energy_import_l2    176 energy_import_l3
177 energy_export_l1    178 energy_export_l2    179 energy_export_l3
180 energy_total_l1    181 energy_total_l2    182 energy_total_l3
183 reactive_energy_import_l1    184 reactive_energy_import_l2    185 reactive_energy_import_l3
186 reactive_energy_export_l1    187 reactive_energy_export_l2    188 reactive_energy_export_l3
189 reactive_energy_total_l1    190 reactive_energy_total_l2    191 reactive_energy_total_l3
"""

# PM5110: register of the list, which counts from one, and tag; each a float32.
PM5110 = """
2700 energy_import    2702 energy_export    2708 reactive_energy_import    2710 reactive_energy_export
2716 apparent_energy_import    2718 apparent_energy_export
3000 current_a    3002 current_b    3004 current_c    3006 current_n    3010 current    3018 current_unbalance
3020 voltage_ab    3022 voltage_bc    3024 voltage_ca    3026 voltage_ll
3028 voltage_an    3030 voltage_bn    3032 voltage_cn    3036 voltage_ln    3044 voltage_unbalance
3054 active_power_a    3056 active_power_b    3058 active_power_c    3060 active_power
3062 reactive_power_a    3064 reactive_power_b    3066 reactive_power_c    3068 reactive_power
3070 apparent_power_a    3072 apparent_power_b    3074 apparent_power_c    3076 apparent_power
3110 frequency
21300 current_thd_a    21302 current_thd_b    21304 current_thd_c
21322 voltage_thd_ab    21324 voltage_thd_bc    21326 voltage_thd_ca
21330 voltage_thd_an    21332 voltage_thd_bn    21334 voltage_thd_cn
"""

# Model 103: offset from the model's first register (its ID is 0), tag, what is there, what it means. Exponents are
# at 6, 13, 15, 17, 19, 21, 23, 26, 28, 30, 32 and 37.
EXPONENTS = {6: -2, 13: -1, 15: 1, 17: -2, 19: 1, 21: 0, 23: -2, 26: 0, 28: -2, 30: -1, 32: 1, 37: -1}
MODEL_103: tuple[tuple[int, str, int, Value], ...] = (
    (2, "current", 2945, 29.45),
    (3, "current_a", 981, 9.81),
    (4, "current_b", 982, 9.82),
    (5, "current_c", 983, 9.83),
    (7, "voltage_ab", 4001, 400.1),
    (8, "voltage_bc", 4002, 400.2),
    (9, "voltage_ca", 4003, 400.3),
    (10, "voltage_an", 2309, 230.9),
    (11, "voltage_bn", 2311, 231.1),
    (12, "voltage_cn", 2313, 231.3),
    (14, "active_power", 680, 6800.0),
    (16, "frequency", 4999, 49.99),
    (18, "apparent_power", 687, 6870.0),
    (20, "reactive_power", 0x10000 - 969, -969.0),
    (22, "power_factor", 0x10000 - 9897, -98.97),
    (24, "energy", 18_442_501, 18_442_501.0),
    (27, "dc_current", 1139, 11.39),
    (29, "dc_voltage", 6121, 612.1),
    (31, "dc_power", 697, 6970.0),
    (33, "temperature_cabinet", 371, 37.1),
    (34, "temperature_heat_sink", 0x10000 - 45, -4.5),
    (35, "temperature_transformer", 0x8000, None),
    (36, "temperature_other", 0x8000, None),
    (38, "state", 4, 4),
    (39, "state_vendor", 0xFFFF, None),
    (40, "events", 0x0010_8012, 0x0010_8012),
    (44, "events_vendor_1", 0xFFFFFFFF, None),
    (46, "events_vendor_2", 0x00020001, 0x00020001),
    (48, "events_vendor_3", 0xFFFFFFFF, None),
    (50, "events_vendor_4", 0xFFFFFFFF, None),
)
WIDE = {"energy", "events", *(f"events_vendor_{place}" for place in (1, 2, 3, 4))}
"""Values of model 103 that take two registers."""
EVENTS = """
ground_fault dc_over_voltage ac_disconnect dc_disconnect grid_disconnect cabinet_open manual_shutdown over_temperature
over_frequency under_frequency ac_over_voltage ac_under_voltage blown_string_fuse under_temperature memory_loss
hardware_test_failure
"""
"""Bits 0 to 15 of Evt1."""

# Model 1 behind the marker at 40000: register in Modicon's counting from 40001, tag, registers, text.
COMMON = (
    (40005, "manufacturer", 16, "Example Solar"),
    (40021, "model", 16, "Three Phase 10"),
    (40037, "options", 8, ""),
    (40045, "version", 8, "1.04"),
    (40053, "serial_number", 16, "0123456789ABCDEF0123456789ABCDEF"),
)


def listed(table: str) -> dict[str, int]:
    words = table.split()
    return {tag: int(number) for number, tag in zip(words[::2], words[1::2], strict=True)}


def device(folder: Path, use: str, port: int, unit: int = 1) -> Device:
    file = folder / "plant.yaml"
    file.write_text(
        f"gateway: {{id: x}}\ndevices: {{meter: {{use: devices/{use}, url: tcp://127.0.0.1:{port}, unit: {unit}}}}}\n"
    )
    return load(str(file)).settings.devices["meter"]


async def read(loaded: Device, scans: int = 1) -> dict[str, tuple[Sample, DataType | None]]:
    """Read a device through its driver, and give each tag's sample and type; none may have failed."""
    connection = DRIVER.connect(loaded.driver_settings)
    await connection.open()
    try:
        reader: Any = connection.reader(loaded.driver_settings, [tag.point for tag in loaded.tags])
        at_work = Scans(reader)
        await at_work.run(scans)
    finally:
        await connection.close()
    assert not at_work.faults
    return {tag.name: (at_work.samples[place], reader.data_type(place)) for place, tag in enumerate(loaded.tags)}


def put(plc: FakePlc, start: int, raw: bytes) -> None:
    plc.words[start : start + len(raw) // 2] = struct.unpack(f">{len(raw) // 2}H", raw)


def floats(count: int) -> Iterator[float]:
    """Yield that many different values that a float32 holds exactly."""
    for place in range(count):
        yield (-1) ** place * (place + 1) * 1.375


@pytest_asyncio.fixture
async def plc() -> AsyncIterator[FakePlc]:
    async with fake_plc() as plc:
        yield plc


async def test_every_parameter_of_the_sdm630_is_at_its_register(plc: FakePlc, tmp_path: Path) -> None:
    parameters = listed(SDM630)
    expected = dict(zip(parameters, floats(len(parameters)), strict=True))
    for tag, number in parameters.items():
        put(plc, 2 * (number - 1), struct.pack(">f", expected[tag]))
    got = await read(device(tmp_path, "eastron-sdm630", plc.port))
    assert {tag: sample.value for tag, (sample, _) in got.items()} == expected
    assert len(got) >= 50
    assert {(asked.function, asked.size <= 80, asked.size % 2) for asked in plc.asked} == {(4, True, 0)}


async def test_every_register_of_the_pm5110_is_counted_from_one(plc: FakePlc, tmp_path: Path) -> None:
    registers = listed(PM5110)
    expected: dict[str, Value] = dict(zip(registers, floats(len(registers)), strict=True))
    for tag, register in registers.items():
        put(plc, register - 1, struct.pack(">f", expected[tag]))
    for register, tag, text in (
        (30, "meter_name", "Feeder 7"),
        (50, "meter_model", "PM5110"),
        (70, "manufacturer", "Æ"),
    ):
        put(plc, register - 1, text.encode().ljust(40, b"\0"))
        expected[tag] = text
    put(plc, 129, struct.pack(">I", 3_900_000_001))
    put(plc, 3203, struct.pack(">q", 9_007_199_254_740_993))
    put(plc, 3207, struct.pack(">q", -5))
    expected |= {
        "serial_number": 3_900_000_001,
        "energy_import_wh": 9_007_199_254_740_993,
        "energy_export_wh": -5,
    }
    got = await read(device(tmp_path, "schneider-pm5000", plc.port))
    assert {tag: sample.value for tag, (sample, _) in got.items()} == expected
    assert {asked.function for asked in plc.asked} == {3}


async def test_what_the_pm5110_does_not_measure_is_bad(plc: FakePlc, tmp_path: Path) -> None:
    put(plc, 3005, bytes.fromhex("FFC00000"))
    got = await read(device(tmp_path, "schneider-pm5000", plc.port))
    assert got["current_n"][0] == bad("not_implemented")
    assert got["current_a"][0] == Sample(0.0)


async def test_every_point_of_a_sunspec_inverter_is_scaled_as_its_model_says(plc: FakePlc, tmp_path: Path) -> None:
    expected: dict[str, Value] = {"device_address": 7}
    for register, tag, length, text in COMMON:
        put(plc, register - 1, text.encode().ljust(2 * length, b"\0"))
        expected[tag] = text
    plc.words[40068] = 7
    for offset, power in EXPONENTS.items():
        put(plc, 40069 + offset, struct.pack(">h", power))
    for offset, tag, raw, value in MODEL_103:
        put(plc, 40069 + offset, struct.pack(">I" if tag in WIDE else ">H", raw))
        expected[tag] = value
    expected |= {f"event_{name}": place in (1, 4, 15) for place, name in enumerate(EVENTS.split())}
    got = await read(device(tmp_path, "sunspec-inverter-103", plc.port))
    assert {tag: sample.value for tag, (sample, _) in got.items()} == expected
    for sample, kind in got.values():
        assert sample.quality is Quality.GOOD or sample == bad("not_implemented")
        assert kind is not DataType.FLOAT64 or sample.value is None or isinstance(sample.value, float)
    assert len(plc.asked) == 1


async def test_an_inverter_s_state_has_its_names(tmp_path: Path) -> None:
    loaded = device(tmp_path, "sunspec-inverter-103", 502)
    (state,) = (tag for tag in loaded.tags if tag.name == "state")
    assert (state.settings.texts["4"], state.settings.texts["7"]) == ("tracking", "fault")
    assert len(state.settings.texts) == 8


@pytest_asyncio.fixture
async def simulated() -> AsyncIterator[Meters]:
    async with meters() as served:
        await served.step(2.0)
        yield served


def shown(simulated: Meters, name: str, table: str) -> dict[int, Value]:
    """Return what a simulated meter shows, by the first register of each point."""
    (unit,) = (unit for unit in simulated.modbus.units if unit.spec.name == name)
    readings = simulated.devices[name].readings
    return {point.offset: readings[point.name].value for point in unit.spec.points if point.table == table}


async def test_the_simulated_sdm630_shows_its_plant_at_the_documented_registers(
    simulated: Meters, tmp_path: Path
) -> None:
    there = shown(simulated, "sdm630", "input")
    got = await read(device(tmp_path, "eastron-sdm630", simulated.modbus.address.port, 1))
    expected = {tag: there[2 * (number - 1)] for tag, number in listed(SDM630).items()}
    assert {tag: sample.value for tag, (sample, _) in got.items()} == pytest.approx(expected, rel=1e-6)


async def test_the_simulated_pm5110_is_read_though_it_refuses_what_is_between_its_registers(
    simulated: Meters, tmp_path: Path
) -> None:
    there = shown(simulated, "pm5110", "holding")
    got = await read(device(tmp_path, "schneider-pm5000", simulated.modbus.address.port, 3), scans=8)
    powers = {tag for tag in listed(PM5110) if "_power" in tag}
    expected = {tag: there[register - 1] for tag, register in listed(PM5110).items()}
    for tag, value in expected.items():
        assert isinstance(value, float)
        wanted = value / 1000 if tag in powers else value
        sample, _ = got[tag]
        assert sample == bad("not_implemented") if isnan(wanted) else sample.value == pytest.approx(wanted, rel=1e-6)
    assert got["meter_name"][0] == Sample("Main feeder")
    assert got["serial_number"][0] == Sample(4_021_337_005)
    energy, exact = got["energy_import"][0].value, got["energy_import_wh"][0].value
    assert isinstance(energy, float)
    assert exact == pytest.approx(1000 * energy, rel=1e-6)


async def test_the_simulated_inverter_shows_its_plant_with_its_exponents(simulated: Meters, tmp_path: Path) -> None:
    there = shown(simulated, "inverter", "holding")
    settings = device(tmp_path, "sunspec-inverter-103", simulated.modbus.address.port, 2)
    got = await read(settings)
    power_of = dict.fromkeys(range(2, 6), -2) | dict.fromkeys(range(7, 13), -1)
    power_of |= {14: 1, 16: -2, 18: 1, 20: 1, 22: -2, 24: 0, 27: -2, 29: -1, 31: 1, 33: -1, 34: -1}
    tags = {offset: tag for offset, tag, _, _ in MODEL_103}
    for offset, power in power_of.items():
        assert got[tags[offset]][0].value == pytest.approx(there[40069 + offset], abs=0.51 * 10.0**power)
    absent = [tag for tag, (sample, _) in got.items() if sample == bad("not_implemented")]
    assert sorted(absent) == [
        *(f"events_vendor_{place}" for place in (1, 2, 3, 4)),
        "state_vendor",
        "temperature_other",
        "temperature_transformer",
    ]
    assert (got["model"][0].value, got["options"][0].value) == ("Simulated Inverter 10k", "")
    assert got["state"][0] == Sample(4)
    simulated.inverter.set("grid_lost", value=True)
    simulated.refresh()
    lost = await read(settings)
    assert (lost["state"][0], lost["active_power"][0]) == (Sample(7), Sample(0.0))
    assert [tag for tag, (sample, _) in lost.items() if tag.startswith("event_") and sample.value] == [
        "event_grid_disconnect"
    ]
