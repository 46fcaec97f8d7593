"""The reader of one unit: what it plans, what it refuses, and the types that it tells."""

from collections.abc import Sequence

import pytest

from drivers.modbus import DRIVER
from drivers.modbus.point import ModbusPoint
from drivers.modbus.profile import ModbusProfile
from drivers.modbus.reader import ModbusReader
from drivers.modbus.request import ReadRequest
from drivers.modbus.settings import ModbusDevice
from drivers.values import DataType, Sample

URL = "tcp://127.0.0.1:5020"


async def zeros(request: ReadRequest, seconds: float) -> bytes:
    return bytes(request.size)


def reader(points: Sequence[ModbusPoint], profile: ModbusProfile | None = None) -> ModbusReader:
    return ModbusReader(ModbusDevice(URL, profile=profile or ModbusProfile()), points, zeros)


async def test_every_point_is_in_one_block_and_in_the_first_answer_to_it() -> None:
    points = [
        ModbusPoint("input:0", DataType.FLOAT32),
        ModbusPoint("coil:0"),
        ModbusPoint("holding:10", DataType.FLOAT32),
        ModbusPoint("input:2"),
    ]
    device = reader(points)
    plan = await device.prepare()
    assert [(block.label, block.points) for block in plan.polled] == [
        ("coil:0", (1,)),
        ("holding:10..11", (2,)),
        ("input:0..2", (0, 3)),
    ]
    assert not plan.subscribed
    first = [change for block in plan.polled for change in await device.read(block)]
    assert sorted(first) == [(0, Sample(0.0)), (1, Sample(value=False)), (2, Sample(0.0)), (3, Sample(0))]


async def test_the_profile_gives_the_order_that_a_point_does_not() -> None:
    async def answer(request: ReadRequest, seconds: float) -> bytes:
        return bytes.fromhex("5678 1234 1234 5678")

    points = [
        ModbusPoint("input:0", DataType.UINT32),
        ModbusPoint("input:2", DataType.UINT32, order="ABCD"),
    ]
    device = ModbusReader(ModbusDevice(URL, profile=ModbusProfile(order="CDAB")), points, answer)
    (block,) = (await device.prepare()).polled
    assert sorted(await device.read(block)) == [(0, Sample(0x12345678)), (1, Sample(0x12345678))]


def test_the_type_of_a_point_is_told() -> None:
    device = reader([ModbusPoint("input:0", DataType.FLOAT32), ModbusPoint("coil:0"), ModbusPoint("holding:1")])
    assert [device.data_type(index) for index in range(3)] == [DataType.FLOAT32, DataType.BOOL, DataType.UINT16]


def test_a_point_that_can_never_be_read_is_refused_without_a_connection() -> None:
    device = ModbusDevice(URL, profile=ModbusProfile(holes=("holding:0-9",)))
    with pytest.raises(ValueError, match="holding:5 lies in the hole"):
        DRIVER.connect(device).reader(device, [ModbusPoint("holding:5")])


def test_units_at_one_address_share_an_endpoint() -> None:
    one, two = ModbusDevice("tcp://PLC", unit=1), ModbusDevice("tcp://plc:502/", unit=2)
    assert DRIVER.endpoint(one) == DRIVER.endpoint(two) == "tcp://plc:502"
