"""PERMISSION: the matrix of `authority` allows the principal to write the tag."""

from dataclasses import dataclass
from typing import ClassVar

from gateway.safety.constraint import Constraint
from gateway.safety.operation import Operation, Write
from gateway.safety.rule import Objection, Rule, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission(Constraint):
    """Evaluates the matrix of `authority`: who may do what to which tag."""

    kind: ClassVar[str] = "permission"


class PermissionRule(Rule):
    """The one matrix, asked at the moment of the write."""

    @property
    def proposes(self) -> None:
        return None

    def object(self, write: Write, operation: Operation, world: World, now: float) -> Objection | None:  # noqa: ARG002
        if world.may_write(operation.principal, write.tag):
            return None
        return Objection("forbidden", "not_granted")
