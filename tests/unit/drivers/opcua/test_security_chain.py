"""The way from a server's certificate up to a trusted root: every link of it is checked."""

import pytest
from cryptography import x509

from drivers.opcua.authorities import MAX_CHAIN
from drivers.opcua.trust import NotTrusted, Trust, check_server
from tests.integration.opcua_certificates import DAY, NOW, SERVER_URI, Identity, issue, key, with_sha1

ROOT = issue("root", authority=True)
WORKS = issue("works", issuer=ROOT, authority=True)
LINE = issue("line", issuer=WORKS, authority=True)
SERVER = issue("server", issuer=LINE)


def believe(*sent: Identity, trusted: list[Identity]) -> x509.Certificate:
    trust = Trust(tuple(identity.certificate for identity in trusted))
    return check_server(b"".join(each.der for each in sent), trust, "127.0.0.1", SERVER_URI, NOW)


@pytest.mark.parametrize(
    ("sent", "trusted"),
    [
        ([SERVER, LINE, WORKS], [ROOT]),
        ([SERVER, WORKS, LINE], [ROOT]),
        ([SERVER, LINE, WORKS, ROOT], [ROOT]),
        ([SERVER, LINE], [WORKS, ROOT]),
        ([SERVER], [ROOT, WORKS, LINE]),
    ],
)
def test_authorities_in_between_are_sent_or_trusted(sent: list[Identity], trusted: list[Identity]) -> None:
    assert believe(*sent, trusted=trusted) == SERVER.certificate


def test_a_way_that_ends_before_a_root_is_no_way() -> None:
    with pytest.raises(NotTrusted, match=r"authority above CN=works is missing; name its root"):
        believe(SERVER, LINE, trusted=[WORKS])


def test_a_root_that_is_only_sent_is_no_root() -> None:
    with pytest.raises(NotTrusted, match=r"its root \(CN=root\) is not in security\.trust"):
        believe(SERVER, LINE, WORKS, ROOT, trusted=[issue("another")])


def test_a_gap_is_not_jumped() -> None:
    with pytest.raises(NotTrusted, match="authority above CN=line is missing"):
        believe(SERVER, LINE, trusted=[ROOT])


def test_an_authority_in_between_that_signs_with_another_key_is_none() -> None:
    forged = issue("line", issuer=Identity(WORKS.certificate, key("forger")), authority=True)
    with pytest.raises(NotTrusted, match=r"CN=works\) did not sign it"):
        believe(SERVER, forged, WORKS, trusted=[ROOT])


@pytest.mark.parametrize(
    ("middle", "complaint"),
    [
        (issue("line", issuer=WORKS), "may not sign certificates"),
        (issue("line", issuer=WORKS, uses={"key_cert_sign": True}), "may not sign certificates"),
        (issue("line", issuer=WORKS, authority=True, uses={"key_cert_sign": False}), "may not sign certificates"),
        (issue("line", issuer=WORKS, authority=True, first=NOW - 3 * DAY, last=NOW - DAY), "expired on"),
        (issue("line", issuer=WORKS, authority=True, first=NOW + DAY, last=NOW + 2 * DAY), "clock"),
        (
            issue("line", issuer=WORKS, authority=True, further=x509.InhibitAnyPolicy(0)),
            "critical extension that is not understood",
        ),
    ],
)
def test_every_authority_in_between_is_held_to_the_rules(middle: Identity, complaint: str) -> None:
    with pytest.raises(NotTrusted, match=rf"is not trusted: its authority \(CN=line\) .*{complaint}"):
        believe(SERVER, middle, WORKS, trusted=[ROOT])


def test_a_weak_key_in_between_is_refused() -> None:
    weak = issue("weak", issuer=ROOT, authority=True, bits=1024)
    with pytest.raises(NotTrusted, match=r"CN=weak\) has no RSA key of 2048"):
        believe(issue("server", issuer=weak), weak, trusted=[ROOT])


def test_a_forgeable_signature_in_between_is_refused() -> None:
    middle = with_sha1(LINE)
    with pytest.raises(NotTrusted, match="signed with sha1"):
        believe(SERVER, middle, WORKS, trusted=[ROOT])


@pytest.mark.parametrize(("length", "allowed"), [(None, True), (2, True), (1, False), (0, False)])
def test_a_root_says_how_many_authorities_there_may_be_below_it(length: int | None, allowed: bool) -> None:  # noqa: FBT001  (a case)
    root = issue("root", authority=True, path_length=length)
    if allowed:
        assert believe(SERVER, LINE, WORKS, trusted=[root]) == SERVER.certificate
        return
    with pytest.raises(NotTrusted, match=rf"CN=root\) allows {length} authorities below it, not 2"):
        believe(SERVER, LINE, WORKS, trusted=[root])


def test_a_second_way_is_taken_where_the_first_is_closed() -> None:
    expired = issue("line", issuer=WORKS, authority=True, first=NOW - 3 * DAY, last=NOW - DAY)
    assert believe(SERVER, expired, LINE, WORKS, trusted=[ROOT]) == SERVER.certificate


def test_authorities_that_vouch_for_each_other_lead_nowhere() -> None:
    one = issue("one", issuer=issue("two"), authority=True)
    two = issue("two", issuer=one, authority=True)
    with pytest.raises(NotTrusted, match="is missing"):
        believe(issue("server", issuer=one), one, two, trusted=[ROOT])


def test_a_server_that_sends_certificates_without_end_is_refused() -> None:
    with pytest.raises(NotTrusted, match=f"more than {MAX_CHAIN} certificates"):
        believe(SERVER, *[LINE] * (MAX_CHAIN + 1), trusted=[ROOT])


def test_what_follows_and_is_no_certificate_is_refused() -> None:
    trust = Trust((ROOT.certificate,))
    with pytest.raises(NotTrusted, match="cannot be read"):
        check_server(SERVER.der + b"junk", trust, "127.0.0.1", SERVER_URI, NOW)
