"""A Modbus writer on an open connection, and a write of it with a permit that allows everything."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from drivers.base import Surroundings
from drivers.modbus.connection import ModbusConnection
from drivers.modbus.point import ModbusPoint
from drivers.modbus.settings import ModbusDevice
from drivers.modbus.writing import ModbusWriter
from drivers.values import Value
from tests.permits import Permit


@asynccontextmanager
async def open_writer(device: ModbusDevice, points: Sequence[ModbusPoint]) -> AsyncIterator[ModbusWriter]:
    connection = ModbusConnection(device)
    await connection.open()
    try:
        writer = ModbusWriter("boiler", connection, device, dict(enumerate(points)), Surroundings())
        await writer.prepare()
        yield writer
    finally:
        await connection.close()


async def write(writer: ModbusWriter, point: int, value: Value, permit: Permit | None = None) -> None:
    await writer.write(point, "a_tag", writer.encode(point, value), Permit() if permit is None else permit)
