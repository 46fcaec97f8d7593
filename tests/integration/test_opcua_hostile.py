"""Servers that break the protocol: each ends the link by name, in bounded time and memory."""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress

import pytest

from drivers.errors import LinkLost
from drivers.opcua import DRIVER
from drivers.opcua.frames import MAX_CHUNKS, MAX_MESSAGE
from drivers.opcua.settings import OpcUaDevice
from drivers.values import Seconds
from tests.integration.opcua_link import SCAN, Link, connected, node
from tests.integration.opcua_server import OpcUaServer, ServerSpec, Value, opcua_server

pytestmark = pytest.mark.real

SPEECH = struct.Struct("<3scIIIII")
"""Of a chunk without security: kind, mark, size; channel, token; sequence number, request id (OPC 10000-6, 6.7.2)."""
ACKNOWLEDGE = struct.Struct("<4sIIIIII")


@pytest.fixture(scope="module")
def server() -> Iterator[OpcUaServer]:
    with opcua_server(ServerSpec(nodes={"Speed": Value(3000.0)})) as running:
        yield running


class Turncoat:
    """Stands between a gateway and a real server, and at a word puts in a word of its own."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._gateway: asyncio.StreamWriter | None = None
        self._last = b""
        self.ended = asyncio.Event()

    async def join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._gateway = writer
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._port)
        there = asyncio.create_task(self._carry(reader, to_server))
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._carry_chunks(from_server, writer)
        writer.close()
        await asyncio.gather(there, return_exceptions=True)
        self.ended.set()

    async def say(self, words: bytes) -> None:
        """Put this in between two chunks of the server."""
        assert self._gateway is not None
        self._gateway.write(words)
        await self._gateway.drain()

    def chunk(self, mark: bytes = b"F", *, ahead: int = 1, channel: int = 0, body: bytes = b"") -> bytes:
        """Return a chunk that goes on where the server is, or so many sequence numbers ahead."""
        _, _, _, its_channel, token, sequence, request = SPEECH.unpack_from(self._last)
        size = SPEECH.size + len(body)
        return SPEECH.pack(b"MSG", mark, size, channel or its_channel, token, sequence + ahead, request) + body

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
        finally:
            writer.close()

    async def _carry_chunks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            header = await reader.readexactly(8)
            chunk = header + await reader.readexactly(int.from_bytes(header[4:], "little") - 8)
            if header.startswith(b"ACK"):
                chunk = chunk[:-8] + bytes(8)  # no limits for messages and chunks
            if header.startswith(b"MSG"):
                self._last = chunk
            writer.write(chunk)


@asynccontextmanager
async def betrayed(server: OpcUaServer) -> AsyncIterator[tuple[Turncoat, Link]]:
    turncoat = Turncoat(server.port)
    listener = await asyncio.start_server(turncoat.join, "127.0.0.1", 0)
    url = f"opc.tcp://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"
    try:
        # So slow that the server says nothing by itself while the test speaks for it.
        settings = OpcUaDevice(url=url, scan=Seconds(100 * SCAN), timeout=Seconds(60))
        async with connected(settings, node("Speed")) as link:
            yield turncoat, link
    finally:
        listener.close()
        async with asyncio.timeout(10):
            await turncoat.ended.wait()


Words = Callable[[Turncoat], bytes]


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (lambda _: bytes(100), "no OPC UA message"),
        (lambda _: b"GET / HTTP/1.1\r\n\r\n", "no OPC UA message"),
        (lambda _: b"MSGF" + (2 << 20).to_bytes(4, "little"), "a chunk of 2097152 bytes"),
        (lambda _: b"MSGF" + bytes(4), "a chunk of 0 bytes"),
        (lambda turncoat: turncoat.chunk(ahead=5), "broke the protocol"),
        (lambda turncoat: turncoat.chunk(ahead=0), "broke the protocol"),
        (lambda turncoat: turncoat.chunk(channel=4711), "broke the protocol"),
        (lambda turncoat: turncoat.chunk(body=b"an answer that nobody asked for"), "broke the protocol"),
        (lambda _: b"MSGF" + (12).to_bytes(4, "little") + bytes(4), "broke the protocol"),
        (lambda _: b"ACKF" + (12).to_bytes(4, "little") + bytes(4), "broke the protocol"),
        (lambda _: b"OPNF" + (64).to_bytes(4, "little") + b"\xff" * 56, "broke the protocol"),
        (lambda _: b"ERRF" + struct.pack("<III", 16, 0x80860000, 0xFFFFFFFF), "BadSecureChannelClosed"),
    ],
)
async def test_a_server_that_breaks_the_protocol_loses_the_link_at_once(
    server: OpcUaServer, words: Words, cause: str
) -> None:
    async with betrayed(server) as (turncoat, link):
        await turncoat.say(words(turncoat))
        assert cause in await link.lost(within=10)


@pytest.mark.parametrize(
    ("size", "cause", "most"),
    [(0, f"over {MAX_CHUNKS} chunks", 1 << 20), (65_000, f"over {MAX_MESSAGE} bytes", 40 << 20)],
)
async def test_a_message_without_end_is_cut_off(server: OpcUaServer, size: int, cause: str, most: int) -> None:
    async with betrayed(server) as (turncoat, link):
        sent, ahead, body = 0, 0, bytes(size)
        lost = asyncio.create_task(link.lost(within=30))
        while not lost.done() and sent <= most:
            words = b"".join(turncoat.chunk(b"C", ahead=ahead + each, body=body) for each in range(1, 17))
            ahead, sent = ahead + 16, sent + len(words)
            with suppress(ConnectionError):
                await turncoat.say(words)
            await asyncio.sleep(0)
        assert cause in await lost
        assert sent <= most


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def refusal(talk: Talk) -> LinkLost:
    """Connect to somebody who talks like this, and return what is said of it; it takes the timeout of 1 s at most."""
    ended = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readexactly(8)
            await talk(reader, writer)
            await ended.wait()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    connection = DRIVER.connect(OpcUaDevice(url=f"opc.tcp://127.0.0.1:{port}", timeout=Seconds(1)))
    try:
        async with asyncio.timeout(10):
            with pytest.raises(LinkLost) as caught:
                await connection.open()
    finally:
        ended.set()
        async with asyncio.timeout(10):
            await connection.close()
        listener.close()
        await asyncio.sleep(0)
    assert "\n" not in str(caught.value)
    return caught.value


def acknowledge(buffers: int = 65535) -> bytes:
    return ACKNOWLEDGE.pack(b"ACKF", ACKNOWLEDGE.size, 0, buffers, buffers, 0, 0)


async def test_a_server_that_says_hello_and_nothing_more_costs_the_timeout() -> None:
    async def be_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(acknowledge())

    assert (await refusal(be_silent)).kind == "timeout"


async def test_a_server_that_dribbles_its_hello_costs_the_timeout() -> None:
    async def dribble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in acknowledge()[:-1]:
            writer.write(bytes([byte]))
            await writer.drain()

    assert (await refusal(dribble)).kind == "timeout"


@pytest.mark.parametrize("buffers", [0, 1, 24, 25])
async def test_a_server_without_room_for_an_answer_is_given_up(buffers: int) -> None:
    async def be_small(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(acknowledge(buffers))

    assert (await refusal(be_small)).kind in {"timeout", "bad_reply"}


async def test_garbage_behind_the_hello_is_named() -> None:
    async def talk_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(acknowledge() + b"\xde\xad\xbe\xef" * 100)

    fault = await refusal(talk_nonsense)
    assert fault.kind == "connection_lost"
    assert "no OPC UA message" in str(fault)


async def test_a_channel_that_is_no_channel_is_named() -> None:
    async def open_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(acknowledge() + b"OPNF" + (64).to_bytes(4, "little") + b"\xff" * 56)

    fault = await refusal(open_nonsense)
    assert fault.kind == "connection_lost"
    assert "broke the protocol" in str(fault)
