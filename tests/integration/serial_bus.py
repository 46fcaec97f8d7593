"""A bus of Modbus RTU units on a pseudo terminal, or behind a serial server; it knows nothing of the driver."""

import asyncio
import os
import struct
import tty
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple, TypeAlias

_BIT_FUNCTIONS = (1, 2)
_REQUEST = 8
"""Bytes of any request to read."""


class Asked(NamedTuple):
    """One request, as it came."""

    unit: int
    function: int
    start: int
    size: int
    """How many registers, or bits."""
    raw: bytes
    at: float
    """The loop's time."""


Behaviour: TypeAlias = Callable[["SerialBus", Asked], Awaitable[None]]


def crc(raw: bytes) -> bytes:
    """As Modbus over Serial Line V1.02, 6.2.2 describes it, bit by bit."""
    register = 0xFFFF
    for byte in raw:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ 0xA001 if register & 1 else register >> 1
    return register.to_bytes(2, "little")


def frame(unit: int, function: int, data: bytes) -> bytes:
    raw = bytes([unit, function]) + data
    return raw + crc(raw)


class SerialBus:
    """Holds one image of 16-bit words for all tables and units; each request meets the next behaviour."""

    def __init__(self) -> None:
        self.url = self.path = ""
        self.units = {1, 2}
        """Others are not there."""
        self.words = [0] * 65536
        self.asked: list[Asked] = []
        self.held: list[bytes] = []
        """Answers kept back by `late`, until somebody releases them."""
        self.connections = 0
        self.send: Callable[[bytes], None] = lambda _: None
        self.hang_up: Callable[[], None] = lambda: None
        self.stop_listening: Callable[[], None] = lambda: None
        self._always: Behaviour = good
        self._script: deque[Behaviour] = deque()
        self._received = b""
        self._news = asyncio.Condition()
        self._answering: set[asyncio.Task[None]] = set()

    def script(self, *behaviours: Behaviour) -> None:
        """Meet the next requests so, one after the other, and those after them well."""
        self._script.extend(behaviours)

    def always(self, behaviour: Behaviour) -> None:
        """Meet every request so."""
        self._always = behaviour

    def release(self) -> None:
        """Send what was kept back."""
        self.send(b"".join(self.held))
        self.held.clear()

    def values(self, asked: Asked) -> bytes:
        words = self.words[asked.start : asked.start + asked.size]
        if asked.function not in _BIT_FUNCTIONS:
            return struct.pack(f">{asked.size}H", *words)
        number = sum(1 << place for place, word in enumerate(words) if word)
        return number.to_bytes((asked.size + 7) // 8, "little")

    def answer(self, asked: Asked) -> bytes:
        values = self.values(asked)
        return frame(asked.unit, asked.function, bytes([len(values)]) + values)

    async def was_asked(self, times: int) -> None:
        """Wait until that many requests have come."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.asked) >= times)

    def receive(self, data: bytes) -> None:
        """Take in what the driver sent."""
        self._received += data
        while len(self._received) >= _REQUEST:
            raw, self._received = self._received[:_REQUEST], self._received[_REQUEST:]
            assert crc(raw[:-2]) == raw[-2:], raw.hex()
            unit, function, start, size = struct.unpack(">BBHH", raw[:-2])
            asked = Asked(unit, function, start, size, raw, asyncio.get_running_loop().time())
            self.asked.append(asked)
            behaviour = self._script.popleft() if self._script else self._always
            answering = asyncio.create_task(self._meet(behaviour, asked))
            self._answering.add(answering)
            answering.add_done_callback(self._answering.discard)

    async def ended(self) -> None:
        """Wait until nothing is being answered."""
        await asyncio.gather(*self._answering)

    async def _meet(self, behaviour: Behaviour, asked: Asked) -> None:
        async with self._news:
            self._news.notify_all()
        if asked.unit in self.units:
            await behaviour(self, asked)


@asynccontextmanager
async def serial_bus(line: str = "baudrate=115200&parity=N&stopbits=1") -> AsyncIterator[SerialBus]:
    """Put a bus at the far end of a pseudo terminal."""
    bus = SerialBus()
    loop = asyncio.get_running_loop()
    here, there = os.openpty()  # `there` stays open, so that the driver may close and open its port
    tty.setraw(there)
    bus.path = os.ttyname(there)
    bus.url = f"rtu://{bus.path}?{line}"
    open_files = [here, there]

    def hang_up() -> None:
        if open_files:
            loop.remove_reader(here)
            for file in open_files:
                os.close(file)
            open_files.clear()

    bus.send = lambda raw: None if not open_files else _discard(os.write(here, raw))
    bus.hang_up = hang_up
    bus.stop_listening = lambda: _discard(loop.remove_reader(here))
    loop.add_reader(here, lambda: bus.receive(os.read(here, 4096)))
    try:
        yield bus
    finally:
        await bus.ended()
        hang_up()


@asynccontextmanager
async def serial_server(port: int = 0) -> AsyncIterator[SerialBus]:
    """Put a bus behind a port of loopback that carries its frames as they are."""
    bus = SerialBus()
    wires: set[asyncio.StreamWriter] = set()
    nobody = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bus.connections += 1
        nobody.clear()
        wires.add(writer)
        with suppress(ConnectionError):
            while data := await reader.read(4096):
                bus.receive(data)
        wires.discard(writer)
        writer.close()
        if not wires:
            nobody.set()

    def send(raw: bytes) -> None:
        for wire in wires:
            wire.write(raw)

    def hang_up() -> None:
        for wire in wires:
            wire.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    bus.url = f"rtu+tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    bus.send, bus.hang_up = send, hang_up
    try:
        yield bus
    finally:
        await bus.ended()
        server.close()
        bus.hang_up()
        await server.wait_closed()
        if bus.connections:
            await nobody.wait()


@asynccontextmanager
async def null_modem() -> AsyncIterator[tuple[str, str]]:
    """Join two pseudo terminals; gives the path of each."""
    loop = asyncio.get_running_loop()
    ends = [os.openpty() for _ in range(2)]
    for _, port in ends:
        tty.setraw(port)
    (left, left_port), (right, right_port) = ends
    for file, other in ((left, right), (right, left)):
        loop.add_reader(file, lambda file=file, other=other: _discard(os.write(other, os.read(file, 4096))))  # type: ignore[misc]  # lambda with defaults
    try:
        yield os.ttyname(left_port), os.ttyname(right_port)
    finally:
        for file in (left, right):
            loop.remove_reader(file)
        for file in (left, right, left_port, right_port):
            os.close(file)


def _discard(_: object) -> None:
    """Forget a result."""


async def good(bus: SerialBus, asked: Asked) -> None:
    bus.send(bus.answer(asked))
