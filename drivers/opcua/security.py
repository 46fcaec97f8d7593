"""Who we are, and whom we trust: read anew from the files of the configuration at each connect."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from drivers.errors import LinkLost
from drivers.opcua.certificate import Doubt, application_uris, check_key, check_time
from drivers.opcua.certificate_files import load_certificates, load_key, load_revocation_lists, load_trusted
from drivers.opcua.security_settings import OpcUaSecurity
from drivers.opcua.trust import Trust


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate with its key, and the authorities that go with it."""

    certificate: x509.Certificate
    key: RSAPrivateKey
    chain: tuple[x509.Certificate, ...] = ()


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are, and whom we trust."""

    gateway: Identity
    application_uri: str
    trust: Trust
    user: Identity | None = None
    """Who is logged in, where that is proved by a certificate."""


def load_credentials(
    security: OpcUaSecurity, now: datetime, user_certificate: Path | None = None, user_key: Path | None = None
) -> Credentials:
    """Read the files that the settings name. Raises LinkLost naming the file that is of no use."""
    if security.certificate is None or security.private_key is None:
        raise LinkLost("certificate", "certificate: the settings name none")
    gateway = _load_identity("the gateway's certificate", security.certificate, security.private_key, now)
    lists = load_revocation_lists(security.revocation_lists) if security.revocation_lists else None
    user = None
    if user_certificate is not None and user_key is not None:
        user = _load_identity("the user's certificate", user_certificate, user_key, now)
    trust = Trust(load_trusted(security.trusted), lists)
    return Credentials(gateway, _application_uri(gateway.certificate, security.certificate), trust, user)


def _application_uri(certificate: x509.Certificate, file: Path) -> str:
    try:
        uris = application_uris(certificate)
    except Doubt as doubt:
        raise LinkLost("certificate", f"{file} {doubt}") from None
    if not uris:
        raise LinkLost("certificate", f"{file} has no application URI (a URI in subjectAltName)")
    return uris[0]


def _load_identity(what: str, certificate_file: Path, key_file: Path, now: datetime) -> Identity:
    certificate, *chain = load_certificates(certificate_file)
    key = load_key(key_file)
    try:
        check_key(certificate)
        if certificate.public_key() != key.public_key():
            raise LinkLost("certificate", f"{key_file} is not the key of {certificate_file}")
        check_time(certificate, now)
    except Doubt as doubt:
        raise LinkLost("certificate", f"{what} {certificate_file} {doubt}") from None
    return Identity(certificate, key, tuple(chain))


def utc_now() -> datetime:
    """Return the time by which certificates are judged."""
    return datetime.now(UTC)
