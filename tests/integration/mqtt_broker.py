"""A broker that answers as a test wants: refuses versions, keeps silent, falls asleep; and a link that freezes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

CONNECT, PUBLISH, SUBSCRIBE, PINGREQ = 0x10, 0x30, 0x82, 0xC0


async def read_packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return the first byte of a packet and what follows its length."""
    first = (await reader.readexactly(1))[0]
    length, place = 0, 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << place
        place += 7
        if byte < 0x80:
            return first, await reader.readexactly(length)


class FakeBroker:
    """Speaks just enough MQTT to be published to, and to be subscribed at."""

    def __init__(self) -> None:
        self.port = 0
        self.answers: dict[int, bytes] = {
            5: b"\x20\x03\x00\x00\x00",
            4: b"\x20\x02\x00\x00",
        }
        """CONNACK by the version of CONNECT; nothing is answered to a version that is absent."""
        self.subscribed = 1
        """The code with which MQTT 5 clients are answered that subscribe."""
        self.acknowledges = True
        self.answers_pings = True
        self.connections = 0
        self.versions: list[int] = []
        """Of each CONNECT."""
        self.publishes: list[tuple[str, bytes]] = []
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.connections += 1
        version = 0
        try:
            while True:
                first, body = await read_packet(reader)
                if first & 0xF0 == CONNECT:
                    version = body[6]
                    self.versions.append(version)
                    answer = self.answers.get(version, b"")
                    writer.write(answer)
                    if answer and answer[3]:
                        return
                elif first & 0xF0 == PUBLISH:
                    writer.write(self._take(body, version))
                elif first == SUBSCRIBE:
                    writer.write(b"\x90\x04" + body[:2] + bytes((0, self.subscribed)))
                elif first == PINGREQ and self.answers_pings:
                    writer.write(b"\xd0\x00")
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._writers.discard(writer)
            writer.close()

    def _take(self, body: bytes, version: int) -> bytes:
        length = int.from_bytes(body[:2], "big")
        properties = 1 if version == 5 else 0
        self.publishes.append((body[2 : 2 + length].decode(), body[4 + length + properties :]))
        return b"\x40\x02" + body[2 + length : 4 + length] if self.acknowledges else b""

    def send(self, data: bytes) -> None:
        """Send to everybody who is connected."""
        for writer in self._writers:
            writer.write(data)

    def drop(self) -> None:
        """Close every connection without a word."""
        for writer in self._writers:
            writer.transport.abort()


@asynccontextmanager
async def fake_broker() -> AsyncIterator[FakeBroker]:
    broker = FakeBroker()
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    broker.port = server.sockets[0].getsockname()[1]
    try:
        yield broker
    finally:
        server.close()
        broker.drop()
        await asyncio.sleep(0.05)  # the handlers see the end


class Strait:
    """A way to a broker that can be frozen: both ends stay open, and nothing passes."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self._to = port
        self._open = asyncio.Event()
        self._open.set()

    def freeze(self) -> None:
        self._open.clear()

    def thaw(self) -> None:
        self._open.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._carry(reader, back))
            group.create_task(self._carry(there, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: Any) -> None:
        try:
            while data := await reader.read(65_536):
                await self._open.wait()
                writer.write(data)
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def strait(port: int) -> AsyncIterator[Strait]:
    way = Strait(port)
    server = await asyncio.start_server(way.serve, "127.0.0.1", 0)
    way.port = server.sockets[0].getsockname()[1]
    try:
        yield way
    finally:
        server.close()
        way.thaw()
        await asyncio.sleep(0.05)  # the carriers see the end
