"""A server of few connections at once: each has a deadline, so that a slow client cannot hold its place.

Every request has a thread of its own, and none of it ever runs on the event loop.
"""

import errno
import logging
import socket
import ssl
import time
from contextlib import suppress
from http.server import HTTPServer
from socketserver import BaseRequestHandler, TCPServer
from threading import Lock, Thread
from typing import Any

MAX_CONNECTIONS = 8
"""Served at once; one more is closed at once. Two Prometheus servers and a person need four."""
DEADLINE = 10.0
"""Seconds for a whole request and its answer, however slowly the client trickles."""
_FULL = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

_log = logging.getLogger("plantgate.http")


class BoundedServer(HTTPServer):
    """Accepts in one thread and answers in at most `max_connections` others."""

    request_queue_size = 16

    def __init__(
        self,
        address: tuple[str, int],
        handler: type[BaseRequestHandler],
        tls: ssl.SSLContext | None,
        max_connections: int = MAX_CONNECTIONS,
        deadline: float = DEADLINE,
    ) -> None:
        """Bind and listen. Raises OSError."""
        self.refused = 0
        """Connections closed at once because as many as allowed were open."""
        self._tls = tls
        self._max_connections = max_connections
        self._deadline = deadline
        self._lock = Lock()
        self._open: dict[socket.socket, tuple[Thread, float]] = {}
        family, _, _, _, where = socket.getaddrinfo(*address, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        self.address_family = family
        super().__init__((str(where[0]), int(where[1])), handler)

    def server_bind(self) -> None:
        # HTTPServer would ask the name service for our name here, and wait for it.
        TCPServer.server_bind(self)
        host, port = self.server_address[:2]
        self.server_name, self.server_port = str(host), int(port)

    def get_request(self) -> tuple[socket.socket, Any]:
        try:
            request, client = self.socket.accept()
        except OSError as error:
            if error.errno in _FULL:
                time.sleep(0.1)  # the connection stays at the door: without a pause this thread would spin
            raise
        if self._tls is not None:
            # The handshake waits for the client, and so belongs into the request's own thread.
            try:
                request = self._tls.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
            except OSError:
                request.close()
                raise
        return request, client

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  (as the base class has it)
        thread = Thread(target=self._process, args=(request, client_address), name="http request", daemon=True)
        with self._lock:
            full = len(self._open) >= self._max_connections
            if not full:
                self._open[request] = thread, time.monotonic() + self._deadline
        if full:
            self.refused += 1
            self.shutdown_request(request)
        else:
            self._begin(thread, request)

    def _begin(self, thread: Thread, request: Any) -> None:  # noqa: ANN401  (as the base class has it)
        try:
            thread.start()
        except RuntimeError:  # the system grants no more threads
            with self._lock:
                del self._open[request]
            self.refused += 1
            self.shutdown_request(request)

    def _process(self, request: socket.socket, client_address: tuple[Any, ...]) -> None:
        client = client_address[0]
        try:
            self.finish_request(request, client_address)
        except OSError as error:
            _log.debug("http_connection_lost", extra={"client": client, "why": str(error)})
        except Exception as error:  # noqa: BLE001  (a client's connection must not end the server)
            _log.error("http_request_failed", extra={"client": client}, exc_info=error)
        finally:
            self.shutdown_request(request)
            with self._lock:
                del self._open[request]

    def service_actions(self) -> None:
        """Cut the connections that are past their deadline; called again and again while serving."""
        self._cut(time.monotonic())

    def wake(self) -> None:
        """Have `serve_forever` look up from waiting for clients; none is accepted any more."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Stop listening and end what is still open; the threads are gone afterwards."""
        self.server_close()
        for thread in self._cut(float("inf")):
            thread.join(timeout=5.0)

    def _cut(self, now: float) -> list[Thread]:
        with self._lock:
            over = [(request, thread) for request, (thread, deadline) in self._open.items() if not now <= deadline]
            for request, _ in over:
                with suppress(OSError):
                    # Not SSLSocket.shutdown, which takes the TLS away from under the thread that reads.
                    socket.socket.shutdown(request, socket.SHUT_RDWR)
        return [thread for _, thread in over]
