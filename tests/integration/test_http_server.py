"""The HTTP server on loopback, asked by real clients: good ones, slow ones, many and strange ones."""

import http.client
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from drivers.values import Secret
from gateway.errors import ServiceError
from gateway.observability.http import HttpServer
from gateway.observability.page import Answer, Page, line
from gateway.observability.settings import HttpSettings

pytestmark = pytest.mark.real


def ok(_: str) -> Answer:
    return line(200, "ok")


def late(_: str) -> Answer:
    return line(503, "late")


def echo(accept: str) -> Answer:
    return line(200, accept)


def broken(_: str) -> Answer:
    raise KeyError("boiler")


PAGES: dict[str, Page] = {"/healthz": ok, "/late": late, "/echo": echo, "/broken": broken}
ANYWHERE = HttpSettings(listen="127.0.0.1:0")


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer(ANYWHERE, PAGES) as server:
        yield server


def ask(server: HttpServer, method: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(*server.address, timeout=10)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def speak(server: HttpServer, request: bytes) -> bytes:
    with socket.create_connection(server.address, timeout=10) as client:
        client.sendall(request)
        return b"".join(iter(lambda: client.recv(65536), b""))


def wait_until_refused(server: HttpServer) -> None:
    """Return once a connection is closed without an answer, as when all places are taken."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if not speak(server, b"GET /healthz HTTP/1.0\r\n\r\n"):
                return
        except ConnectionError:
            return
    pytest.fail("every connection was served")


def test_a_page_is_served_with_its_status_and_type(server: HttpServer) -> None:
    status, headers, body = ask(server, "GET", "/healthz")
    assert (status, body) == (200, b"ok\n")
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Server"] == "plantgate"
    assert ask(server, "GET", "/late")[0] == 503


def test_the_port_that_was_really_taken_can_be_read(server: HttpServer) -> None:
    host, port = server.address
    assert host == "127.0.0.1"
    assert port > 0


def test_the_index_is_one_line_that_names_the_pages(server: HttpServer) -> None:
    assert ask(server, "GET", "/")[2] == b"plantgate: /healthz /late /echo /broken\n"


def test_a_query_belongs_to_the_page(server: HttpServer) -> None:
    assert ask(server, "GET", "/healthz?verbose=1")[0] == 200


def test_the_page_is_told_what_the_client_accepts(server: HttpServer) -> None:
    assert ask(server, "GET", "/echo", Accept="text/plain;version=0.0.4")[2] == b"text/plain;version=0.0.4\n"


def test_head_has_the_headers_of_get_and_no_body(server: HttpServer) -> None:
    status, headers, body = ask(server, "HEAD", "/healthz")
    assert (status, body) == (200, b"")
    assert headers["Content-Length"] == "3"


def test_an_unknown_path_is_answered_with_what_there_is(server: HttpServer) -> None:
    status, _, body = ask(server, "GET", "/../etc/passwd")
    assert status == 404
    assert body == b"404: there is /healthz, /late, /echo, /broken\n"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_only_get_and_head_are_served(server: HttpServer, method: str) -> None:
    answer = speak(server, f"{method} /healthz HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.0 405 ")
    assert b"\r\nAllow: GET, HEAD\r\n" in answer


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\n\r\n",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_request_gets_one_plain_line_and_no_page_of_html(server: HttpServer, request_: bytes) -> None:
    answer = b""
    with suppress(ConnectionResetError):  # what it sent beyond our limits was never read
        answer = speak(server, request_)
    assert b"<" not in answer
    assert ask(server, "GET", "/healthz")[0] == 200


def test_a_page_that_fails_is_a_500_and_a_line_in_the_log(server: HttpServer, caplog: pytest.LogCaptureFixture) -> None:
    status, _, body = ask(server, "GET", "/broken")
    assert status == 500
    assert b"KeyError" not in body
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == ["http_page_failed"]
    assert ask(server, "GET", "/healthz")[0] == 200


def test_a_password_is_asked_for_on_every_path() -> None:
    settings = HttpSettings(listen="127.0.0.1:0", username="prometheus", password=Secret("grün"))
    with HttpServer(settings, PAGES) as server:
        for path in ("/", "/healthz", "/nothing"):
            status, headers, _ = ask(server, "GET", path)
            assert status == 401
            assert headers["WWW-Authenticate"].startswith("Basic ")
        for given in ("prometheus:gruen", "prometheus:", "other:grün", ":grün"):
            assert ask(server, "GET", "/healthz", Authorization=basic(given))[0] == 401
        for header in ("Basic", "Basic ÿÿ", "Bearer " + basic("prometheus:grün").split()[1]):
            assert ask(server, "GET", "/healthz", Authorization=header)[0] == 401
        assert ask(server, "GET", "/healthz", Authorization=basic("prometheus:grün"))[0] == 200


def basic(text: str) -> str:
    return f"Basic {b64encode(text.encode()).decode()}"


def test_a_client_that_says_nothing_or_trickles_is_cut_off_at_the_deadline() -> None:
    with HttpServer(ANYWHERE, PAGES, deadline=0.5) as server, ExitStack() as clients:
        silent = clients.enter_context(socket.create_connection(server.address, timeout=10))
        trickling = clients.enter_context(socket.create_connection(server.address, timeout=10))
        begun = time.monotonic()
        trickling.sendall(b"GET /healthz HTTP/1.1\r\nX-")
        while time.monotonic() - begun < 5:
            try:
                trickling.sendall(b"y")
            except ConnectionError:
                break
            time.sleep(0.05)  # this client's own slowness
        assert time.monotonic() - begun < 5
        assert silent.recv(100) == b""


def test_slow_clients_take_no_more_than_their_places_and_give_them_back() -> None:
    with HttpServer(ANYWHERE, PAGES, max_connections=3, deadline=1.0) as server, ExitStack() as clients:
        for _ in range(3):
            clients.enter_context(socket.create_connection(server.address))
        wait_until_refused(server)
        deadline = time.monotonic() + 10
        while not served(server):
            assert time.monotonic() < deadline, "the slow clients kept their places"


def served(server: HttpServer) -> bool:
    try:
        return speak(server, b"GET /healthz HTTP/1.0\r\n\r\n").endswith(b"ok\n")
    except ConnectionError:
        return False


def test_a_slow_page_does_not_hold_up_the_others() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(_: str) -> Answer:
        begun.set()
        go_on.wait(10)
        return line(200, "at last")

    with HttpServer(ANYWHERE, {**PAGES, "/slow": slow}) as server:
        answers: list[bytes] = []
        asking = threading.Thread(target=lambda: answers.append(ask(server, "GET", "/slow")[2]))
        asking.start()
        assert begun.wait(10)
        assert ask(server, "GET", "/healthz")[0] == 200
        go_on.set()
        asking.join(10)
        assert answers == [b"at last\n"]


def test_a_taken_port_is_one_line_that_names_the_address_and_the_key(server: HttpServer) -> None:
    host, port = server.address
    with pytest.raises(ServiceError) as refusal:
        HttpServer(HttpSettings(listen=f"{host}:{port}"), PAGES).start()
    assert str(refusal.value) == (
        f"http.listen: cannot serve at 127.0.0.1:{port}: Address already in use; "
        "stop what uses the address, or give another HOST:PORT"
    )


@pytest.mark.parametrize("listen", ["192.0.2.1:0", "no..host:0"])
def test_an_address_that_is_not_ours_is_one_line(listen: str) -> None:
    with pytest.raises(ServiceError, match=rf"^http\.listen: cannot serve at {listen}: [^\n]+$"):
        HttpServer(HttpSettings(listen=listen), PAGES).start()


def test_ipv6_is_served_too() -> None:
    with HttpServer(HttpSettings(listen="[::1]:0"), PAGES) as server:
        assert server.address[0] == "::1"
        assert ask(server, "GET", "/healthz")[0] == 200


def test_beyond_loopback_without_tls_and_password_is_said_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with HttpServer(HttpSettings(listen="0.0.0.0:0"), PAGES):
        assert "http_exposed" in [record.getMessage() for record in caplog.records]
    caplog.clear()
    with HttpServer(ANYWHERE, PAGES):
        assert "http_exposed" not in [record.getMessage() for record in caplog.records]


def test_stopping_leaves_no_thread_and_frees_the_port_although_a_client_hangs_on() -> None:
    before = set(threading.enumerate())
    server = HttpServer(ANYWHERE, PAGES)
    server.start()
    address = server.address
    with socket.create_connection(address, timeout=10) as hanging:
        hanging.sendall(b"GET /healthz")
        assert ask(server, "GET", "/healthz")[0] == 200
        begun = time.monotonic()
        server.stop()
        assert time.monotonic() - begun < 2
        assert set(threading.enumerate()) == before
        with HttpServer(HttpSettings(listen=f"{address[0]}:{address[1]}"), PAGES) as again:
            assert ask(again, "GET", "/healthz")[0] == 200


def test_stopping_twice_or_without_a_start_does_nothing() -> None:
    server = HttpServer(ANYWHERE, PAGES)
    server.stop()
    server.start()
    server.stop()
    server.stop()
