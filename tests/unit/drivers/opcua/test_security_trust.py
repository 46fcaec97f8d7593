"""Whom the OPC UA driver believes: the certificate of a server against what the configuration trusts."""

from datetime import timedelta

import pytest
from cryptography import x509

from drivers.opcua.trust import NotTrusted, Trust, check_server
from tests.integration.opcua_certificates import DAY, NOW, SERVER_URI, Identity, issue, key, with_sha1

HOST = "127.0.0.1"
PLANT_CA = issue("plant CA", authority=True)


def believe(server: Identity, *trusted: Identity, host: str = HOST, uri: str = SERVER_URI) -> x509.Certificate:
    return check_server(server.der, trust(*trusted), host, uri, NOW)


def trust(*trusted: Identity) -> Trust:
    return Trust(tuple(identity.certificate for identity in trusted))


def test_a_pinned_certificate_is_believed_whatever_its_host_name() -> None:
    server = issue("server", hosts=["elsewhere"])
    assert believe(server, server) == server.certificate


def test_a_certificate_of_a_trusted_authority_is_believed() -> None:
    server = issue("server", issuer=PLANT_CA)
    assert believe(server, issue("another"), PLANT_CA) == server.certificate


def test_what_follows_a_pinned_certificate_is_left_alone() -> None:
    server = issue("server", issuer=PLANT_CA)
    assert check_server(server.der + b"whatever", trust(server), HOST, SERVER_URI, NOW) == server.certificate


def test_a_server_may_send_its_authority_as_well() -> None:
    server = issue("server", issuer=PLANT_CA)
    chain = server.der + PLANT_CA.der
    assert check_server(chain, trust(PLANT_CA), HOST, SERVER_URI, NOW) == server.certificate


def test_an_unknown_certificate_is_refused() -> None:
    with pytest.raises(NotTrusted, match="not trusted"):
        believe(issue("server"), issue("another"))


def test_nothing_is_trusted_where_nothing_is_named() -> None:
    with pytest.raises(NotTrusted, match="not trusted"):
        believe(issue("server"))


def test_a_certificate_with_the_same_names_and_another_key_is_refused() -> None:
    forger = Identity(PLANT_CA.certificate, key("forger"))
    with pytest.raises(NotTrusted, match="not trusted"):
        believe(issue("server", issuer=forger), PLANT_CA)


def test_a_server_that_is_trusted_may_not_vouch_for_others() -> None:
    trusted = issue("trusted server")
    with pytest.raises(NotTrusted, match="not trusted"):
        believe(issue("server", issuer=trusted), trusted)


@pytest.mark.parametrize("pinned", [True, False])
def test_an_expired_certificate_is_refused(pinned: bool) -> None:  # noqa: FBT001  (a case)
    server = issue("server", issuer=None if pinned else PLANT_CA, first=NOW - 3 * DAY, last=NOW - DAY)
    with pytest.raises(NotTrusted, match="expired on"):
        believe(server, server if pinned else PLANT_CA)


def test_a_certificate_from_the_future_is_refused() -> None:
    server = issue("server", first=NOW + timedelta(hours=1), last=NOW + DAY)
    with pytest.raises(NotTrusted, match="clock"):
        believe(server, server)


def test_an_expired_authority_is_refused() -> None:
    old = issue("old CA", authority=True, first=NOW - 3 * DAY, last=NOW - DAY)
    with pytest.raises(NotTrusted, match="expired on"):
        believe(issue("server", issuer=old), old)


@pytest.mark.parametrize(
    ("hosts", "host"),
    [(["127.0.0.2"], HOST), (["plc-1"], "plc-2"), ([], HOST), (["*"], "plc-1"), (["plc"], "plc.evil")],
)
def test_a_certificate_for_another_host_is_refused(hosts: list[str], host: str) -> None:
    with pytest.raises(NotTrusted, match=f"not made out to {host}"):
        believe(issue("server", hosts=hosts, issuer=PLANT_CA), PLANT_CA, host=host)


@pytest.mark.parametrize(("hosts", "host"), [(["PLC-1"], "plc-1"), (["plc-1"], "PLC-1"), (["::1"], "::1")])
def test_host_names_know_no_case(hosts: list[str], host: str) -> None:
    server = issue("server", hosts=hosts, issuer=PLANT_CA)
    assert believe(server, PLANT_CA, host=host) == server.certificate


def test_a_certificate_of_another_application_is_refused() -> None:
    server = issue("server", uri="urn:another")
    with pytest.raises(NotTrusted, match=SERVER_URI):
        believe(server, server)


def test_a_short_key_is_refused() -> None:
    server = issue("weak", bits=1024)
    with pytest.raises(NotTrusted, match="2048"):
        believe(server, server)


@pytest.mark.parametrize("chain", [b"", b"\x30", b"no certificate at all"])
def test_what_is_no_certificate_is_refused(chain: bytes) -> None:
    with pytest.raises(NotTrusted, match="cannot be read"):
        check_server(chain, trust(PLANT_CA), HOST, SERVER_URI, NOW)


def test_another_certificate_of_the_same_name_is_said_to_be_another() -> None:
    with pytest.raises(NotTrusted, match="another than the one of that name"):
        believe(issue("server"), issue("server"))


def test_a_certificate_that_is_not_for_signatures_is_refused() -> None:
    server = issue("server", uses={"digital_signature": False})
    with pytest.raises(NotTrusted, match="digital signatures"):
        believe(server, server)


def test_a_certificate_with_a_condition_that_nobody_looks_at_is_refused() -> None:
    server = issue("server", further=x509.PolicyConstraints(require_explicit_policy=0, inhibit_policy_mapping=None))
    with pytest.raises(NotTrusted, match=r"critical extension .*2\.5\.29\.36"):
        believe(server, server)


def test_a_forgeable_signature_of_an_authority_is_refused() -> None:
    server = with_sha1(issue("server", issuer=PLANT_CA))
    with pytest.raises(NotTrusted, match="signed with sha1"):
        believe(server, PLANT_CA)
