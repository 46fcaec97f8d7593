"""The security policies that are spoken, and what they ask of keys and nonces (OPC 10000-7)."""

from typing import TypeAlias

from asyncua import ua
from asyncua.crypto.security_policies import (
    SecurityPolicyAes128Sha256RsaOaep,
    SecurityPolicyAes256Sha256RsaPss,
    SecurityPolicyBasic256Sha256,
    SecurityPolicyNone,
)

Protection: TypeAlias = (
    SecurityPolicyBasic256Sha256 | SecurityPolicyAes128Sha256RsaOaep | SecurityPolicyAes256Sha256RsaPss
)

POLICIES: dict[str, type[Protection]] = {
    "Aes128Sha256RsaOaep": SecurityPolicyAes128Sha256RsaOaep,
    "Basic256Sha256": SecurityPolicyBasic256Sha256,
    "Aes256Sha256RsaPss": SecurityPolicyAes256Sha256RsaPss,
}
"""By the name in the configuration."""

PROTECTING = frozenset(policy.URI for policy in POLICIES.values())
"""The URIs of the policies whose encryption and signatures are believed."""

MIN_PADDING = {
    SecurityPolicyAes128Sha256RsaOaep.URI: 42,
    SecurityPolicyBasic256Sha256.URI: 42,
    SecurityPolicyAes256Sha256RsaPss.URI: 66,
}
"""Bytes that OAEP takes of a block: two hashes and two (RFC 8017, 7.1.1)."""

UNPROTECTED: str = SecurityPolicyNone.URI

MODES = {"Sign": ua.MessageSecurityMode.Sign, "SignAndEncrypt": ua.MessageSecurityMode.SignAndEncrypt}
"""By the name in the configuration."""

MIN_KEY, MAX_KEY = 2048, 4096
"""Bits of an RSA key, the same for the three policies."""

CHANNEL_NONCE = 32
"""Bytes of a nonce from which the keys of a channel are made, the same for the three policies."""

SESSION_NONCE = 32
"""Bytes of a session's nonce at least (OPC 10000-4, 5.7.2.2)."""
