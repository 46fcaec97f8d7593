"""A command that may be carried out: who wants it, under which id, and until when. Pure."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from gateway.control.command import Command
from gateway.control.reply import Reply
from gateway.storage.port import Change

Closing: TypeAlias = Callable[[Reply], tuple[Change, ...]]


@dataclass(frozen=True, slots=True)
class Accepted:
    """One command after authority, expiry and id were looked at."""

    id: str
    command: Command
    principal: str
    received: float
    """Monotonic."""
    deadline: float
    """Monotonic; after it nothing of the command may begin."""
    key: str
    """Under which the journal knows it: its principal and its id."""
    digest: str
    """Of its canonical form."""
    closing: Closing
    """Returns the changes that store its reply: they belong into the commit of the record that concludes it."""
    intent: Callable[[Mapping[str, Any]], tuple[Change, ...]] = lambda _: ()
    """Returns the changes that keep what it wants, for the commit of its intent."""
    changes: Callable[[], tuple[Change, ...]] = tuple
    """Returns what else belongs into its first commit: the sequence of its signature. Called in that very step."""
    is_reassert: bool = False
    """That it only says again what holds already."""


Handler: TypeAlias = Callable[[Accepted], Awaitable[Reply]]
"""Carries out the commands of one verb. It commits its own record together with `closing(reply)`, and returns the
reply with that record's hash in it; it never raises but by cancellation."""
