"""Whom the OPC UA driver believes: the certificate of a server against what the configuration trusts."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from drivers.errors import LinkLost
from drivers.opcua.security import NotTrusted, check_server, load_credentials
from drivers.opcua.security_settings import OpcUaSecurity
from tests.integration.opcua_certificates import DAY, GATEWAY_URI, NOW, SERVER_URI, Identity, issue, key

HOST = "127.0.0.1"
PLANT_CA = issue("plant CA", authority=True)


def believe(server: Identity, *trusted: Identity, host: str = HOST, uri: str = SERVER_URI) -> x509.Certificate:
    return check_server(server.der, [identity.certificate for identity in trusted], host, uri, NOW)


def test_a_pinned_certificate_is_believed_whatever_its_host_name() -> None:
    server = issue("server", hosts=["elsewhere"])
    assert believe(server, server) == server.certificate


def test_a_certificate_of_a_trusted_authority_is_believed() -> None:
    server = issue("server", issuer=PLANT_CA)
    assert believe(server, issue("another"), PLANT_CA) == server.certificate


def test_what_follows_the_servers_own_certificate_is_left_alone() -> None:
    server = issue("server", issuer=PLANT_CA)
    chain = server.der + PLANT_CA.der
    assert check_server(chain, [PLANT_CA.certificate], HOST, SERVER_URI, NOW) == server.certificate


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
        check_server(chain, [PLANT_CA.certificate], HOST, SERVER_URI, NOW)


def settings(folder: Path, identity: Identity) -> OpcUaSecurity:
    certificate, private_key = identity.save(folder, "gateway")
    return OpcUaSecurity("Basic256Sha256", "SignAndEncrypt", certificate, private_key, certificate)


def test_credentials_are_read_from_files(tmp_path: Path) -> None:
    gateway = issue("gateway", GATEWAY_URI)
    credentials = load_credentials(settings(tmp_path, gateway), NOW)
    assert credentials.certificate == gateway.certificate
    assert credentials.application_uri == GATEWAY_URI
    assert credentials.trusted == (gateway.certificate,)


def test_pem_der_and_bundles_are_read(tmp_path: Path) -> None:
    gateway = issue("gateway", GATEWAY_URI)
    pem, bundle, der_key = tmp_path / "gateway.pem", tmp_path / "bundle.pem", tmp_path / "key.der"
    pem.write_bytes(gateway.certificate.public_bytes(Encoding.PEM))
    bundle.write_bytes(pem.read_bytes() + PLANT_CA.certificate.public_bytes(Encoding.PEM))
    der_key.write_bytes(gateway.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    found = load_credentials(OpcUaSecurity("Basic256Sha256", "Sign", pem, der_key, (pem, bundle)), NOW)
    assert found.trusted == (gateway.certificate, gateway.certificate, PLANT_CA.certificate)


def test_a_file_that_is_missing_or_no_certificate_is_named(tmp_path: Path) -> None:
    keys = settings(tmp_path, issue("gateway", GATEWAY_URI))
    assert keys.certificate is not None
    keys.certificate.write_bytes(b"junk")
    with pytest.raises(LinkLost, match=r"gateway\.der is no certificate"):
        load_credentials(keys, NOW)
    keys.certificate.unlink()
    with pytest.raises(LinkLost, match=r"gateway\.der cannot be read"):
        load_credentials(keys, NOW)


def test_a_key_of_somebody_else_is_refused(tmp_path: Path) -> None:
    gateway = Identity(issue("gateway", GATEWAY_URI).certificate, key("somebody else"))
    with pytest.raises(LinkLost, match="is not the key of"):
        load_credentials(settings(tmp_path, gateway), NOW)


def test_a_gateway_whose_own_certificate_expired_does_not_even_try(tmp_path: Path) -> None:
    gateway = issue("gateway", GATEWAY_URI, first=NOW - 3 * DAY, last=NOW - DAY)
    with pytest.raises(LinkLost, match=r"the gateway's certificate .* expired on"):
        load_credentials(settings(tmp_path, gateway), NOW)


def test_keys_that_cannot_serve_are_refused(tmp_path: Path) -> None:
    keys = settings(tmp_path, issue("gateway", GATEWAY_URI))
    assert keys.private_key is not None
    locked = key("gateway").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for content, complaint in [(locked, "passphrase"), (curve, "no RSA key"), (b"junk", "no private key")]:
        keys.private_key.write_bytes(content)
        with pytest.raises(LinkLost, match=complaint):
            load_credentials(keys, NOW)
