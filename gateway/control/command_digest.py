"""What makes two commands the same one: everything they ask for, in one canonical form. Pure."""

import hashlib

from gateway.audit.canonical import canonical
from gateway.control.command import Command


def digest_of(command: Command) -> str:
    """Return the SHA-256 of a command's canonical form, hexadecimal; its id and its signature are no part of it."""
    return hashlib.sha256(
        canonical(
            {
                "verb": command.verb,
                "actor": command.actor,
                "reason": command.reason,
                "expires_at": command.expires_at,
                # In their order, in which they are sent; and true is not 1.
                "writes": [[tag, type(value).__name__, value] for tag, value in command.writes.items()],
                "tags": command.tags,
                "name": command.name,
                "seconds": command.seconds,
                "hold": command.hold,
                "priority": command.priority,
                "key": command.key,
                "locks": dict(command.locks),
            }
        )
    ).hexdigest()
