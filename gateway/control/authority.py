"""Who may do what to which tag: the one matrix of `authority`. Whoever stands in no row may do nothing. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias

from gateway.audit.record import GATEWAY
from gateway.control.priority import Slot

__all__ = ["ANONYMOUS", "GATEWAY", "LIBRARY", "OPEN", "UNWRITTEN", "Authority", "Grant", "Verb"]

ANONYMOUS = "anonymous"
"""Whoever gives no proof of who they are."""
LIBRARY = "library"
"""The principal of a program that uses the gateway as a library and names no other."""

Verb: TypeAlias = Literal[
    "write", "ack", "reset", "bypass", "shelve", "saga", "propose", "vote", "cancel", "relinquish"
]

EVERY_TAG = "*"
_SLOTS = {"operator": Slot.OPERATOR, "automatic": Slot.AUTOMATIC}


@dataclass(frozen=True, slots=True)
class Grant:
    """What one principal may do, and to which tags (globs)."""

    role: str
    """`operator` and `automatic` have places of their own among the writers of a tag; any other comes last."""
    may: tuple[Verb, ...]
    tags: tuple[str, ...] = ()


UNWRITTEN = {ANONYMOUS: Grant("default", ("write", "ack"), (EVERY_TAG,))}
"""The matrix where the configuration has none."""
OPEN = Grant(
    "operator",
    ("write", "ack", "reset", "bypass", "shelve", "saga", "propose", "vote", "cancel", "relinquish"),
    (EVERY_TAG,),
)
"""What everybody may do with `authority: open`."""


class Authority:
    """The matrix at work."""

    def __init__(self, matrix: Literal["open"] | Mapping[str, Grant] | None) -> None:
        self._everybody = OPEN if matrix == "open" else None
        self._grants = UNWRITTEN if matrix is None else {} if matrix == "open" else dict(matrix)

    def may(self, principal: str, verb: str, tag: str) -> bool:
        """Return whether the principal may do that to the tag."""
        grant = self._grant(principal)
        return grant is not None and verb in grant.may and any(fnmatchcase(tag, glob) for glob in grant.tags)

    def may_name(self, principal: str, verb: str, tags: tuple[str, ...]) -> bool:
        """Return whether the principal may do that to a constraint on these tags; all of them have to be theirs.

        One with no tags at all, such as a limit on commands, is theirs whose tags are all there are: `*`.
        """
        grant = self._grant(principal)
        if grant is None or verb not in grant.may:
            return False
        return all(self.may(principal, verb, tag) for tag in tags) if tags else EVERY_TAG in grant.tags

    def slot(self, principal: str) -> Slot:
        """Return the place of the principal's wishes among the writers of a tag."""
        grant = self._grant(principal)
        return Slot.DEFAULT if grant is None else _SLOTS.get(grant.role, Slot.DEFAULT)

    def _grant(self, principal: str) -> Grant | None:
        return self._everybody or self._grants.get(principal)
