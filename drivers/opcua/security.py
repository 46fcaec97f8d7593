"""Whom we trust and who we are: certificates, read from files and judged against what the configuration names.

The library accepts every certificate unless told otherwise, and never looks at the host. Nothing here is
optional: what cannot be checked is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

from drivers.errors import LinkLost
from drivers.opcua.security_settings import OpcUaSecurity

MIN_KEY, MAX_KEY = 2048, 4096
"""Bits of an RSA key, as the policy Basic256Sha256 wants it."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are, and whom we trust."""

    certificate: x509.Certificate
    key: RSAPrivateKey
    application_uri: str
    trusted: tuple[x509.Certificate, ...]


class NotTrusted(LinkLost):
    """The server is not who the configuration says, or cannot prove it."""

    def __init__(self, message: str) -> None:
        super().__init__("not_trusted", message)


def load_credentials(security: OpcUaSecurity, now: datetime) -> Credentials:
    """Read the files that the settings name. Raises LinkLost naming the file that is of no use."""
    if security.certificate is None or security.private_key is None:
        raise LinkLost("certificate", "certificate: the settings name none")
    certificate = _load_certificates(security.certificate)[0]
    key = _load_key(security.private_key)
    if certificate.public_key() != key.public_key():
        raise LinkLost("certificate", f"{security.private_key} is not the key of {security.certificate}")
    _check_time(certificate, f"the gateway's certificate {security.certificate}", now)
    uris = _names(certificate, x509.UniformResourceIdentifier)
    if not uris:
        raise LinkLost("certificate", f"{security.certificate} has no application URI (a URI in subjectAltName)")
    trusted = tuple(found for path in security.trusted for found in _load_certificates(path))
    return Credentials(certificate, key, uris[0], trusted)


def check_server(
    chain: bytes, trusted: Sequence[x509.Certificate], host: str, application_uri: str, now: datetime
) -> x509.Certificate:
    """Return the server's certificate if it is to be believed. Raises NotTrusted with the first thing that is wrong.

    A certificate that is itself among the trusted is pinned, and so needs no name for the host. Any other
    has to be signed by a trusted authority and made out to the host of the configuration.
    `chain` is DER, the server's own certificate first; `application_uri` is what the server calls itself.
    """
    certificate = _first_certificate(chain)
    name = certificate.subject.rfc4514_string() or "without a name"
    what = f"the server's certificate ({name})"
    if certificate not in trusted:
        issuer = _find_issuer(certificate, trusted)
        if issuer is None:
            raise NotTrusted(f"{what} is not trusted; name it or its authority in security.trust if it is right")
        _check_time(issuer, f"the authority of {what}", now)
        if not _is_made_out_to(certificate, host):
            raise NotTrusted(f"{what} is not made out to {host}")
    _check_time(certificate, what, now)
    if application_uri not in _names(certificate, x509.UniformResourceIdentifier):
        raise NotTrusted(f"{what} does not name the server's application URI {application_uri}")
    _check_key(certificate, what)
    return certificate


def _find_issuer(certificate: x509.Certificate, trusted: Sequence[x509.Certificate]) -> x509.Certificate | None:
    for candidate in trusted:
        if not _is_authority(candidate):
            continue
        try:
            certificate.verify_directly_issued_by(candidate)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            continue
        return candidate
    return None


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    return constraints.ca and usage.key_cert_sign


def _check_time(certificate: x509.Certificate, what: str, now: datetime) -> None:
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not now <= last:
        raise NotTrusted(f"{what} expired on {last:%Y-%m-%d}")
    if not first <= now:
        raise NotTrusted(f"{what} is valid from {first:%Y-%m-%d} on only; is the clock right?")


def _check_key(certificate: x509.Certificate, what: str) -> None:
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey) or not MIN_KEY <= key.key_size <= MAX_KEY:
        raise NotTrusted(f"{what} has no RSA key of {MIN_KEY} to {MAX_KEY} bits")


def _is_made_out_to(certificate: x509.Certificate, host: str) -> bool:
    names = {name.lower() for name in _names(certificate, x509.DNSName)}
    if host.lower() in names:  # some servers put an address among the names
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address in _addresses(certificate)


def _names(certificate: x509.Certificate, kind: type[x509.DNSName | x509.UniformResourceIdentifier]) -> list[str]:
    names = _alternative_names(certificate)
    return [] if names is None else list(names.get_values_for_type(kind))


def _addresses(certificate: x509.Certificate) -> list[object]:
    names = _alternative_names(certificate)
    return [] if names is None else list(names.get_values_for_type(x509.IPAddress))


def _alternative_names(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return None


def _first_certificate(chain: bytes) -> x509.Certificate:
    try:
        # The outer SEQUENCE of a certificate is longer than 255 bytes, so its length stands in bytes 2 and 3.
        return x509.load_der_x509_certificate(chain[: int.from_bytes(chain[2:4], "big") + 4])
    except ValueError as error:
        raise NotTrusted(f"the server's certificate cannot be read: {error}") from None


def _load_certificates(path: Path) -> list[x509.Certificate]:
    content = _read(path)
    try:
        if b"-----BEGIN" in content:
            return x509.load_pem_x509_certificates(content)
        return [x509.load_der_x509_certificate(content)]
    except ValueError as error:
        raise LinkLost("certificate", f"{path} is no certificate in PEM or DER: {error}") from None


def _load_key(path: Path) -> RSAPrivateKey:
    content = _read(path)
    load = load_pem_private_key if b"-----BEGIN" in content else load_der_private_key
    try:
        key = load(content, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise LinkLost("certificate", f"{path} is no private key in PEM or DER without a passphrase: {error}") from None
    if not isinstance(key, RSAPrivateKey) or not MIN_KEY <= key.key_size <= MAX_KEY:
        raise LinkLost("certificate", f"{path} is no RSA key of {MIN_KEY} to {MAX_KEY} bits")
    return key


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LinkLost("certificate", f"{path} cannot be read: {error.strerror}") from None


def utc_now() -> datetime:
    """Return the time by which certificates are judged."""
    return datetime.now(UTC)
