"""Devices that speak TLS: how they prove themselves, and one that says why it refuses."""

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tests.integration.mqtt_certificates import Authority, Files


def server_context(files: Files, clients: Path | None = None, newest: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """Return how a device proves itself; `clients`: whose certificates it wants of others."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    if clients is not None:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED
    if newest is not None:
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = newest
        context.set_ciphers("ALL:@SECLEVEL=0")
    return context


@contextmanager
def strict_port(context: ssl.SSLContext) -> Iterator[int]:
    """Listen as most devices do: say in an alert why a handshake fails, and hang up. asyncio's server says nothing."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        wire, _ = listener.accept()
        wire.settimeout(10)
        with context.wrap_socket(wire, server_side=True, do_handshake_on_connect=False) as secure, suppress(OSError):
            try:
                secure.do_handshake()
                secure.recv(1)
            finally:
                # What the gateway sent meanwhile is read, or else the system would call off the alert.
                socket.socket.shutdown(secure, socket.SHUT_WR)
                while socket.socket.recv(secure, 4096):
                    pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        thread.join()
        listener.close()


def shifted(authority: Authority, folder: Path, hours: int) -> Files:
    """Sign a certificate that is good for two hours around another time than now."""
    good = authority.sign(f"shifted{hours}")
    issuer_key = serialization.load_pem_private_key(authority.files.private_key.read_bytes(), None)
    issuer = x509.load_pem_x509_certificate(authority.files.certificate.read_bytes())
    certificate = x509.load_pem_x509_certificate(good.certificate.read_bytes())
    by = dt.timedelta(hours=hours)
    builder = (
        x509.CertificateBuilder()
        .subject_name(certificate.subject)
        .issuer_name(issuer.subject)
        .public_key(certificate.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(certificate.not_valid_before_utc + by)
        .not_valid_after(certificate.not_valid_after_utc + by)
    )
    for extension in certificate.extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    path = folder / "shifted.pem"
    signed = builder.sign(issuer_key, certificate.signature_hash_algorithm)  # type: ignore[arg-type]  # an EC key
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    return Files(path, good.private_key)
