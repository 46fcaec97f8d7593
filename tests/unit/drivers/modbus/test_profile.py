"""The quirks of a make of device: what each key does to the reading, and one clear line for each that is wrong."""

import math
from typing import Any

import pytest

from drivers.modbus import DRIVER
from drivers.modbus.point import ModbusPoint
from drivers.modbus.profile import ModbusProfile
from drivers.modbus.register import RegisterAddress, Table
from drivers.modbus.settings import ModbusDevice
from drivers.values import DataType, Sample, Seconds, bad
from tests.unit.drivers.modbus.fake_unit import URL, FakeUnit, Scans


async def read(points: list[ModbusPoint], words: dict[int, int], **profile: Any) -> dict[int, Sample]:
    unit = FakeUnit()
    unit.words = words
    scans = Scans(unit.reader(points, **profile))
    await scans.run()
    assert not scans.faults
    return scans.samples


def float_words(raw: int) -> dict[int, int]:
    return {0: raw >> 16, 1: raw & 0xFFFF}


async def test_addresses_may_count_from_one_as_the_manual_does() -> None:
    points = [ModbusPoint("input:1"), ModbusPoint("holding:8.3"), ModbusPoint("coil:1"), ModbusPoint(40008)]
    samples = await read(points, {0: 1, 7: 8}, base=1)
    assert samples == {0: Sample(1), 1: Sample(value=True), 2: Sample(value=True), 3: Sample(8)}


def test_an_address_below_the_first_one_is_refused() -> None:
    device = ModbusDevice(URL, profile=ModbusProfile(base=1))
    with pytest.raises(ValueError, match=r"^holding:0: this device counts from 1$"):
        DRIVER.check(device, [ModbusPoint("holding:0")])


def test_a_point_in_a_hole_is_named_as_it_was_written() -> None:
    device = ModbusDevice(URL, profile=ModbusProfile(base=1, holes=("holding:10-12",)))
    with pytest.raises(ValueError, match=r"^holding:11 lies in the hole holding:10\.\.12, which is never read"):
        DRIVER.check(device, [ModbusPoint("holding:11")])


def test_a_point_that_needs_a_function_which_the_device_lacks_is_refused() -> None:
    device = ModbusDevice(URL, profile=ModbusProfile(functions_refused=(4, 2)))
    DRIVER.check(device, [ModbusPoint("holding:0"), ModbusPoint("coil:0")])
    with pytest.raises(ValueError, match=r"^input:5 needs function 4, and functions_refused says"):
        DRIVER.check(device, [ModbusPoint("holding:0"), ModbusPoint("input:5")])
    with pytest.raises(ValueError, match=r"^input:9 needs function 4"):
        DRIVER.check(device, [ModbusPoint("holding:0", DataType.INT16, exponent="input:9")])


async def test_texts_have_an_order_of_their_own() -> None:
    words = {0: 0x4241, 1: 0x4443, 2: 0x1234, 3: 0x5678}
    points = [
        ModbusPoint("holding:0", DataType.STRING, length=2),
        ModbusPoint("holding:0", DataType.STRING, "ABCD", 2),
        ModbusPoint("holding:2", DataType.UINT32),
    ]
    samples = await read(points, words, string_order="BADC", order="CDAB")
    assert samples == {0: Sample("ABCD"), 1: Sample("BADC"), 2: Sample(0x56781234)}


@pytest.mark.parametrize("filled", [[0x4142, 0, 0x4343], [0x4142, 0x2020, 0x2020], [0x4142, 0x2000, 0]])
async def test_what_fills_up_a_text_is_left_out(filled: list[int]) -> None:
    samples = await read([ModbusPoint("holding:0", DataType.STRING, length=3)], dict(enumerate(filled)))
    assert samples == {0: Sample("AB")}


