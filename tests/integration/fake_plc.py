"""A Modbus TCP device of bare sockets that can answer wrongly in every way; it knows nothing of the driver."""

import asyncio
import ssl
import struct
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple, TypeAlias

_BIT_FUNCTIONS = (1, 2)


class Asked(NamedTuple):
    """One request, as it came."""

    transaction: int
    unit: int
    function: int
    start: int
    size: int
    """How many registers, or bits."""


Behaviour: TypeAlias = Callable[["FakePlc", Asked, asyncio.StreamWriter], Awaitable[None]]


def frame(transaction: int, unit: int, function: int, data: bytes) -> bytes:
    return struct.pack(">HHHBB", transaction, 0, len(data) + 2, unit, function) + data


class FakePlc:
    """Holds one image of 16-bit words for all tables and units; each request meets the next behaviour."""

    def __init__(self) -> None:
        self.words = [0] * 65536
        self.port = 0
        self.asked: list[Asked] = []
        self.connections = 0
        self.is_over = False
        """Whoever connected just before the end is hung up on, too."""
        self.held: list[bytes] = []
        """Replies kept back by `late`, sent with the next one."""
        self._script: deque[Behaviour] = deque()
        self._always: Behaviour = good
        self._writers: set[asyncio.StreamWriter] = set()
        self._news = asyncio.Condition()

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def script(self, *behaviours: Behaviour) -> None:
        """Meet the next requests so, one after the other, and those after them well."""
        self._script.extend(behaviours)

    def always(self, behaviour: Behaviour) -> None:
        """Meet every request so."""
        self._always = behaviour

    def push(self, raw: bytes) -> None:
        """Send bytes that nobody asked for, to everyone connected."""
        for writer in self._writers:
            writer.write(raw)

    def values(self, asked: Asked) -> bytes:
        words = self.words[asked.start : asked.start + asked.size]
        if asked.function not in _BIT_FUNCTIONS:
            return struct.pack(f">{asked.size}H", *words)
        number = sum(1 << place for place, word in enumerate(words) if word)
        return number.to_bytes((asked.size + 7) // 8, "little")

    def answer(self, asked: Asked) -> bytes:
        values = self.values(asked)
        return frame(asked.transaction, asked.unit, asked.function, bytes([len(values)]) + values)

    def hang_up(self) -> None:
        """Close every connection."""
        for writer in self._writers:
            writer.close()

    async def was_asked(self, times: int) -> None:
        """Wait until that many requests have come."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.asked) >= times)

    async def left(self) -> None:
        """Wait until nobody is connected."""
        async with self._news:
            await self._news.wait_for(lambda: not self._writers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        if self.is_over:
            writer.close()
        try:
            while True:
                head = await reader.readexactly(6)
                transaction, _, length = struct.unpack(">HHH", head)
                unit, function, start, size = struct.unpack(">BBHH", await reader.readexactly(length))
                asked = Asked(transaction, unit, function, start, size)
                self.asked.append(asked)
                await self._tell()
                behaviour = self._script.popleft() if self._script else self._always
                await behaviour(self, asked, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()
            await self._tell()

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()


@asynccontextmanager
async def fake_plc(security: ssl.SSLContext | None = None, port: int = 0) -> AsyncIterator[FakePlc]:
    """Run one on loopback, behind TLS where it is told how to prove itself."""
    plc = FakePlc()
    server = await asyncio.start_server(plc.serve, "127.0.0.1", port, ssl=security)
    plc.port = server.sockets[0].getsockname()[1]
    try:
        yield plc
    finally:
        plc.is_over = True
        server.close()
        plc.hang_up()
        await server.wait_closed()
        await plc.left()


async def good(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"".join(plc.held) + plc.answer(asked))
    plc.held.clear()


async def silent(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Answer nothing."""


async def late(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Answer together with the answer to the next request, before it."""
    plc.held.append(plc.answer(asked))


async def only_late(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Answer the request before this one instead of this one."""
    writer.write(b"".join(plc.held))
    plc.held.clear()


async def twice(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(plc.answer(asked) * 2)


async def in_pieces(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Answer byte by byte."""
    for byte in plc.answer(asked):
        writer.write(bytes([byte]))
        await asyncio.sleep(0)


async def close(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Hang up instead of answering."""
    writer.close()


async def reset(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Let the machine's network stack break the connection."""
    wire = writer.get_extra_info("socket")
    wire.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SOL_SOCKET, SO_LINGER: on, for no time at all
    writer.transport.abort()


async def truncated(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Begin an answer and never end it."""
    writer.write(plc.answer(asked)[:-1])


async def half_a_header(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(plc.answer(asked)[:3])


async def garbage(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


async def wrong_protocol(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
    answer = plc.answer(asked)
    writer.write(answer[:2] + b"\0\1" + answer[4:])


async def oversized(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(struct.pack(">HHHBB", asked.transaction, 0, 1000, asked.unit, asked.function) + bytes(998))


def misnumbered(transaction: Callable[[int], int]) -> Behaviour:
    """Answer rightly but for the transaction id."""

    async def answer(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(plc.answer(asked._replace(transaction=transaction(asked.transaction))))

    return answer


def altered(
    unit: Callable[[int], int] = lambda unit: unit,
    function: Callable[[int], int] = lambda function: function,
    size: Callable[[int], int] = lambda size: size,
) -> Behaviour:
    """Answer another request than the one that was asked."""

    async def answer(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(
            plc.answer(asked._replace(unit=unit(asked.unit), function=function(asked.function), size=size(asked.size)))
        )

    return answer


def miscounted(by: int) -> Behaviour:
    """Announce another number of bytes than the answer has."""

    async def answer(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
        values = plc.values(asked)
        writer.write(frame(asked.transaction, asked.unit, asked.function, bytes([len(values) + by]) + values))

    return answer


def exception(code: int, function: Callable[[int], int] = lambda function: function | 0x80) -> Behaviour:
    async def answer(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(frame(asked.transaction, asked.unit, function(asked.function), bytes([code])))

    return answer


def bare(function: int) -> Behaviour:
    """Answer with a function code and nothing behind it."""

    async def answer(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(frame(asked.transaction, asked.unit, function, b""))

    return answer
