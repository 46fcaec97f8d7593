"""Whom we believe: a server's certificate, judged against what the configuration trusts. Any doubt denies.

The library accepts every certificate unless told otherwise, and never looks at the host.
"""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from drivers.errors import LinkLost
from drivers.opcua.authorities import MAX_CHAIN, Climb
from drivers.opcua.certificate import (
    Doubt,
    application_uris,
    check_host,
    check_key,
    check_time,
    check_understood,
    check_use,
    name_of,
)
from drivers.opcua.revocation import check_listed


class NotTrusted(LinkLost):
    """The server is not who the configuration says, or cannot prove it."""

    def __init__(self, message: str) -> None:
        super().__init__("not_trusted", message)


@dataclass(frozen=True, slots=True)
class Trust:
    """What the configuration trusts."""

    certificates: tuple[x509.Certificate, ...]
    """Of servers (pinned), and of authorities."""
    lists: tuple[x509.CertificateRevocationList, ...] | None = None
    """Of revoked certificates; None where revocation is not checked."""


def check_server(chain: bytes, trust: Trust, host: str, application_uri: str, now: datetime) -> x509.Certificate:
    """Return the server's certificate if it is to be believed. Raises NotTrusted with the first thing that is wrong.

    A certificate that is itself among the trusted is pinned, and so needs no name for the host. Any other has to
    lead to a trusted root, and to be made out to the host of the configuration.
    `chain` is DER, the server's own certificate first; `application_uri` is what the server calls itself.
    """
    certificate, rest = _take(chain)
    try:
        if certificate in trust.certificates:
            check_listed(certificate, trust.lists or ())
        else:
            Climb(_take_all(rest), trust.certificates, trust.lists, now).check(certificate)
            check_host(certificate, host)
        _check_own(certificate, application_uri, now)
    except Doubt as doubt:
        raise NotTrusted(f"the server's certificate ({name_of(certificate)}) {doubt}") from None
    return certificate


def _check_own(certificate: x509.Certificate, application_uri: str, now: datetime) -> None:
    check_time(certificate, now)
    check_understood(certificate)
    check_use(certificate)
    check_key(certificate)
    if application_uri not in application_uris(certificate):
        raise Doubt(f"does not name the server's application URI {application_uri}")


def _take(chain: bytes) -> tuple[x509.Certificate, bytes]:
    """Return the first certificate, and what follows it."""
    # The outer SEQUENCE of a certificate is longer than 255 bytes, so its length stands in bytes 2 and 3.
    end = int.from_bytes(chain[2:4], "big") + 4
    try:
        return x509.load_der_x509_certificate(chain[:end]), chain[end:]
    except ValueError as error:
        raise NotTrusted(f"the server's certificate cannot be read: {error}") from None


def _take_all(chain: bytes) -> list[x509.Certificate]:
    found: list[x509.Certificate] = []
    while chain:
        if not len(found) < MAX_CHAIN:
            raise NotTrusted(f"the server sent more than {MAX_CHAIN} certificates with its own")
        certificate, chain = _take(chain)
        found.append(certificate)
    return found
