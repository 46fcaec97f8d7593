"""Certificates made for a test: of the gateway, of servers, of authorities, right and wrong in every way."""

from collections.abc import Sequence
from dataclasses import dataclass
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
    first: datetime = NOW - DAY,
    last: datetime = NOW + DAY,
    bits: int = 2048,
) -> Identity:
    """Make a certificate, signed by the issuer or by itself."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, owner)])
    own = key(owner, bits)
    names = [x509.UniformResourceIdentifier(uri), *(_host_name(host) for host in hosts)]
    usage = dict.fromkeys(
        ("key_agreement", "encipher_only", "decipher_only", "crl_sign", "key_cert_sign"), False
    ) | dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"), True)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.certificate.subject if issuer else name)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(first)
        .not_valid_after(last)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage | {"key_cert_sign": authority}), critical=True)
        .sign(issuer.key if issuer else own, SHA256())
    )
    return Identity(certificate, own)


def _host_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
