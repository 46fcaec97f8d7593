"""Who the gateway is, and whom it trusts: read from files, each complaint naming the file that is of no use."""

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from drivers.errors import LinkLost
from drivers.opcua.certificate import expires_in_days
from drivers.opcua.security import load_credentials
from drivers.opcua.security_settings import OpcUaSecurity
from tests.integration.opcua_certificates import DAY, GATEWAY_URI, NOW, Identity, issue, key, revoke

PLANT_CA = issue("plant CA", authority=True)


def settings(folder: Path, identity: Identity) -> OpcUaSecurity:
    certificate, private_key = identity.save(folder, "gateway")
    return OpcUaSecurity("Basic256Sha256", "SignAndEncrypt", certificate, private_key, certificate)


def test_credentials_are_read_from_files(tmp_path: Path) -> None:
    gateway = issue("gateway", GATEWAY_URI)
    credentials = load_credentials(settings(tmp_path, gateway), NOW)
    assert credentials.gateway.certificate == gateway.certificate
    assert credentials.application_uri == GATEWAY_URI
    assert credentials.trust.certificates == (gateway.certificate,)
    assert credentials.trust.lists is None
    assert credentials.user is None


def test_pem_der_and_bundles_are_read(tmp_path: Path) -> None:
    gateway = issue("gateway", GATEWAY_URI)
    pem, bundle, der_key = tmp_path / "gateway.pem", tmp_path / "bundle.pem", tmp_path / "key.der"
    pem.write_bytes(gateway.certificate.public_bytes(Encoding.PEM))
    bundle.write_bytes(pem.read_bytes() + PLANT_CA.certificate.public_bytes(Encoding.PEM))
    der_key.write_bytes(gateway.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    found = load_credentials(OpcUaSecurity("Basic256Sha256", "Sign", pem, der_key, (pem, bundle)), NOW)
    assert found.trust.certificates == (gateway.certificate, gateway.certificate, PLANT_CA.certificate)


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
    for content, complaint in [(locked, "encrypted"), (curve, "no RSA key"), (b"junk", "no private key")]:
        keys.private_key.write_bytes(content)
        with pytest.raises(LinkLost, match=complaint):
            load_credentials(keys, NOW)


def test_directories_are_trusted_by_their_certificates_and_no_other_file(tmp_path: Path) -> None:
    keys = settings(tmp_path, issue("gateway", GATEWAY_URI))
    folder = tmp_path / "trusted"
    folder.mkdir()
    PLANT_CA.save(folder, "ca")
    (folder / "b.crt").write_bytes(issue("server").certificate.public_bytes(Encoding.PEM))
    (folder / "ca-key.pem").unlink()
    (folder / "README").write_text("no certificate")
    found = load_credentials(replace(keys, trust=(folder, *keys.trusted)), NOW).trust.certificates
    assert [each.subject.rfc4514_string() for each in found] == ["CN=server", "CN=plant CA", "CN=gateway"]


@pytest.mark.parametrize("key", ["trust", "revoked"])
def test_a_directory_that_is_missing_or_empty_is_named(tmp_path: Path, key: str) -> None:
    keys = settings(tmp_path, issue("gateway", GATEWAY_URI))
    folder = tmp_path / "folder"
    with pytest.raises(LinkLost, match="folder cannot be read: No such file") as caught:
        load_credentials(replace(keys, **{key: folder}), NOW)  # type: ignore[arg-type]  # both take a path
    assert caught.value.kind == "certificate"
    folder.mkdir()
    with pytest.raises(LinkLost, match=r"folder holds no file that ends in \.c"):
        load_credentials(replace(keys, **{key: folder}), NOW)  # type: ignore[arg-type]  # as above


def test_revocation_lists_are_read_from_files_and_directories(tmp_path: Path) -> None:
    keys = settings(tmp_path, issue("gateway", GATEWAY_URI))
    folder = tmp_path / "lists"
    folder.mkdir()
    first, second = revoke(PLANT_CA), revoke(PLANT_CA, issue("server"))
    (folder / "a.crl").write_bytes(first.public_bytes(Encoding.DER))
    (tmp_path / "b.pem").write_bytes(second.public_bytes(Encoding.PEM))
    found = load_credentials(replace(keys, revoked=(folder, tmp_path / "b.pem")), NOW)
    assert found.trust.lists == (first, second)
    (folder / "a.crl").write_bytes(b"junk")
    with pytest.raises(LinkLost, match=r"a\.crl is no revocation list"):
        load_credentials(replace(keys, revoked=folder), NOW)


def test_a_user_is_read_with_its_key(tmp_path: Path) -> None:
    keys = settings(tmp_path, issue("gateway", GATEWAY_URI))
    user = issue("operator", uri="urn:whoever")
    files = user.save(tmp_path, "operator")
    found = load_credentials(keys, NOW, *files).user
    assert found is not None
    assert found.certificate == user.certificate
    with pytest.raises(LinkLost, match=r"gateway-key\.pem is not the key of .*operator\.der"):
        load_credentials(keys, NOW, files[0], keys.private_key)


def test_a_gateway_without_an_application_uri_is_told_so(tmp_path: Path) -> None:
    keys = settings(tmp_path, issue("gateway", GATEWAY_URI))
    assert keys.certificate is not None
    name, own = issue("gateway").certificate.subject, issue("gateway").key
    bare = x509.CertificateBuilder(name, name, own.public_key(), 1).not_valid_before(NOW - DAY).not_valid_after(NOW)
    keys.certificate.write_bytes(bare.sign(own, SHA256()).public_bytes(Encoding.DER))
    with pytest.raises(LinkLost, match=r"gateway\.der has no application URI"):
        load_credentials(keys, NOW - DAY / 2)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    keys = settings(tmp_path, issue("gateway", GATEWAY_URI))
    with pytest.raises(LinkLost, match="cannot be read: Is a directory"):
        load_credentials(replace(keys, private_key=tmp_path), NOW)


@pytest.mark.parametrize(("left", "days"), [(DAY * 30, 30), (DAY * 30 - DAY / 2, 29), (DAY / 2, 0), (-DAY / 2, -1)])
def test_the_days_that_a_certificate_has_left_are_whole_ones(left: timedelta, days: int) -> None:
    certificate = issue("gateway", first=NOW - 3 * DAY, last=NOW).certificate
    assert expires_in_days(certificate, certificate.not_valid_after_utc - left) == days


def test_a_damaged_key_is_refused(tmp_path: Path) -> None:
    keys = settings(tmp_path, issue("gateway", GATEWAY_URI))
    whole = key("gateway", 2048).private_numbers()
    given = {name: getattr(whole, name) for name in ("p", "q", "dmp1", "dmq1", "iqmp")}
    numbers = RSAPrivateNumbers(**given, d=whole.d + 2, public_numbers=whole.public_numbers)
    damaged = numbers.private_key(unsafe_skip_rsa_key_validation=True)
    assert keys.private_key is not None
    keys.private_key.write_bytes(damaged.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(LinkLost, match=r"gateway-key\.pem is damaged"):
        load_credentials(keys, NOW)


def test_reading_a_large_key_does_not_hold_up_the_program(tmp_path: Path) -> None:
    keys = settings(tmp_path, issue("gateway", GATEWAY_URI, bits=4096))
    before = time.thread_time()
    load_credentials(keys, NOW)
    assert time.thread_time() - before < 0.1  # it takes 1 ms, and 350 ms where cryptography looks at the primes
