"""Whether an authority has taken a certificate back, as the revocation lists of the configuration say. Pure.

Where lists are asked for, an authority without a list that is its own and current is in doubt, and doubt denies.
"""

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from drivers.opcua.certificate import Doubt, extension_of, name_of

_UNDERSTOOD = frozenset((x509.AuthorityKeyIdentifier.oid, x509.CRLNumber.oid))


def check_revocation(
    certificate: x509.Certificate,
    authority: x509.Certificate,
    lists: Sequence[x509.CertificateRevocationList],
    now: datetime,
) -> None:
    """Raise Doubt unless the newest list of the authority is current and leaves the certificate alone."""
    name = name_of(authority)
    signed = [each for each in lists if _is_signed_by(each, authority)]
    if not signed:
        raise Doubt(f"no list in security.revoked is signed by {name}")
    newest = max(signed, key=lambda each: each.last_update_utc)
    _check_list(newest, authority, now)
    if newest.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
        raise Doubt(f"{name_of(certificate)} has been revoked by {name}")


def check_listed(certificate: x509.Certificate, lists: Sequence[x509.CertificateRevocationList]) -> None:
    """Raise Doubt for a certificate on any list by its issuer's name.

    For pinned certificates, whose authority need not be known: nobody can check who signed the list, and
    believing it can only deny.
    """
    for each in lists:
        if each.issuer == certificate.issuer and each.get_revoked_certificate_by_serial_number(
            certificate.serial_number
        ):
            raise Doubt(f"has been revoked by {certificate.issuer.rfc4514_string()}")


def _is_signed_by(revocations: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    if revocations.issuer != authority.subject:
        return False
    try:
        return revocations.is_signature_valid(authority.public_key())  # type: ignore[arg-type]  # any other key raises
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def _check_list(revocations: x509.CertificateRevocationList, authority: x509.Certificate, now: datetime) -> None:
    what = f"the revocation list of {name_of(authority)}"
    usage = extension_of(authority, x509.KeyUsage)
    if usage is None or not usage.crl_sign:
        raise Doubt(f"{what} does not count: that authority may not sign lists")
    last = revocations.next_update_utc
    if last is None:
        raise Doubt(f"{what} does not say until when it holds")
    if not now <= last:
        raise Doubt(f"{what} expired on {last:%Y-%m-%d}; fetch a new one")
    if not revocations.last_update_utc <= now:
        raise Doubt(f"{what} holds from {revocations.last_update_utc:%Y-%m-%d} on only; is the clock right?")
    for extension in _extensions(revocations, what):
        if extension.critical and extension.oid not in _UNDERSTOOD:
            raise Doubt(f"{what} is not a whole one ({extension.oid.dotted_string})")


def _extensions(revocations: x509.CertificateRevocationList, what: str) -> x509.Extensions:
    try:
        return revocations.extensions
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise Doubt(f"{what} cannot be read: {error}") from None
