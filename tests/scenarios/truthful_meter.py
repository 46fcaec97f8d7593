"""A fake PLC of two registers that remembers what it said, and that lies where it answers wrongly."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

from tests.integration.fake_plc import Asked, Behaviour, FakePlc, good
from tests.scenarios.dropped_packets import deliver, drop
from tests.servers import free_port

LIE = 29_999
"""In every register of a wrong answer: whoever publishes it believed what it must not."""

_fresh = count(1000)


class Meter:
    """One PLC at a port of its own, whose registers 0 and 1 always hold the same number."""

    def __init__(self, name: str) -> None:
        """Name: of the device in the gateway."""
        self.name = name
        self.plc = FakePlc()
        self.plc.port = free_port()
        self.value = 0
        self.said: set[int] = set()
        self._server: asyncio.Server | None = None
        self._filtered: list[socket.socket] = []
        self.says_something_new()

    def says_something_new(self) -> int:
        """Change both registers to a number that no meter had before, and return it."""
        self.value = next(_fresh)
        self.said.add(self.value)
        self._tells_the_truth()
        return self.value

    def breaks(self, behaviour: Behaviour) -> None:
        """Meet every request so, and with lies."""

        async def lie(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
            plc.words[0:2] = [LIE] * 2
            try:
                await behaviour(plc, asked, writer)
            finally:
                self._tells_the_truth()

        self.plc.always(lie)

    def recovers(self) -> None:
        """Answer well, listen, and let packets through."""
        self.plc.always(good)
        for wire in self._filtered:
            if wire.fileno() >= 0:
                deliver(wire)
        self._filtered.clear()

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self.plc.serve, "127.0.0.1", self.plc.port)

    async def refuse(self) -> None:
        """Close every connection, and take no new one."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            self.plc.hang_up()
            await server.wait_closed()
            await self.plc.left()

    def drop_packets(self) -> None:
        """Be there no longer, without a word; for those that are connected, and for those to come."""
        assert self._server is not None
        wires = [*self._server.sockets, *(writer.get_extra_info("socket") for writer in self.plc._writers)]
        self._filtered = [wire._sock for wire in wires]
        for wire in self._filtered:
            drop(wire)

    def _tells_the_truth(self) -> None:
        self.plc.words[0:2] = [self.value] * 2


@asynccontextmanager
async def listening(*meters: Meter) -> AsyncIterator[None]:
    """Have meters listen, and end them."""
    for meter in meters:
        await meter.listen()
    try:
        yield
    finally:
        for meter in meters:
            meter.recovers()
            await meter.refuse()


def after(seconds: float) -> Behaviour:
    """Answer too late what was asked, with what the registers held then; the next request is taken only then."""

    async def answer(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
        frame = plc.answer(asked)
        await asyncio.sleep(seconds)
        writer.write(frame)

    return answer
