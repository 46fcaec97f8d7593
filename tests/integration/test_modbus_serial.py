"""The driver against servers of another make: pymodbus on a serial line of two pseudo terminals, and behind a port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType as SimType
from pymodbus.simulator import SimData, SimDevice

from drivers.base import Block
from drivers.errors import DeviceFault, LinkLost
from drivers.modbus.connection import ModbusConnection
from drivers.modbus.point import ModbusPoint
from drivers.modbus.reader import ModbusReader
from drivers.modbus.settings import ModbusDevice
from drivers.values import DataType, Sample, Seconds
from tests.integration.serial_bus import null_modem

pytestmark = pytest.mark.real

IN_TIME = Seconds(10)
LINE = "baudrate=38400&parity=N&stopbits=1"


def plant() -> list[SimDevice]:
    units = []
    for unit in (3, 4):
        coils = [SimData(0, values=[place % 3 == 0 for place in range(2000)], datatype=SimType.BITS)]
        inputs = [SimData(0, values=[True, False] * 8, datatype=SimType.BITS)]
        holding = [SimData(0, values=[1000 * unit + place for place in range(1000)], datatype=SimType.REGISTERS)]
        readings = [SimData(0, values=[451.25], datatype=SimType.FLOAT32)]
        units.append(SimDevice(id=unit, simdata=(coils, inputs, holding, readings)))
    return units


@asynccontextmanager
async def on_a_line() -> AsyncIterator[str]:
    async with null_modem() as (ours, theirs):
        server = ModbusSerialServer(
            plant(), framer=FramerType.RTU, port=theirs, baudrate=38400, parity="N", stopbits=1, bytesize=8
        )
        await server.serve_forever(background=True)
        try:
            yield f"rtu://{ours}?{LINE}"
        finally:
            await server.shutdown()  # type: ignore[no-untyped-call]  # the library's
            await asyncio.sleep(0)


@asynccontextmanager
async def behind_a_port() -> AsyncIterator[str]:
    server = ModbusTcpServer(plant(), framer=FramerType.RTU, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    assert isinstance(server.transport, asyncio.Server)
    try:
        yield f"rtu+tcp://127.0.0.1:{server.transport.sockets[0].getsockname()[1]}"
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]  # the library's
        await asyncio.sleep(0)


@pytest.fixture(params=[on_a_line, behind_a_port], ids=["line", "port"])
async def url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    async with request.param() as url:
        yield url


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[ModbusConnection]:
    connection = ModbusConnection(ModbusDevice(url))
    await connection.open()
    try:
        yield connection
    finally:
        await connection.close()


async def prepared(
    connection: ModbusConnection, device: ModbusDevice, points: list[ModbusPoint]
) -> tuple[ModbusReader, list[Block]]:
    reader = connection.reader(device, points)
    return reader, list((await reader.prepare()).polled)


async def test_every_table_arrives_as_the_server_holds_it(url: str) -> None:
    points = [
        ModbusPoint("coil:0"),
        ModbusPoint("coil:1998"),
        ModbusPoint("discrete:0"),
        ModbusPoint("discrete:15"),
        ModbusPoint("input:0", DataType.FLOAT32),
        ModbusPoint("holding:999"),
    ]
    values = [True, True, True, False, 451.25, 3999]
    async with opened(url) as connection:
        reader, blocks = await prepared(connection, ModbusDevice(url, unit=3, timeout=IN_TIME), points)
        samples = dict([change for block in blocks for change in await reader.read(block)])
    assert [samples[place] for place in range(len(points))] == [Sample(value) for value in values]


async def test_the_longest_requests_bring_every_register_of_both_units(url: str) -> None:
    points = [ModbusPoint(f"holding:{register}") for register in range(500)]
    async with opened(url) as connection:
        for unit in (3, 4):
            reader, blocks = await prepared(connection, ModbusDevice(url, unit=unit, timeout=IN_TIME), points)
            first = [change for block in blocks for change in await reader.read(block)]
            assert sorted(first) == [(place, Sample(1000 * unit + place)) for place in range(500)]


async def test_an_address_that_the_server_does_not_have_is_told_by_its_exception(url: str) -> None:
    async with opened(url) as connection:
        reader, (block,) = await prepared(
            connection, ModbusDevice(url, unit=3, timeout=IN_TIME), [ModbusPoint("holding:5000")]
        )
        with pytest.raises(DeviceFault, match="illegal data address"):
            await reader.read(block)


async def test_a_unit_that_is_not_there_does_not_end_the_reading_of_the_others(url: str) -> None:
    points = [ModbusPoint("holding:7")]
    async with opened(url) as connection:
        there, (block,) = await prepared(connection, ModbusDevice(url, unit=4, timeout=IN_TIME), points)
        assert list(await there.read(block)) == [(0, Sample(4007))]
        absent, (its,) = await prepared(connection, ModbusDevice(url, unit=9, timeout=Seconds(0.3)), points)
        with pytest.raises(DeviceFault) as caught:
            await absent.read(its)
        assert not isinstance(caught.value, LinkLost)
        assert list(await there.read(block)) == []


async def test_a_port_goes_by_any_of_its_names_and_is_still_one(tmp_path: Path) -> None:
    async with null_modem() as (port, _):
        (tmp_path / "by-id").symlink_to(port)
        async with opened(f"rtu://{port}?{LINE}"):
            with pytest.raises(LinkLost, match="in use") as caught:
                await ModbusConnection(ModbusDevice(f"rtu://{tmp_path}/by-id?{LINE}")).open()
            assert caught.value.kind == "busy"
