"""Signed commands: what a signature covers, how it is made, and how it is verified.

It covers the canonical text (RFC 8785) of everything that the command says, bound to its purpose, to one gateway and
to one key, so that it holds for nothing else. What came over the wire is never hashed: two readers could differ on it.
"""

import base64
from collections.abc import Mapping
from typing import Any

from gateway.audit.canonical import canonical
from gateway.control.command import Command, Signature
from gateway.control.keys import Signer, Verifier
from gateway.safety.constraint import Setting

PURPOSE = "plantgate command 1"
"""No signature that was made for anything else, or for another version of this form, is one of a command."""


def body(command: Command) -> dict[str, Any]:
    """Return everything that a command says but for its signature, as plain JSON; absent and empty are the same.

    Writes are a list, because their order is what is sent first; each names its kind, because canonical JSON has
    large integers as texts.
    """
    return {
        "verb": command.verb,
        "id": command.id,
        "actor": command.actor,
        "reason": command.reason,
        "expires_at": command.expires_at,
        "writes": [[tag, _kind(value), value] for tag, value in command.writes.items()],
        "tags": list(command.tags),
        "name": command.name,
        "for": command.seconds,
        "hold": command.hold,
        "priority": command.priority,
        "key": command.key,
        "locks": dict(command.locks),
    }


def covered(command: Command, gateway: str, key: str, sequence: int, not_after: str) -> bytes:
    """Return the bytes that a signature covers. Raises ValueError for a command that has no such form."""
    form: Mapping[str, Any] = {
        "purpose": PURPOSE,
        "gateway": gateway,
        "key": key,
        "sequence": sequence,
        "not_after": not_after,
        "command": body(command),
    }
    return canonical(form)


def sign(command: Command, gateway: str, key: str, sequence: int, not_after: str, signer: Signer) -> Signature:
    """Return the signature to send with a command. Not after: RFC 3339 with its zone."""
    value = signer.sign(covered(command, gateway, key, sequence, not_after))
    return Signature(key, sequence, not_after, base64.b64encode(value).decode())


def is_signed(command: Command, gateway: str, signature: Signature, verifier: Verifier) -> bool:
    """Return whether the signature is the key's, of this command at this gateway; whatever it holds."""
    try:
        value = base64.b64decode(signature.value, validate=True)
        message = covered(command, gateway, signature.key, signature.sequence, signature.not_after)
    except ValueError:
        return False
    return verifier.is_valid(message, value)


def _kind(value: Setting) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "text" if isinstance(value, str) else "number"
