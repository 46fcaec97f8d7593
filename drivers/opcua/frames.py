"""Stands between the socket and the library: bounds what a server may send, and notes when it was heard.

The library takes a message of any size, and takes over as its own the limits that a server names.
"""

import asyncio
from collections.abc import Callable

MAX_CHUNK = 1 << 20
MAX_MESSAGE = 32 << 20
"""Bytes; 10,000 texts of 1,000 characters fit several times."""

_HEADER = 8


class TooLarge(ValueError):
    """A chunk or message that is longer than any that is asked for."""


class FrameMeter:
    """Follows the chunks of a stream by their headers (OPC 10000-6, 7.1.2.2). Pure."""

    __slots__ = ("_header", "_left", "_message")

    def __init__(self) -> None:
        self._header = b""
        self._left = 0
        self._message = 0

    def feed(self, data: bytes) -> None:
        """Go through the next bytes. Raises TooLarge."""
        at, end = 0, len(data)
        while at < end:
            if self._left:
                step = min(self._left, end - at)
                self._left -= step
                at += step
                continue
            step = min(_HEADER - len(self._header), end - at)
            self._header += data[at : at + step]
            at += step
            if len(self._header) == _HEADER:
                self._begin_chunk()

    def _begin_chunk(self) -> None:
        size = int.from_bytes(self._header[4:8], "little")
        if not _HEADER <= size <= MAX_CHUNK:
            raise TooLarge(f"a chunk of {size} bytes")
        self._message += size
        if not self._message <= MAX_MESSAGE:
            raise TooLarge(f"a message of over {MAX_MESSAGE} bytes")
        if self._header[3:4] != b"C":
            self._message = 0
        self._left = size - _HEADER
        self._header = b""


class FrameGuard(asyncio.Protocol):
    """The protocol that the transport sees; what passes goes on to the library's."""

    def __init__(self, transport: asyncio.Transport, library: asyncio.Protocol, now: Callable[[], float]) -> None:
        """Take the library's place at its transport. `now` is the loop's clock."""
        self._transport = transport
        self._library = library
        self._now = now
        self._meter = FrameMeter()
        self.heard = now()
        """When the server last sent anything."""
        self.ended = asyncio.Event()
        """Set once the connection is gone."""
        self.cause = "the server closed the connection"
        transport.set_protocol(self)

    def data_received(self, data: bytes) -> None:
        self.heard = self._now()
        try:
            self._meter.feed(data)
        except TooLarge as error:
            self.cause = f"the server sent {error}"
            self._transport.abort()
            return
        self._library.data_received(data)

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
