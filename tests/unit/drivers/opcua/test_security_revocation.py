"""Certificates that were taken back: what the lists of the configuration say, and when a list does not count."""

import pytest
from cryptography import x509

from drivers.opcua.trust import NotTrusted, Trust, check_server
from tests.integration.opcua_certificates import DAY, NOW, SERVER_URI, Identity, issue, key, revoke

ROOT = issue("root", authority=True)
WORKS = issue("works", issuer=ROOT, authority=True)
SERVER = issue("server", issuer=WORKS)
ANOTHER = issue("another", issuer=WORKS)


def believe(*lists: x509.CertificateRevocationList, trusted: Identity = ROOT) -> x509.Certificate:
    trust = Trust((trusted.certificate,), lists)
    return check_server(SERVER.der + WORKS.der, trust, "127.0.0.1", SERVER_URI, NOW)


def test_a_certificate_on_nobodys_list_is_believed() -> None:
    assert believe(revoke(ROOT), revoke(WORKS, ANOTHER)) == SERVER.certificate


def test_a_revoked_certificate_is_refused() -> None:
    with pytest.raises(NotTrusted, match="not trusted: CN=server has been revoked by CN=works"):
        believe(revoke(ROOT), revoke(WORKS, ANOTHER, SERVER))


def test_a_revoked_authority_is_refused_with_all_below_it() -> None:
    with pytest.raises(NotTrusted, match="CN=works has been revoked by CN=root"):
        believe(revoke(ROOT, WORKS), revoke(WORKS))


def test_every_authority_needs_a_list_where_there_are_lists() -> None:
    for given, missing in (([revoke(ROOT)], "works"), ([revoke(WORKS)], "root"), ([], "works")):
        with pytest.raises(NotTrusted, match=rf"no list in security\.revoked is signed by CN={missing}"):
            believe(*given)


def test_a_list_that_somebody_else_signed_is_none() -> None:
    forger = Identity(WORKS.certificate, key("forger"))
    with pytest.raises(NotTrusted, match=r"no list in security\.revoked is signed by CN=works"):
        believe(revoke(ROOT), revoke(WORKS, signer=forger))


def test_a_list_that_expired_is_refused_and_said() -> None:
    old = revoke(WORKS, last_update=NOW - 3 * DAY, next_update=NOW - DAY)
    with pytest.raises(NotTrusted, match=r"the revocation list of CN=works expired on .*; fetch a new one"):
        believe(revoke(ROOT), old)


def test_a_list_of_tomorrow_is_refused() -> None:
    early = revoke(WORKS, last_update=NOW + DAY, next_update=NOW + 2 * DAY)
    with pytest.raises(NotTrusted, match="clock"):
        believe(revoke(ROOT), early)


def test_the_newest_list_counts() -> None:
    older = revoke(WORKS, last_update=NOW - 3 * DAY, next_update=NOW - DAY)
    assert believe(revoke(ROOT), older, revoke(WORKS)) == SERVER.certificate
    with pytest.raises(NotTrusted, match="has been revoked"):
        believe(revoke(ROOT), older, revoke(WORKS, SERVER))


def test_a_list_of_a_part_is_not_taken_for_the_whole() -> None:
    part = revoke(WORKS, further=x509.DeltaCRLIndicator(1))
    with pytest.raises(NotTrusted, match="not a whole one"):
        believe(revoke(ROOT), part)


def test_an_authority_that_may_not_sign_lists_has_none() -> None:
    root = issue("root", authority=True, uses={"crl_sign": False})
    with pytest.raises(NotTrusted, match="may not sign lists"):
        believe(revoke(root), revoke(WORKS), trusted=root)


def test_a_pinned_certificate_on_a_list_is_refused_and_needs_no_list() -> None:
    assert believe(revoke(ROOT), trusted=SERVER) == SERVER.certificate
    with pytest.raises(NotTrusted, match="has been revoked by CN=works"):
        believe(revoke(WORKS, SERVER), trusted=SERVER)
