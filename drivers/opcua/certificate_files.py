"""Certificates, keys and revocation lists as they lie on the disk: files, or directories of them.

Every complaint is a LinkLost of the kind `certificate` that names the file.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

from drivers.errors import LinkLost
from drivers.opcua.policies import MAX_KEY, MIN_KEY

T = TypeVar("T")

_CERTIFICATES = frozenset({".der", ".pem", ".crt", ".cer"})
_LISTS = frozenset({".crl", ".der", ".pem"})
_PEM = b"-----BEGIN"


def load_certificates(path: Path) -> list[x509.Certificate]:
    """Read the certificates of one file, a PEM file in its order."""
    content = _read(path)
    try:
        if _PEM in content:
            return x509.load_pem_x509_certificates(content)
        return [x509.load_der_x509_certificate(content)]
    except ValueError as error:
        raise _unfit(f"{path} is no certificate in PEM or DER: {error}") from None


def load_trusted(paths: Iterable[Path]) -> tuple[x509.Certificate, ...]:
    """Read all certificates of files and directories."""
    return tuple(_load_all(paths, _CERTIFICATES, load_certificates))


def load_revocation_lists(paths: Iterable[Path]) -> tuple[x509.CertificateRevocationList, ...]:
    """Read all revocation lists of files and directories."""
    return tuple(_load_all(paths, _LISTS, _load_lists))


def load_key(path: Path) -> RSAPrivateKey:
    """Read a private key that one of the policies can use."""
    content = _read(path)
    load = load_pem_private_key if _PEM in content else load_der_private_key
    try:
        # Looking whether its primes are primes would hold up the whole program for 0.1 to 1 s, in a thread as well.
        key = load(content, None, unsafe_skip_rsa_key_validation=True)
    except TypeError:  # said of a passphrase that is wanted and not given
        raise _unfit(f"{path} is encrypted; give a key without a passphrase, readable by the gateway alone") from None
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unfit(f"{path} is no private key in PEM or DER: {error}") from None
    if not isinstance(key, RSAPrivateKey) or not MIN_KEY <= key.key_size <= MAX_KEY:
        raise _unfit(f"{path} is no RSA key of {MIN_KEY} to {MAX_KEY} bits")
    if not _is_consistent(key):
        raise _unfit(f"{path} is damaged: its numbers do not belong together")
    return key


def _is_consistent(key: RSAPrivateKey) -> bool:
    numbers = key.private_numbers()
    p, q, public = numbers.p, numbers.q, numbers.public_numbers
    product = public.e * numbers.d - 1
    return p > 1 and q > 1 and p * q == public.n and product % (p - 1) == 0 and product % (q - 1) == 0


def _load_lists(path: Path) -> list[x509.CertificateRevocationList]:
    content = _read(path)
    load = x509.load_pem_x509_crl if _PEM in content else x509.load_der_x509_crl
    try:
        return [load(content)]
    except ValueError as error:
        raise _unfit(f"{path} is no revocation list in PEM or DER: {error}") from None


def _load_all(paths: Iterable[Path], suffixes: frozenset[str], load: Callable[[Path], list[T]]) -> Iterable[T]:
    for path in paths:
        for file in _files(path, suffixes):
            yield from load(file)


def _files(path: Path, suffixes: frozenset[str]) -> Sequence[Path]:
    try:
        if not path.is_dir():
            return [path]
        found = sorted(each for each in path.iterdir() if each.suffix.lower() in suffixes)
    except OSError as error:
        raise _unfit(f"{path} cannot be read: {error.strerror}") from None
    if not found:
        raise _unfit(f"{path} holds no file that ends in {', '.join(sorted(suffixes))}")
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unfit(f"{path} cannot be read: {error.strerror}") from None


def _unfit(message: str) -> LinkLost:
    return LinkLost("certificate", message)
