"""Values that another register scales: which exponent belongs to which value, and what is said where there is none."""

import pytest

from drivers.errors import DeviceFault
from drivers.modbus.exponent import scale
from drivers.modbus.point import ModbusPoint
from drivers.values import DataType, Quality, Sample, bad
from tests.unit.drivers.modbus.fake_unit import FakeUnit, Scans

NEGATIVE = 0x10000


def scaled(address: str, exponent: str, data_type: DataType = DataType.INT16) -> ModbusPoint:
    return ModbusPoint(address, data_type, exponent=exponent)


@pytest.mark.parametrize(
    ("raw", "power", "value"),
    [(2304, -1, 230.4), (-5, 2, -500.0), (7, 0, 7.0), (4999, -2, 49.99), (1, 10, 1e10), (1, -10, 1e-10)],
)
def test_a_value_is_scaled_to_the_nearest_float(raw: int, power: int, value: float) -> None:
    sample = scale(Sample(raw), Sample(power))
    assert sample == Sample(value)
    assert isinstance(sample.value, float)


@pytest.mark.parametrize("power", [11, -11, 32767])
def test_an_exponent_beyond_reason_is_none(power: int) -> None:
    assert scale(Sample(1), Sample(power)) == bad("bad_exponent")


async def test_a_value_and_its_exponent_come_in_one_answer() -> None:
    unit = FakeUnit()
    unit.words = {10: 2304, 11: NEGATIVE - 1}
    scans = Scans(unit.reader([scaled("holding:10", "holding:11")]))
    await scans.run()
    assert scans.labels == ["holding:10..11"]
    assert scans.samples == {0: Sample(230.4)}
    unit.words = {10: 235, 11: 0}
    await scans.run()
    assert scans.samples == {0: Sample(235.0)}


async def test_an_exponent_that_changes_alone_changes_the_value() -> None:
    unit = FakeUnit()
    unit.words = {10: 50, 11: 0}
    reader = unit.reader([scaled("holding:10", "holding:11"), ModbusPoint("holding:12")])
    (block,) = (await reader.prepare()).polled
    await reader.read(block)
    assert list(await reader.read(block)) == []
    unit.words = {10: 50, 11: 1}
    assert list(await reader.read(block)) == [(0, Sample(500.0))]


async def test_an_exponent_far_away_has_a_block_of_its_own_that_is_asked_for_first() -> None:
    unit = FakeUnit()
    unit.words = {10: 2304, 900: NEGATIVE - 1}
    scans = Scans(unit.reader([scaled("holding:10", "holding:900"), ModbusPoint("holding:11")]))
    await scans.run()
    assert scans.labels == ["holding:900", "holding:10..11"]
    assert [block.points for block in scans.blocks] == [(), (0, 1)]
    assert scans.samples == {0: Sample(230.4), 1: Sample(11)}


async def test_an_exponent_may_be_a_point_of_its_own_and_serve_several() -> None:
    unit = FakeUnit()
    unit.words = {10: 2304, 11: 2310, 12: NEGATIVE - 1}
    points = [
        scaled("holding:10", "holding:12"),
        scaled("holding:11", "holding:12"),
        ModbusPoint("holding:12", DataType.INT16),
    ]
    scans = Scans(unit.reader(points))
    await scans.run()
    assert scans.samples == {0: Sample(230.4), 1: Sample(231.0), 2: Sample(-1)}


async def test_without_its_exponent_a_value_is_bad_until_it_is_known_again() -> None:
    unit = FakeUnit()
    unit.words = {10: 2304, 900: NEGATIVE - 1}
    unit.broken = {900}
    scans = Scans(unit.reader([scaled("holding:10", "holding:900")]))
    await scans.run()
    assert scans.samples == {0: bad("no_exponent")}
    unit.broken = set()
    await scans.run()
    assert scans.samples == {0: Sample(230.4)}
    unit.broken = {900}
    await scans.run()
    assert scans.samples == {0: bad("no_exponent")}
    unit.broken = set()
    await scans.run()
    assert scans.samples == {0: Sample(230.4)}


async def test_an_exponent_or_a_value_that_is_not_implemented_says_so() -> None:
    unit = FakeUnit()
    unit.words = {10: 2304, 11: 0x8000, 20: 0x8000, 21: 0}
    points = [scaled("holding:10", "holding:11"), scaled("holding:20", "holding:21")]
    scans = Scans(unit.reader(points, not_implemented={"int16": 0x8000}))
    await scans.run()
    assert scans.samples == {0: bad("not_implemented"), 1: bad("not_implemented")}


async def test_a_refused_exponent_costs_only_the_values_that_it_scales() -> None:
    unit = FakeUnit()
    unit.absent = {12}
    points = [ModbusPoint("holding:10"), scaled("holding:11", "holding:12"), ModbusPoint("holding:13")]
    scans = Scans(unit.reader(points))
    await scans.run(6)
    assert scans.samples == {0: Sample(10), 1: bad("no_exponent"), 2: Sample(13)}


def test_a_scaled_value_is_a_float_whatever_its_registers_are() -> None:
    reader = FakeUnit().reader([scaled("holding:0", "holding:1"), scaled("holding:2", "holding:1", DataType.UINT32)])
    assert [reader.data_type(point) for point in range(2)] == [DataType.FLOAT64, DataType.FLOAT64]


async def test_the_exponent_counts_as_the_device_s_manual_does() -> None:
    unit = FakeUnit()
    unit.words = {9: 2304, 10: NEGATIVE - 1}
    scans = Scans(unit.reader([scaled("holding:10", "holding:11")], base=1))
    await scans.run()
    assert scans.samples[0].value == pytest.approx(230.4)
    assert scans.samples[0].quality is Quality.GOOD


@pytest.mark.parametrize(
    ("address", "data_type", "exponent", "line"),
    [
        ("holding:0", "float32", "holding:1", "exponent: only a whole number is scaled by a register, not a float32"),
        ("holding:0.1", "bool", "holding:1", "exponent: only a whole number is scaled by a register, not a bool"),
        ("holding:0", "int16", "coil:1", "exponent: coil:1 is one bit; name a whole holding or input register"),
        ("holding:0", "int16", "holding:1.2", "exponent: holding:1.2 is one bit; name a whole"),
        ("holding:0", "int16", "pump:1", "exponent: 'pump:1' names no table"),
    ],
)
def test_a_wrong_exponent_is_told_in_one_line(address: str, data_type: str, exponent: str, line: str) -> None:
    with pytest.raises(ValueError, match=r"^exponent: ") as caught:
        ModbusPoint(address, DataType(data_type), exponent=exponent)
    assert str(caught.value).startswith(line)


async def test_a_failure_reaches_the_gateway_as_it_is() -> None:
    unit = FakeUnit()
    unit.silent = True
    reader = unit.reader([scaled("holding:10", "holding:900")])
    for block in (await reader.prepare()).polled:
        with pytest.raises(DeviceFault, match="no answer"):
            await reader.read(block)
