"""The way from a certificate through its authorities up to a trusted root. Pure.

It is walked here and not by `x509.verification` of cryptography: that knows the rules of web browsers, no
revocation lists, and does not say what is wrong. The signature of each step is checked by cryptography.
"""

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from drivers.opcua.certificate import Doubt, check_key, check_time, check_understood, extension_of, name_of
from drivers.opcua.revocation import check_revocation

MAX_CHAIN = 10
"""Certificates that a server may send, and authorities between its own and the root."""

_HASHES = frozenset({"sha256", "sha384", "sha512"})


class Climb:
    """One search for a way up. What the server sent may help on the way; the root has to be a trusted one."""

    def __init__(
        self,
        sent: Sequence[x509.Certificate],
        trusted: Sequence[x509.Certificate],
        lists: Sequence[x509.CertificateRevocationList] | None,
        now: datetime,
    ) -> None:
        """Lists: of revoked certificates; None where revocation is not checked."""
        self._pool = [*trusted, *sent]
        self._trusted = trusted
        self._lists = lists
        self._now = now
        self._tried: list[x509.Certificate] = []
        self._doubts: list[Doubt] = []

    def check(self, certificate: x509.Certificate) -> None:
        """Raise Doubt unless there is a way from the certificate to a trusted root."""
        if self._reach(certificate, 0):
            return
        if any(each.subject == certificate.subject for each in self._trusted):
            raise Doubt("is not trusted: it is another than the one of that name in security.trust")
        if self._doubts:
            raise Doubt(f"is not trusted: {self._doubts[0]}")
        if self._tried:
            top = name_of(self._tried[-1])
            raise Doubt(f"is not trusted: the authority above {top} is missing; name its root in security.trust")
        raise Doubt("is not trusted; name it or its authority in security.trust if it is right")

    def _reach(self, child: x509.Certificate, below: int) -> bool:
        for authority in self._pool:
            # Each is tried once, so that no set of certificates can make the search take for ever.
            if authority in self._tried or authority.subject != child.issuer:
                continue
            self._tried.append(authority)
            try:
                _check_step(child, authority, below, self._now)
                if self._lists is not None:
                    check_revocation(child, authority, self._lists, self._now)
                if self._is_end(authority) or self._reach(authority, below + 1):
                    return True
            except Doubt as doubt:
                self._doubts.append(doubt)
        return False

    def _is_end(self, authority: x509.Certificate) -> bool:
        if authority.subject != authority.issuer:
            return False
        if authority not in self._trusted:
            raise Doubt(f"its root ({name_of(authority)}) is not in security.trust")
        return True


def _check_step(child: x509.Certificate, authority: x509.Certificate, below: int, now: datetime) -> None:
    """Raise Doubt where the authority may not vouch for the child; `below`: the authorities that are under it."""
    try:
        _check_signature(child, authority)
        _check_right(authority, below)
        check_time(authority, now)
        check_understood(authority)
        check_key(authority)
    except Doubt as doubt:
        raise Doubt(f"its authority ({name_of(authority)}) {doubt}") from None


def _check_signature(child: x509.Certificate, authority: x509.Certificate) -> None:
    hashed = child.signature_hash_algorithm
    if hashed is None or hashed.name not in _HASHES:
        raise Doubt(f"signed with {'no hash' if hashed is None else hashed.name}, which can be forged")
    try:
        child.verify_directly_issued_by(authority)
    except InvalidSignature:
        raise Doubt("did not sign it, another by that name did") from None
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Doubt(f"has a signature or key that cannot be checked: {error}") from None


def _check_right(authority: x509.Certificate, below: int) -> None:
    constraints = extension_of(authority, x509.BasicConstraints)
    usage = extension_of(authority, x509.KeyUsage)
    if constraints is None or not constraints.ca or usage is None or not usage.key_cert_sign:
        raise Doubt("may not sign certificates")
    most = MAX_CHAIN if constraints.path_length is None else min(constraints.path_length, MAX_CHAIN)
    if not below <= most:
        raise Doubt(f"allows {most} authorities below it, not {below}")
