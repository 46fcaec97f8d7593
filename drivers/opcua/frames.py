"""Stands between the socket and the library: bounds what a server may send, and notes when it was heard.

The library takes a message of any size and of any number of chunks, takes over as its own the limits that a server
names, copies what it has of a chunk at each piece that comes, and does not say why it closed a connection.
"""

import asyncio
from collections.abc import Callable

from asyncua import ua

MAX_CHUNK = 1 << 20
MAX_MESSAGE = 32 << 20
"""Bytes; 10,000 texts of 1,000 characters fit several times."""
MAX_CHUNKS = 4096
"""Of one message: as many as MAX_MESSAGE has of the smallest buffers that are allowed, 8 KiB (OPC 10000-6, 7.1.2.3)."""

_HEADER = 8
_KINDS = frozenset((b"ACK", b"ERR", b"OPN", b"MSG", b"CLO"))


class BadFrame(ValueError):
    """A chunk or message that no server sends, or longer than any that is asked for."""


class FrameCutter:
    """Cuts a stream into whole chunks by their headers (OPC 10000-6, 7.1.2.2). Pure."""

    __slots__ = ("_chunks", "_header", "_held", "_left", "_message")

    def __init__(self) -> None:
        self._held = bytearray()
        """The beginning of a chunk whose end has not come."""
        self._header = b""
        self._left = 0
        self._message = 0
        self._chunks = 0

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes in; return what has become whole chunks, perhaps nothing. Raises BadFrame."""
        at, whole, end = 0, 0, len(data)
        while at < end:
            if self._left:
                step = min(self._left, end - at)
                self._left -= step
            else:
                step = min(_HEADER - len(self._header), end - at)
                self._header += data[at : at + step]
                if len(self._header) == _HEADER:
                    self._begin_chunk()
            at += step
            if not self._left and not self._header:
                whole = at
        return self._cut(data, whole)

    def _cut(self, data: bytes, whole: int) -> bytes:
        if not whole:
            self._held += data
            return b""
        ready = data[:whole]
        if self._held:
            ready = bytes(self._held) + ready
            self._held = bytearray()
        self._held += data[whole:]
        return ready

    def _begin_chunk(self) -> None:
        kind, mark, size = self._header[:3], self._header[3:4], int.from_bytes(self._header[4:8], "little")
        if kind not in _KINDS or mark not in {b"F", b"C", b"A"}:
            raise BadFrame("what is no OPC UA message")
        if not _HEADER <= size <= MAX_CHUNK:
            raise BadFrame(f"a chunk of {size} bytes")
        self._message += size
        self._chunks += 1
        if not self._message <= MAX_MESSAGE:
            raise BadFrame(f"a message of over {MAX_MESSAGE} bytes")
        if not self._chunks <= MAX_CHUNKS:
            raise BadFrame(f"a message of over {MAX_CHUNKS} chunks")
        if mark != b"C":
            self._message = self._chunks = 0
        self._left = size - _HEADER
        self._header = b""


class FrameGuard(asyncio.Protocol):
    """The protocol that the transport sees; what passes goes on to the library's."""

    def __init__(self, transport: asyncio.Transport, library: asyncio.Protocol, now: Callable[[], float]) -> None:
        """Take the library's place at its transport. `now` is the loop's clock."""
        self._transport = transport
        self._library = library
        self._now = now
        self._cutter = FrameCutter()
        self.heard = now()
        """When the server last sent anything."""
        self.ended = asyncio.Event()
        """Set once the connection is gone."""
        self.cause = "the server closed the connection"
        transport.set_protocol(self)

    def data_received(self, data: bytes) -> None:
        self.heard = self._now()
        try:
            chunks = self._cutter.feed(data)
        except BadFrame as error:
            self._give_up(f"the server sent {error}")
            return
        if not chunks:
            return
        closing = self._transport.is_closing()
        self._library.data_received(chunks)
        if self._transport.is_closing() and not closing:
            self._give_up(_last_words(chunks) or "the server broke the protocol")

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            self.cause = f"the connection broke: {getattr(exc, 'strerror', None) or exc}"
        self.ended.set()
        self._library.connection_lost(exc)

    def eof_received(self) -> None:
        self._library.eof_received()

    def pause_writing(self) -> None:
        self._library.pause_writing()

    def resume_writing(self) -> None:
        self._library.resume_writing()

    def _give_up(self, cause: str) -> None:
        self.cause = cause
        # Closing it, as the library does, would wait for the server to take what is still to be sent.
        self._transport.abort()


def _last_words(chunks: bytes) -> str:
    """Return what an error message at the end of these says, empty where there is none (OPC 10000-6, 7.1.2.5)."""
    if chunks[:4] != b"ERRF":
        return ""
    status = ua.StatusCode(ua.UInt32(int.from_bytes(chunks[8:12], "little")))
    return f"the server ended the connection: {status.name}"
