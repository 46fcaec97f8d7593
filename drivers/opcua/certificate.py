"""What a certificate says, and the doubts that it raises by itself. Pure: nothing is read but the certificate."""

from datetime import datetime
from ipaddress import ip_address
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from drivers.opcua.policies import MAX_KEY, MIN_KEY

T = TypeVar("T", bound=x509.ExtensionType)

_UNDERSTOOD = frozenset(
    extension.oid
    for extension in (x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage, x509.SubjectAlternativeName)
)
"""Extensions that may be critical: whoever does not understand one must not rely on its certificate (RFC 5280, 4.2)."""


class Doubt(ValueError):
    """Why a certificate is not believed, so put that it goes on after the certificate's name."""


def name_of(certificate: x509.Certificate) -> str:
    """Return the name of whom the certificate was made for, for messages."""
    return certificate.subject.rfc4514_string() or "without a name"


def application_uris(certificate: x509.Certificate) -> list[str]:
    """Return the application URIs that the certificate is made out to, as a rule one."""
    names = extension_of(certificate, x509.SubjectAlternativeName)
    return [] if names is None else list(names.get_values_for_type(x509.UniformResourceIdentifier))


def expires_in_days(certificate: x509.Certificate, now: datetime) -> int:
    """Return the whole days for which the certificate is still valid; negative where it has expired."""
    return (certificate.not_valid_after_utc - now).days


def extension_of(certificate: x509.Certificate, kind: type[T]) -> T | None:
    """Return one extension, None where there is none. Raises Doubt where the extensions cannot be read."""
    return next((each.value for each in _extensions(certificate) if isinstance(each.value, kind)), None)


def check_time(certificate: x509.Certificate, now: datetime) -> None:
    """Raise Doubt for a certificate that is not valid now."""
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not now <= last:
        raise Doubt(f"expired on {last:%Y-%m-%d}")
    if not first <= now:
        raise Doubt(f"is valid from {first:%Y-%m-%d} on only; is the clock right?")


def check_host(certificate: x509.Certificate, host: str) -> None:
    """Raise Doubt for a certificate that names another host. Wildcards are no names here."""
    names = extension_of(certificate, x509.SubjectAlternativeName)
    known: set[str] = set()
    if names is not None:
        known |= set(names.get_values_for_type(x509.DNSName))  # some servers put an address here
        known |= {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    if _canonical(host) not in {_canonical(name) for name in known}:
        raise Doubt(f"is not made out to {host}")


def check_key(certificate: x509.Certificate) -> None:
    """Raise Doubt for a key that the policies do not allow."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Doubt(f"has a key that cannot be read: {error}") from None
    if not isinstance(key, RSAPublicKey) or not MIN_KEY <= key.key_size <= MAX_KEY:
        raise Doubt(f"has no RSA key of {MIN_KEY} to {MAX_KEY} bits")


def check_use(certificate: x509.Certificate) -> None:
    """Raise Doubt for a certificate that is not for the signatures that applications make."""
    usage = extension_of(certificate, x509.KeyUsage)
    if usage is not None and not usage.digital_signature:
        raise Doubt("is not for digital signatures")


def check_understood(certificate: x509.Certificate) -> None:
    """Raise Doubt for a certificate with a condition that is not looked at."""
    for extension in _extensions(certificate):
        if extension.critical and extension.oid not in _UNDERSTOOD:
            raise Doubt(f"has a critical extension that is not understood ({extension.oid.dotted_string})")


def _extensions(certificate: x509.Certificate) -> x509.Extensions:
    try:
        return certificate.extensions
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise Doubt(f"has extensions that cannot be read: {error}") from None


def _canonical(host: str) -> str:
    try:
        return str(ip_address(host))
    except ValueError:
        return host.lower()
