"""A TCP proxy in user space that can be slow, silent or gone."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.scenarios.dropped_packets import deliver, drop

_CHUNK = 65536


class TcpProxy:
    """Passes on what comes, both ways, to one port of loopback."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self.connections = 0
        self.delay = 0.0
        """Seconds that everything takes, each way."""
        self._target = target
        self._flows = asyncio.Event()
        self._flows.set()
        self._listener: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._filtered: list[socket.socket] = []

    async def start(self) -> None:
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    def hold(self) -> None:
        """Pass nothing on, and take in whatever comes."""
        self._flows.clear()

    def flow(self) -> None:
        """Pass on what was held, and what comes."""
        self._flows.set()
        for wire in self._filtered:
            if wire.fileno() >= 0:
                deliver(wire)
        self._filtered.clear()

    def drop_packets(self) -> None:
        """Let nothing in any more, for those that are connected and for those to come: they hear nothing at all."""
        assert self._listener is not None
        wires = [*self._listener.sockets, *(writer.get_extra_info("socket") for writer in self._writers)]
        self._filtered = [wire._sock for wire in wires]
        for wire in self._filtered:
            drop(wire)

    async def close(self) -> None:
        self.flow()
        if self._listener is not None:
            self._listener.close()
        for writer in self._writers:
            writer.close()
        if self._listener is not None:
            await self._listener.wait_closed()
        while self._writers:  # noqa: ASYNC110  (each leaves in a turn of the loop)
            await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, back}
        await asyncio.gather(self._pass_on(reader, back), self._pass_on(there, writer))
        self._writers -= {writer, back}

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(_CHUNK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def tcp_proxy(target: int) -> AsyncIterator[TcpProxy]:
    proxy = TcpProxy(target)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.close()
