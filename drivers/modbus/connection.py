"""A connection to one Modbus endpoint, shared by the units behind it."""

import asyncio
from collections.abc import Callable, Sequence

from drivers.base import Surroundings
from drivers.errors import LinkLost
from drivers.modbus.link import Link
from drivers.modbus.opening import open_link
from drivers.modbus.point import ModbusPoint
from drivers.modbus.reader import ModbusReader
from drivers.modbus.request import ReadRequest
from drivers.modbus.settings import ModbusDevice
from drivers.values import Seconds

CONNECT_WITHIN = Seconds(3.0)
"""A lost SYN is sent again after one second, and after two more."""
HANDSHAKE_WITHIN = Seconds(8.0)
"""With TLS: a small controller needs seconds to sign."""


class ModbusConnection:
    """One TCP connection or one open serial port: opened once, and never again once it is lost."""

    def __init__(self, device: ModbusDevice, connect_within: Seconds | None = None) -> None:
        self._device = device
        usual = HANDSHAKE_WITHIN if device.is_encrypted else CONNECT_WITHIN
        self._within = usual if connect_within is None else connect_within
        self._link: Link | None = None
        self._counts: dict[int, Callable[[str], None]] = {}
        """Unit -> who counts what has to do with it."""
        self._gone = asyncio.Event()
        self._cause = ""

    async def open(self) -> None:
        self._link = await open_link(self._device, self._note, self._count, self._within)

    async def close(self) -> None:
        if self._link is not None:
            self._link.end("closed", "the connection was closed")
            await self._link.closed()

    async def lost(self) -> str:
        await self._gone.wait()
        return self._cause

    def reader(
        self,
        device: ModbusDevice,
        points: Sequence[ModbusPoint],
        around: Surroundings | None = None,
    ) -> ModbusReader:
        """Return the reader of one unit. Raises ValueError where a point can never be read; needs no link."""
        around = around or Surroundings()
        self._counts[device.unit] = around.count
        pace = device.pace

        async def ask(request: ReadRequest, seconds: float) -> bytes:
            if self._link is None:
                raise LinkLost("disconnected", f"{request.label}: not connected")
            return await self._link.ask(request, seconds, pace)

        return ModbusReader(device, points, ask, around, heard=lambda: self._heard(device.unit))

    def _heard(self, unit: int) -> float:
        return float("-inf") if self._link is None else self._link.heard(unit)

    def _count(self, unit: int, kind: str) -> None:
        if self._counts:  # what belongs to no device here is told to the first
            self._counts.get(unit, next(iter(self._counts.values())))(kind)

    def _note(self, cause: str) -> None:
        self._cause = cause
        self._gone.set()
