"""A connection to one Modbus TCP endpoint, shared by the units behind it."""

import asyncio
import os
import socket
from collections.abc import Sequence

from drivers.base import Surroundings
from drivers.errors import LinkLost
from drivers.modbus.link import Link
from drivers.modbus.point import ModbusPoint
from drivers.modbus.reader import ModbusReader
from drivers.modbus.request import ReadRequest
from drivers.modbus.settings import ModbusDevice
from drivers.values import Seconds

CONNECT_WITHIN = Seconds(3.0)
"""A lost SYN is sent again after one second, and after two more."""


class ModbusConnection:
    """One TCP connection: opened once, and never again once it is lost."""

    def __init__(self, device: ModbusDevice, connect_within: Seconds = CONNECT_WITHIN) -> None:
        self._endpoint = device.endpoint
        self._address = device.address
        self._within = connect_within
        self._link: Link | None = None
        self._gone = asyncio.Event()
        self._cause = ""

    async def open(self) -> None:
        host, port = self._address
        link = Link(host, port, self._note)
        try:
            async with asyncio.timeout(self._within):
                await _connect(link, host, port)
        except TimeoutError:
            raise LinkLost("timeout", f"{self._endpoint}: no connection within {self._within:g} s") from None
        except ConnectionRefusedError:
            raise LinkLost("refused", f"{self._endpoint}: connection refused; nothing listens there") from None
        except socket.gaierror as error:
            raise LinkLost("unknown_host", f"{self._endpoint}: {error.strerror}") from None
        except OSError as error:
            cause = os.strerror(error.errno) if error.errno else str(error)
            raise LinkLost("unreachable", f"{self._endpoint}: {cause}") from None
        self._link = link

    async def close(self) -> None:
        if self._link is not None:
            self._link.end("closed", "the connection was closed")
            await asyncio.sleep(0)  # the transport lets go of its socket one turn later

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
        return ModbusReader(device, points, self._ask, around or Surroundings())

    async def _ask(self, request: ReadRequest, seconds: float) -> bytes:
        if self._link is None:
            raise LinkLost("disconnected", f"{request.label}: not connected")
        return await self._link.ask(request, seconds)

    def _note(self, cause: str) -> None:
        self._cause = cause
        self._gone.set()


async def _connect(link: Link, host: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for place, (family, *_, address) in enumerate(found, start=1):
        try:
            transport, _ = await loop.create_connection(lambda: link, str(address[0]), port, family=family)
        except OSError:
            if place == len(found):
                raise
        else:
            wire = transport.get_extra_info("socket")
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return
