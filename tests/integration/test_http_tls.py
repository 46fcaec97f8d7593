"""The HTTP server behind TLS, with a certificate made for the test."""

import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.errors import ServiceError
from gateway.observability.http import HttpServer
from gateway.observability.page import line
from gateway.observability.settings import HttpSettings

pytestmark = pytest.mark.real

PAGES = {"/healthz": lambda _: line(200, "ok")}
REQUEST = b"GET /healthz HTTP/1.0\r\n\r\n"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Certificate and key of `localhost`, self-signed."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "server.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    write_key(folder / "server.key", key, serialization.NoEncryption())
    write_key(folder / "encrypted.key", key, serialization.BestAvailableEncryption(b"secret"))
    write_key(folder / "other.key", ec.generate_private_key(ec.SECP256R1()), serialization.NoEncryption())
    return folder / "server.pem", folder / "server.key"


def write_key(
    path: Path, key: ec.EllipticCurvePrivateKey, encryption: serialization.KeySerializationEncryption
) -> None:
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))


@pytest.fixture
def server(pair: tuple[Path, Path]) -> Iterator[HttpServer]:
    settings = HttpSettings(listen="127.0.0.1:0", certificate=pair[0], private_key=pair[1])
    with HttpServer(settings, PAGES, max_connections=4, deadline=1.0) as server:
        yield server


def ask(server: HttpServer, context: ssl.SSLContext) -> bytes:
    with (
        socket.create_connection(server.address, timeout=10) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as client,
    ):
        client.sendall(REQUEST)
        return b"".join(iter(lambda: client.recv(65536), b""))


def test_a_client_that_trusts_the_certificate_is_served(server: HttpServer, pair: tuple[Path, Path]) -> None:
    answer = ask(server, ssl.create_default_context(cafile=str(pair[0])))
    assert answer.startswith(b"HTTP/1.0 200 ")
    assert answer.endswith(b"\r\n\r\nok\n")


def test_a_client_that_does_not_trust_it_or_speaks_plainly_hurts_nobody(
    server: HttpServer, pair: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(server, ssl.create_default_context())
    with socket.create_connection(server.address, timeout=10) as plain:
        plain.sendall(REQUEST)
        assert b"ok" not in plain.recv(1000)
    assert ask(server, ssl.create_default_context(cafile=str(pair[0]))).endswith(b"ok\n")
    assert [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []


def test_old_versions_of_tls_are_refused(server: HttpServer, pair: tuple[Path, Path]) -> None:
    context = ssl.create_default_context(cafile=str(pair[0]))
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ask(server, context)


def test_clients_that_never_begin_their_handshake_do_not_hold_up_the_others(
    server: HttpServer, pair: tuple[Path, Path]
) -> None:
    silent = [socket.create_connection(server.address, timeout=10) for _ in range(3)]
    begun = time.monotonic()
    assert ask(server, ssl.create_default_context(cafile=str(pair[0]))).endswith(b"ok\n")
    assert time.monotonic() - begun < 0.9
    for client in silent:
        assert client.recv(100) == b""  # cut off at the deadline
        client.close()


@pytest.mark.parametrize(
    ("certificate", "key"),
    [
        ("server.pem", "missing.key"),
        ("missing.pem", "server.key"),
        ("server.pem", "other.key"),
        ("server.pem", "encrypted.key"),
        ("server.key", "server.key"),
        ("server.pem", "server.pem"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_one_line_that_names_both_files(
    pair: tuple[Path, Path], certificate: str, key: str
) -> None:
    folder = pair[0].parent
    settings = HttpSettings(listen="127.0.0.1:0", certificate=folder / certificate, private_key=folder / key)
    with pytest.raises(ServiceError) as refusal:
        HttpServer(settings, PAGES).start()
    text = str(refusal.value)
    assert text.startswith(f"http.certificate: cannot use {folder / certificate} with {folder / key}: ")
    assert "\n" not in text
    assert not text.endswith(": ")