async def test_what_means_not_implemented_is_said_once_for_all_tags_of_a_type() -> None:
    sentinels = {"int16": 0x8000, "uint16": (0xFFFF, 0xFFFE), "uint32": -1}
    points = [
        ModbusPoint("holding:0", DataType.INT16),
        ModbusPoint("holding:1"),
        ModbusPoint("holding:2"),
        ModbusPoint("holding:4", DataType.UINT32),
        ModbusPoint("holding:6", not_implemented=7),
        ModbusPoint("holding:7", not_implemented=()),
    ]
    words = {0: 0x8000, 1: 0xFFFF, 2: 0xFFFE, 4: 0xFFFF, 5: 0xFFFF, 6: 0xFFFF, 7: 0xFFFF}
    samples = await read(points, words, not_implemented=sentinels)
    absent = bad("not_implemented")
    assert samples == {0: absent, 1: absent, 2: absent, 3: absent, 4: Sample(0xFFFF), 5: Sample(0xFFFF)}


@pytest.mark.parametrize("raw", [0x7FC00000, 0xFFC00001, 0x7F800001])
async def test_any_nan_can_mean_not_implemented(raw: int) -> None:
    points = [ModbusPoint("holding:0", DataType.FLOAT32), ModbusPoint("holding:0", DataType.FLOAT32, not_implemented=0)]
    samples = await read(points, float_words(raw), not_implemented={"float32": "nan"})
    assert samples[0] == bad("not_implemented")
    assert isinstance(samples[1].value, float)
    assert math.isnan(samples[1].value)


async def test_a_float_that_is_a_number_stays_one() -> None:
    points = [ModbusPoint("holding:0", DataType.FLOAT32)]
    assert await read(points, float_words(0x3F800000), not_implemented={"float32": "nan"}) == {0: Sample(1.0)}


def test_the_setup_is_kept_by_its_places_on_the_wire() -> None:
    profile = ModbusProfile(base=1, setup={"holding:10": 5, "coil:3": True, "40001": -1})
    assert profile.setup_writes == {
        RegisterAddress(Table.HOLDING, 9): 5,
        RegisterAddress(Table.COIL, 2): True,
        RegisterAddress(Table.HOLDING, 0): -1,
    }


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"base": 2}, "base: 2 is not within 0 and 1"),
        ({"base": 1, "holes": ("holding:0-3",)}, "holes: holding:0..3: this device counts from 1"),
        (
            {"functions_refused": (5,)},
            (
                "functions_refused: 5 is no function that this driver asks for; there are 1 (coils), "
                "2 (discrete inputs), 3 (holding registers), 4 (input registers)"
            ),
        ),
        ({"pause": Seconds(-1)}, "pause: -1 s is not within 0s and 60s"),
        ({"pause_after_connect": Seconds(math.nan)}, "pause_after_connect: nan s is not within 0s and 60s"),
        (
            {"string_order": "CDAB"},
            "string_order: 'CDAB' is none of ABCD, BADC; a text is never reversed by registers",
        ),
        (
            {"not_implemented": {"string": 0}},
            (
                "not_implemented: 'string' is no type of a number; there are "
                "int16, uint16, int32, uint32, int64, uint64, float32, float64"
            ),
        ),
        ({"not_implemented": {"int16": 0x10000}}, "not_implemented: int16: 65536 is no raw value of 16 bits"),
        (
            {"not_implemented": {"int16": "nan"}},
            "not_implemented: int16: 'nan' is no raw value; write a number such as 0x8000, or nan for a float",
        ),
        ({"setup": {"input:1": 1}}, "setup: input:1: only a coil or a whole holding register is written"),
        ({"setup": {"holding:1.2": 1}}, "setup: holding:1.2: only a coil or a whole holding register is written"),
        ({"setup": {"coil:1": 1}}, "setup: coil:1: a coil takes true or false, not 1"),
        ({"setup": {"holding:1": True}}, "setup: holding:1: a holding register takes a whole number, not True"),
        ({"setup": {"holding:1": 70000}}, "setup: holding:1: 70000 does not fit into one register"),
    ],
)
def test_a_wrong_key_is_told_in_one_line(keys: dict[str, Any], line: str) -> None:
    with pytest.raises(ValueError, match=r".+") as caught:
        ModbusProfile(**keys)
    assert str(caught.value) == line
