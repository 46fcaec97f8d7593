"""The HTTP server of /metrics, /healthz and /readyz, in threads of its own. It reads, and changes nothing."""

import logging
import ssl
from base64 import b64encode
from collections.abc import Mapping
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from threading import Thread
from types import TracebackType
from typing import Self

from gateway.errors import ServiceError
from gateway.observability.connections import DEADLINE, MAX_CONNECTIONS, BoundedServer
from gateway.observability.page import Answer, Page, line
from gateway.observability.settings import HttpSettings

POLL = 0.5
"""Seconds between two looks at the deadlines."""
IDLE = 5.0
"""Seconds that a client may say nothing, or take nothing."""

_log = logging.getLogger("plantgate.http")


class HttpServer:
    """Serves pages by their path from `start` to `stop`, or as a context manager."""

    def __init__(
        self,
        settings: HttpSettings,
        pages: Mapping[str, Page],
        max_connections: int = MAX_CONNECTIONS,
        deadline: float = DEADLINE,
    ) -> None:
        """Pages by path, `/metrics`. Deadline: seconds for a whole request and its answer."""
        self._settings = settings
        self._pages = dict(pages)
        self._max_connections = max_connections
        self._deadline = deadline
        self._server: BoundedServer | None = None
        self._thread: Thread | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it really listens at, once started."""
        assert self._server is not None, "not started"
        host, port = self._server.server_address[:2]
        return str(host), int(port)

    def start(self) -> None:
        """Listen and serve. Raises ServiceError: the address or the certificate is not to be had."""
        tls = _load_tls(self._settings)
        handler = type("Handler", (_Handler,), {"pages": self._pages, "token": _token(self._settings)})
        try:
            server = BoundedServer(self._settings.address, handler, tls, self._max_connections, self._deadline)
        except (OSError, UnicodeError) as error:  # a name that no name service takes is a UnicodeError
            why = getattr(error, "strerror", None) or str(error)
            raise ServiceError(
                f"http.listen: cannot serve at {self._settings.listen}: {why}; "
                "stop what uses the address, or give another HOST:PORT"
            ) from error
        self._server = server
        self._thread = Thread(target=server.serve_forever, args=(POLL,), name="http", daemon=True)
        self._thread.start()
        host, port = self.address
        _log.info("http_listening", extra={"host": host, "port": port, "tls": tls is not None})
        if not _is_loopback(host) and (tls is None or self._settings.password is None):
            _log.warning("http_exposed", extra={"host": host, "hint": "give http.certificate and http.password"})

    def stop(self) -> None:
        """Stop listening, end open connections and join the threads; takes a few milliseconds."""
        server, thread, self._server, self._thread = self._server, self._thread, None, None
        if server is not None and thread is not None:
            server.wake()
            server.shutdown()
            thread.join()
            server.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


class _Handler(BaseHTTPRequestHandler):
    """One request a connection; each server has a subclass with pages and token."""

    pages: Mapping[str, Page]
    token: bytes | None
    timeout = IDLE

    def do_GET(self) -> None:
        self._send(self._answer())

    def do_HEAD(self) -> None:
        self._send(self._answer())

    def _answer(self) -> Answer:
        if not self._is_authorized():
            return line(401, "401: a user name and a password are needed")
        path = self.path.partition("?")[0]
        if path == "/":
            return line(200, f"plantgate: {' '.join(self.pages)}")
        page = self.pages.get(path)
        if page is None:
            return line(404, f"404: there is {', '.join(self.pages)}")
        try:
            return page(self.headers.get("Accept", ""))
        except Exception as error:  # noqa: BLE001  (one broken page must not take the others with it)
            _log.error("http_page_failed", extra={"path": path}, exc_info=error)
            return line(500, "500: the page could not be made; the log says why")

    def _is_authorized(self) -> bool:
        if self.token is None:
            return True
        scheme, _, given = self.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "basic" and compare_digest(given.strip().encode("latin-1", "replace"), self.token)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        if answer.status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="plantgate", charset="UTF-8"')
        if answer.status == 405:
            self.send_header("Allow", "GET, HEAD")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002  (the base class's)
        """Answer what is no request of ours in one plain line; the base class would send a page of HTML."""
        if code == 501:
            code, message = 405, "only GET and HEAD are served"
        self.close_connection = True
        self._send(line(code, f"{code}: {message or 'bad request'}"))

    def version_string(self) -> str:
        return "plantgate"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class's name)
        """Say nothing: a line a scrape would drown the log."""


def _token(settings: HttpSettings) -> bytes | None:
    if settings.password is None:
        return None
    return b64encode(f"{settings.username}:{settings.password}".encode())


def _load_tls(settings: HttpSettings) -> ssl.SSLContext | None:
    if settings.certificate is None or settings.private_key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # An encrypted key would ask for its passphrase on the terminal: answer it with none.
        context.load_cert_chain(settings.certificate, settings.private_key, password="")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ServiceError(
            f"http.certificate: cannot use {settings.certificate} with {settings.private_key}: {why}"
        ) from error
    return context


def _is_loopback(host: str) -> bool:
    return ip_address(host.partition("%")[0]).is_loopback
