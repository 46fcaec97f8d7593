"""A Modbus TCP gateway before a serial bus: one request after the other, and for a dead unit it waits long."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

_NO_ANSWER = 11
"""Exception code: the unit behind the gateway does not respond."""


class QueueingGateway:
    """Every register of a living unit holds the unit's number. Whatever its clients do, the bus goes on in order."""

    def __init__(self, turn: float, waits: float, *, says_so: bool) -> None:
        """Turn: seconds that an answer takes; waits: for a dead unit; says_so: tells it by an exception afterwards."""
        self.dead: Collection[int] = ()
        self.url = ""
        self._turn = turn
        self._waits = waits
        self._says_so = says_so
        self._requests: asyncio.Queue[tuple[bytes, bytes, asyncio.StreamWriter]] = asyncio.Queue()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Put into the queue what one client asks."""
        try:
            while True:
                header = await reader.readexactly(6)
                message = await reader.readexactly(int.from_bytes(header[4:6], "big"))
                self._requests.put_nowait((header, message, writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def run_bus(self) -> None:
        """Take the requests to the units, one by one."""
        while True:
            header, message, writer = await self._requests.get()
            unit, function = message[0], message[1]
            if unit not in self.dead:
                await asyncio.sleep(self._turn)
                words = unit.to_bytes(2, "big") * int.from_bytes(message[4:6], "big")
                answer = bytes((unit, function, len(words))) + words
            else:
                await asyncio.sleep(self._waits)
                if not self._says_so:
                    continue
                answer = bytes((unit, function | 0x80, _NO_ANSWER))
            writer.write(header[:4] + len(answer).to_bytes(2, "big") + answer)


@asynccontextmanager
async def queueing_gateway(turn: float, waits: float, *, says_so: bool = True) -> AsyncIterator[QueueingGateway]:
    """Run one on a free port."""
    gateway = QueueingGateway(turn, waits, says_so=says_so)
    bus = asyncio.create_task(gateway.run_bus())
    server = await asyncio.start_server(gateway.serve, "127.0.0.1", 0)
    gateway.url = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield gateway
    finally:
        server.close()
        bus.cancel()
        await asyncio.gather(bus, return_exceptions=True)
