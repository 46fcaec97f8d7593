"""The `commands` section of the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from drivers.values import Seconds, Secret
from gateway.control.authority import ANONYMOUS, GATEWAY, LIBRARY
from gateway.control.command import ID
from gateway.control.keys import SharedSecret, read_public_key

RESERVED = frozenset((GATEWAY, ANONYMOUS, LIBRARY))
"""Principals that nobody can prove to be."""


@dataclass(frozen=True, slots=True)
class KeySettings:
    """What proves who signs: a public key, or a secret that both sides have."""

    ed25519: str | None = None
    """The public key in base64: the line between BEGIN and END PUBLIC KEY of its PEM file."""
    hmac: Secret | None = field(default=None, repr=False)
    """The secret for HMAC-SHA-256, at least 32 bytes; best as ${credential:NAME}."""

    def __post_init__(self) -> None:
        if (self.ed25519 is None) == (self.hmac is None):
            raise ValueError("give either ed25519 or hmac")
        try:
            if self.ed25519 is not None:
                read_public_key(self.ed25519)
        except ValueError as problem:
            raise ValueError(f"ed25519: {problem}") from None
        try:
            if self.hmac is not None:
                SharedSecret(self.hmac.encode())
        except ValueError as problem:
            raise ValueError(f"hmac: {problem}; `openssl rand -base64 48` makes one") from None


@dataclass(frozen=True, slots=True)
class CommandSettings:
    """How commands are received."""

    max_age: Seconds = Seconds(10)
    """So long after its receipt a command may begin, whatever it says itself."""
    queue: int = 100
    """How many commands may wait; one more is refused."""
    require_signature: bool = False
    """Refuse every command that bears no signature."""
    keys: Mapping[str, KeySettings] = field(default_factory=lambda: MappingProxyType({}))
    """By key id, which is the principal of whatever it signs."""

    def __post_init__(self) -> None:
        if not 0.1 <= self.max_age <= 60:
            raise ValueError(f"max_age: {self.max_age:g} s is not within 100ms and 60s")
        if not 1 <= self.queue <= 10_000:
            raise ValueError(f"queue: {self.queue} is not within 1 and 10000")
        if self.require_signature and not self.keys:
            raise ValueError("require_signature: nobody could send a command; `keys` is empty")
        for name in self.keys:
            if not ID.fullmatch(name):
                raise ValueError(f"keys: {name!r} does not fit; a key id is 1 to 64 letters, digits, '_' and '-'")
            if name in RESERVED:
                raise ValueError(f"keys.{name}: nobody can prove to be {name!r}; choose another key id")
