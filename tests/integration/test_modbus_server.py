"""The driver against the Modbus server of pymodbus: what arrives, and how many requests it takes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pymodbus.pdu import ModbusPDU
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType as SimType
from pymodbus.simulator import SimData, SimDevice

from drivers.base import Block, Reader
from drivers.errors import DeviceFault, LinkLost
from drivers.modbus import DRIVER
from drivers.modbus.point import ModbusPoint
from drivers.modbus.profile import ModbusProfile
from drivers.modbus.settings import ModbusDevice
from drivers.values import DataType, Sample, Value

pytestmark = pytest.mark.real


class Server:
    """A server on loopback that counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[ModbusPDU] = []
        self.port = 0
        self._server: ModbusTcpServer | None = None

    async def start(self) -> None:
        self._server = ModbusTcpServer(plant(), address=("127.0.0.1", self.port), trace_pdu=self._count)
        await self._server.serve_forever(background=True)
        assert isinstance(self._server.transport, asyncio.Server)
        self.port = self._server.transport.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        await self._server.shutdown()  # type: ignore[no-untyped-call]  # the library's
        await asyncio.sleep(0)

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def _count(self, sending: bool, pdu: ModbusPDU) -> ModbusPDU:  # noqa: FBT001  (the library calls it so)
        if not sending:
            self.asked.append(pdu)
        return pdu


def plant() -> SimDevice:
    coils = [SimData(0, values=[place % 3 == 0 for place in range(2000)], datatype=SimType.BITS)]
    inputs = [SimData(0, values=[True, False] * 8, datatype=SimType.BITS)]
    holding = [SimData(0, values=list(range(1000)), datatype=SimType.REGISTERS)]
    input_registers = [
        SimData(0, values=[451.25], datatype=SimType.FLOAT32),
        SimData(2, values=[-5], datatype=SimType.INT16),
        SimData(3, values=[-(2**40)], datatype=SimType.INT64),
        SimData(7, values="PDT77x", datatype=SimType.STRING),
    ]
    return SimDevice(id=1, simdata=(coils, inputs, holding, input_registers))


@asynccontextmanager
async def running() -> AsyncIterator[Server]:
    server = Server()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def reading(device: ModbusDevice, points: list[ModbusPoint]) -> AsyncIterator[tuple[Reader, list[Block]]]:
    connection = DRIVER.connect(device)
    await connection.open()
    try:
        reader = connection.reader(device, points)
        yield reader, list((await reader.prepare()).polled)
    finally:
        await connection.close()


@pytest.mark.parametrize(("max_block", "requests"), [(125, 8), (120, 9)])
async def test_a_thousand_registers_in_a_row_take_eight_requests_a_scan(max_block: int, requests: int) -> None:
    async with running() as server:
        device = ModbusDevice(server.url, profile=ModbusProfile(max_block=max_block))
        points = [ModbusPoint(f"holding:{register}") for register in range(1000)]
        async with reading(device, points) as (reader, blocks):
            first = [change for block in blocks for change in await reader.read(block)]
            assert sorted(first) == [(register, Sample(register)) for register in range(1000)]
            assert len(server.asked) == requests
            again = [change for block in blocks for change in await reader.read(block)]
            assert again == []
            assert len(server.asked) == 2 * requests


async def test_every_table_and_type_arrives_as_the_server_holds_it() -> None:
    points = [
        ModbusPoint("coil:0"),
        ModbusPoint("coil:1"),
        ModbusPoint("coil:1998"),
        ModbusPoint("discrete:0"),
        ModbusPoint("discrete:15"),
        ModbusPoint("input:0", DataType.FLOAT32),
        ModbusPoint("input:2", DataType.INT16),
        ModbusPoint("input:3", DataType.INT64),
        ModbusPoint("input:7", DataType.STRING, length=3),
        ModbusPoint("40006"),
        ModbusPoint("holding:5.2"),
        ModbusPoint("holding:5.1"),
    ]
    values: list[Value] = [True, False, True, True, False, 451.25, -5, -(2**40), "PDT77x", 5, True, False]
    async with running() as server, reading(ModbusDevice(server.url), points) as (reader, blocks):
        samples = dict([change for block in blocks for change in await reader.read(block)])
    assert [samples[index] for index in range(len(points))] == [Sample(value) for value in values]


async def test_an_address_that_the_server_does_not_have_costs_its_own_block_alone() -> None:
    points = [ModbusPoint("holding:0"), ModbusPoint("holding:5000")]
    async with running() as server, reading(ModbusDevice(server.url), points) as (reader, blocks):
        with pytest.raises(DeviceFault, match="exception 2, illegal data address") as caught:
            await reader.read(blocks[1])
        assert caught.value.kind == "exception_2"
        assert list(await reader.read(blocks[0])) == [(0, Sample(0))]


async def test_a_restarted_server_is_read_again_over_a_new_connection() -> None:
    points = [ModbusPoint("holding:7")]
    async with running() as server:
        device = ModbusDevice(server.url)
        connection = DRIVER.connect(device)
        await connection.open()
        reader = connection.reader(device, points)
        (block,) = (await reader.prepare()).polled
        assert list(await reader.read(block)) == [(0, Sample(7))]
        await server.stop()
        async with asyncio.timeout(10):
            await connection.lost()
        with pytest.raises(LinkLost):
            await reader.read(block)
        await connection.close()
        await server.start()
        async with reading(device, points) as (again, (fresh,)):
            assert list(await again.read(fresh)) == [(0, Sample(7))]
