"""Keys of those who sign commands: Ed25519, or a secret that both sides have. The one home of `cryptography` here."""

import base64
import hashlib
import hmac
from typing import Protocol

LEAST_SECRET = 32
"""Bytes of a shared secret."""
PUBLIC_KEY = 32
"""Bytes of an Ed25519 public key."""

_SPKI = bytes.fromhex("302a300506032b6570032100")
"""What stands before the key itself in a PEM file (RFC 8410, 4)."""
_ED25519_SIGNATURE = 64
_SMALL_ORDER = frozenset(
    bytes.fromhex(each)
    for each in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    )
)
"""Points of order 1, 2, 4 and 8, the sign left out: eight times each is nothing, so anybody can sign for them."""


class Verifier(Protocol):
    """One principal's key, as the gateway has it."""

    def is_valid(self, message: bytes, signature: bytes) -> bool:
        """Return whether the signature is this key's, of exactly this message; whatever the bytes are."""


class Signer(Protocol):
    """One principal's key, as the sender has it."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature of the message."""


class SharedSecret:
    """HMAC-SHA-256: the same secret on both sides, so the gateway could have signed too."""

    def __init__(self, secret: bytes) -> None:
        """Raises ValueError for a secret that is too short."""
        if not len(secret) >= LEAST_SECRET:
            raise ValueError(f"has {len(secret)} bytes, and a secret needs at least {LEAST_SECRET}")
        self._secret = secret

    def sign(self, message: bytes) -> bytes:
        return hmac.digest(self._secret, message, hashlib.sha256)

    def is_valid(self, message: bytes, signature: bytes) -> bool:
        return hmac.compare_digest(self.sign(message), signature)


class PublicKey:
    """Ed25519: the gateway can verify and not sign."""

    def __init__(self, text: str) -> None:
        """Text: as the configuration has it. Raises ValueError."""
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415  (only where keys are used)

        self._key = ed25519.Ed25519PublicKey.from_public_bytes(read_public_key(text))

    def is_valid(self, message: bytes, signature: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  (as above)

        if len(signature) != _ED25519_SIGNATURE:
            return False
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class PrivateKey:
    """Ed25519, on the sender's side."""

    def __init__(self, pem: bytes) -> None:
        """Raises ValueError for what is no unencrypted Ed25519 private key."""
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  (only where keys are used)
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415  (as above)
        from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415  (as above)

        try:
            key = load_pem_private_key(pem, None)
        except TypeError:
            raise ValueError("is encrypted; give one without a passphrase, readable by you alone") from None
        except (ValueError, UnsupportedAlgorithm):
            raise ValueError("holds no private key; `openssl genpkey -algorithm ed25519` makes one") from None
        if not isinstance(key, ed25519.Ed25519PrivateKey):
            raise ValueError("is no Ed25519 key; `openssl genpkey -algorithm ed25519` makes one")  # noqa: TRY004  (the file is wrong)
        self._key = key

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


def read_public_key(text: str) -> bytes:
    """Return the 32 bytes of a public key in base64: bare, or the line of a PEM file. Raises ValueError."""
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    key = key.removeprefix(_SPKI) if len(key) == len(_SPKI) + PUBLIC_KEY else key
    if len(key) != PUBLIC_KEY:
        raise ValueError("is no Ed25519 public key; write the line between BEGIN and END PUBLIC KEY of its PEM file")
    if key[:-1] + bytes((key[-1] & 0x7F,)) in _SMALL_ORDER:
        raise ValueError("is a key for which anybody can sign; make one with `openssl genpkey -algorithm ed25519`")
    return key


def read_signer(content: bytes) -> Signer:
    """Return the key in a file: an Ed25519 private key in PEM, or a secret as text. Raises ValueError."""
    if b"-----BEGIN" in content:
        return PrivateKey(content)
    # As the configuration reads files: one line's end belongs to the editor, not to the secret.
    return SharedSecret(content.removesuffix(b"\n").removesuffix(b"\r"))
