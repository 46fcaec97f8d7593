"""Certificates made for a test: of the gateway, of servers, of authorities, right and wrong in every way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
SERVER_URI = "urn:boiler-house:server"
GATEWAY_URI = "urn:plantgate:test"


@dataclass(frozen=True)
class Identity:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def save(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write certificate (DER) and key (PEM); return their paths."""
        certificate, key = folder / f"{name}.der", folder / f"{name}-key.pem"
        certificate.write_bytes(self.der)
        key.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return certificate, key


@cache
def key(owner: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return the key of somebody, the same every time."""
    return rsa.generate_private_key(65537, bits)


def issue(
    owner: str,
    uri: str = SERVER_URI,
    *,
    hosts: Sequence[str] = ("127.0.0.1",),
    issuer: Identity | None = None,
    authority: bool = False,
    path_length: int | None = None,
    first: datetime = NOW - DAY,
    last: datetime = NOW + DAY,
    bits: int = 2048,
    uses: Mapping[str, bool] | None = None,
    further: x509.ExtensionType | None = None,
) -> Identity:
    """Make a certificate, signed by the issuer or by itself; `further` is one more extension, a critical one."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, owner)])
    own = key(owner, bits)
    names = [x509.UniformResourceIdentifier(uri), *(_host_name(host) for host in hosts)]
    usage = dict.fromkeys(("key_agreement", "encipher_only", "decipher_only"), False)
    usage |= dict.fromkeys(("crl_sign", "key_cert_sign"), authority)
    usage |= dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"), True)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.certificate.subject if issuer else name)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(first)
        .not_valid_after(last)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=path_length), critical=True)
        .add_extension(x509.KeyUsage(**usage | dict(uses or {})), critical=True)
    )
    if further is not None:
        builder = builder.add_extension(further, critical=True)
    return Identity(builder.sign(issuer.key if issuer else own, SHA256()), own)


def with_sha1(identity: Identity) -> Identity:
    """Return the identity as if it had been signed with SHA-1, which cryptography no longer does."""
    sha256, sha1 = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105")
    return replace(identity, certificate=x509.load_der_x509_certificate(identity.der.replace(sha256, sha1)))


def revoke(
    authority: Identity,
    *revoked: Identity,
    last_update: datetime = NOW - DAY,
    next_update: datetime = NOW + DAY,
    signer: Identity | None = None,
    further: x509.ExtensionType | None = None,
) -> x509.CertificateRevocationList:
    """Make the list of what an authority has taken back, signed by itself or by another."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(authority.certificate.subject)
    builder = builder.last_update(last_update).next_update(next_update)
    for identity in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(identity.certificate.serial_number)
        builder = builder.add_revoked_certificate(entry.revocation_date(last_update).build())
    if further is not None:
        builder = builder.add_extension(further, critical=True)
    return builder.sign((signer or authority).key, SHA256())


def _host_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
