"""RESOURCE: the operation holds the named lock, with the token that is the current one now."""

from dataclasses import dataclass
from typing import ClassVar

from gateway.safety.constraint import Constraint
from gateway.safety.operation import Operation, Write
from gateway.safety.rule import Objection, Rule, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource(Constraint):
    """An operation holds the named lock."""

    kind: ClassVar[str] = "resource"

    lock: str


class ResourceRule(Rule):
    """A lock that has to be held."""

    def __init__(self, constraint: Resource) -> None:
        super().__init__(constraint)
        self._lock = constraint.lock

    @property
    def proposes(self) -> None:
        return None

    def object(self, write: Write, operation: Operation, world: World, now: float) -> Objection | None:  # noqa: ARG002
        if world.holds(self._lock, operation.locks):
            return None
        return Objection("lock_lost", "not_held")
