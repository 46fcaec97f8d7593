"""The socket to the broker: paho drives it for the session, the link writes its publishes beside paho.

Everything that leaves goes through one buffer, so packets never mix; PUBACKs that come in are taken out
before paho sees them, because paho spends 30 us on each.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence

from gateway.northbound.packets import Ack, AckSieve

CONNECT_TIMEOUT = 5.0
"""Seconds for the TCP connection, and again for the TLS handshake."""

_READ_SIZE = 65_536
_NOT_NOW = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def open_socket(host: str, port: int, context: ssl.SSLContext | None) -> socket.socket:
    """Connect and shake hands; blocks, so it belongs into a thread. Raises OSError."""
    plain = socket.create_connection((host, port), timeout=CONNECT_TIMEOUT)
    try:
        # Without it a publish waits for the delayed acknowledgement of the one before: 40 ms.
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return plain if context is None else context.wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise


class Wire:
    """What paho takes for its socket. Used from the event loop's thread alone once it is open."""

    def __init__(self, connected: socket.socket, acknowledged: Callable[[Sequence[Ack]], None]) -> None:
        """`acknowledged` is called with the PUBACKs of one read, in their order; it must not raise."""
        connected.settimeout(0)
        self._socket = connected
        self._loop = asyncio.get_running_loop()
        self._acknowledged = acknowledged
        self._sieve = AckSieve()
        self._inbox = bytearray()
        self._outbox = bytearray()
        self._broken = ""
        self.fault: OSError | None = None
        """What the socket said when it failed."""

    def recv(self, size: int) -> bytes:
        """Return at most so many bytes for paho. Raises BlockingIOError when there are none at the moment."""
        if not self._inbox:
            data = self._read()
            if not data:
                return b""
            acks, rest = self._sieve.sift(data)
            self._inbox += rest
            if acks:
                self._acknowledged(acks)
            if not self._inbox:
                raise BlockingIOError
        piece = bytes(self._inbox[:size])
        del self._inbox[:size]
        return piece

    def pending(self) -> int:
        """Return how many bytes are here that the selector does not know of."""
        inside = self._socket.pending() if isinstance(self._socket, ssl.SSLSocket) else 0
        return len(self._inbox) + inside

    def send(self, data: bytes | bytearray) -> int:
        """Take all of it, at once or as soon as the socket lets us."""
        if self._outbox:
            self._outbox += data
        else:
            sent = self._write(data)
            if sent < len(data):
                self._outbox += data[sent:]
                self._loop.add_writer(self._socket.fileno(), self._flush)
        return len(data)

    def break_off(self, reason: str) -> None:
        """Fail the next read with the reason, as if the connection had been lost."""
        self._broken = reason
        self._inbox.clear()

    def fileno(self) -> int:
        """Return the descriptor, -1 once closed."""
        return self._socket.fileno()

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001  (as sockets have it)
        """Refuse to block, whatever paho says."""

    def close(self) -> None:
        """Let go of the socket; what it would not take by now is lost."""
        if self._outbox:
            self._loop.remove_writer(self._socket.fileno())
            self._outbox.clear()
        self._socket.close()

    def _read(self) -> bytes:
        if self._broken:
            raise ConnectionAbortedError(self._broken)
        try:
            return self._socket.recv(_READ_SIZE)
        except _NOT_NOW:
            raise BlockingIOError from None
        except OSError as fault:
            self.fault = fault
            raise

    def _write(self, data: bytes | bytearray) -> int:
        try:
            return self._socket.send(data)
        except _NOT_NOW:
            return 0
        except OSError as fault:
            # The reader meets the same end and tells paho; nothing more can be sent until then.
            self.fault = fault
            return len(data)

    def _flush(self) -> None:
        del self._outbox[: self._write(self._outbox)]
        if not self._outbox:
            self._loop.remove_writer(self._socket.fileno())
