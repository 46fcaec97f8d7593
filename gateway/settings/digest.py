"""What tells one configuration from another, whatever files it was written in."""

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum

from gateway.settings.model import Settings


def settings_digest(settings: Settings) -> str:
    """Return the SHA-256 of everything that the settings say, hexadecimal; secrets are in it, and not to be read."""
    return hashlib.sha256(_text(settings).encode()).hexdigest()


def _text(value: object) -> str:
    if is_dataclass(value) and not isinstance(value, type):
        inner = ",".join(f"{each.name}={_text(getattr(value, each.name))}" for each in fields(value))
        return f"{type(value).__name__}({inner})"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_text(key)}:{_text(each)}" for key, each in value.items()) + "}"
    if isinstance(value, (tuple, list)):
        return "[" + ",".join(map(_text, value)) + "]"
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    return repr(value)
