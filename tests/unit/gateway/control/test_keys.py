"""Keys that sign and keys that verify, and everything that is neither."""

import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given
from hypothesis import strategies as st

from gateway.control.keys import PrivateKey, PublicKey, SharedSecret, Verifier, read_public_key, read_signer

PRIVATE = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SECRET = b"0123456789abcdef0123456789abcdef"


def pem(key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey, password: bytes = b"") -> bytes:
    how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)


RAW = PRIVATE.public_key().public_bytes_raw()
PEM_LINE = base64.b64encode(
    PRIVATE.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
).decode()  # fmt: skip


@pytest.mark.parametrize("text", [base64.b64encode(RAW).decode(), PEM_LINE], ids=["bare", "as in a PEM file"])
def test_a_public_key_is_its_32_bytes_bare_or_as_a_pem_file_has_them(text: str) -> None:
    assert read_public_key(text) == RAW


@pytest.mark.parametrize(
    "text",
    ["", "hello", "AAAA", PEM_LINE[:-4], PEM_LINE + "AAAA", f" {PEM_LINE}", "-----BEGIN PUBLIC KEY-----", "é" * 44,
     base64.b64encode(b"\x31" + base64.b64decode(PEM_LINE)[1:]).decode()],
)  # fmt: skip
def test_what_is_no_public_key_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="the line between BEGIN and END PUBLIC KEY"):
        read_public_key(text)


@pytest.mark.parametrize("sign", [0, 0x80], ids=["even", "odd"])
@pytest.mark.parametrize(
    "point", [bytes(32), b"\x01" + bytes(31), b"\xec" + b"\xff" * 30 + b"\x7f"], ids=["0", "1", "p-1"]
)
def test_a_key_for_which_anybody_can_sign_is_refused(point: bytes, sign: int) -> None:
    text = base64.b64encode(point[:-1] + bytes([point[-1] | sign])).decode()
    with pytest.raises(ValueError, match="anybody can sign"):
        read_public_key(text)


def test_anybody_can_indeed_sign_for_such_a_key() -> None:
    # The key is the neutral point, so S = 0 and R = the neutral point fit any message.
    neutral = b"\x01" + bytes(31)
    ed25519.Ed25519PublicKey.from_public_bytes(neutral).verify(neutral + bytes(32), b"burner on")


def test_what_one_half_signs_the_other_verifies() -> None:
    signature = read_signer(pem(PRIVATE)).sign(b"message")
    assert PublicKey(PEM_LINE).is_valid(b"message", signature)
    assert not PublicKey(PEM_LINE).is_valid(b"massage", signature)
    assert SharedSecret(SECRET).is_valid(b"message", read_signer(SECRET + b"\r\n").sign(b"message"))
    assert not SharedSecret(SECRET).is_valid(b"message", read_signer(SECRET[::-1]).sign(b"message"))


def test_a_line_s_end_belongs_to_the_file_and_blanks_belong_to_the_secret() -> None:
    assert read_signer(SECRET + b"\n").sign(b"") == read_signer(SECRET).sign(b"")
    assert read_signer(SECRET + b" \n").sign(b"") != read_signer(SECRET).sign(b"")


@pytest.mark.parametrize("length", [0, 1, 31])
def test_a_short_secret_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=f"^has {length} bytes, and a secret needs at least 32$"):
        read_signer(b"x" * length + b"\n")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (pem(PRIVATE, b"passphrase"), "is encrypted"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "is no Ed25519 key"),
        (PRIVATE.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
         "holds no private key"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "holds no private key"),
        (b"-----BEGIN", "holds no private key"),
    ],
    ids=["encrypted", "another kind", "public", "damaged", "cut off"],
)  # fmt: skip
def test_a_pem_file_that_cannot_sign_is_refused_with_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        PrivateKey(content)


VERIFIERS: list[Verifier] = [PublicKey(PEM_LINE), SharedSecret(SECRET)]


@pytest.mark.parametrize("verifier", VERIFIERS, ids=["ed25519", "hmac"])
@pytest.mark.parametrize("length", [0, 1, 31, 32, 33, 63, 64, 65, 10_000])
def test_a_signature_of_any_length_is_simply_none(verifier: Verifier, length: int) -> None:
    assert not verifier.is_valid(b"message", bytes(length))
    assert not verifier.is_valid(b"message", b"\xff" * length)


@given(st.binary(max_size=70), st.binary(max_size=70))
def test_no_bytes_whatever_are_a_signature_by_chance(message: bytes, signature: bytes) -> None:
    assert not any(verifier.is_valid(message, signature) for verifier in VERIFIERS)
