"""A monitor and its surroundings: what the tests of the monitor share."""

import asyncio
from collections.abc import Mapping
from typing import Any

from gateway import (
    ConstraintType,
    OperationContext,
    SafetyConstraint,
    SafetyLevel,
    SafetyMonitor,
    ValidationResult,
)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0
        self.time = 1_800_000_000.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.time


class Halt:
    """A gate with a trip that its cause keeps."""

    def __init__(self) -> None:
        self.is_halted = True
        self.code = "cause_present"

    def reset_all(self, now: float) -> str:
        self.is_halted = bool(self.code)
        return self.code


def monitor(*constraints: SafetyConstraint, clock: Clock | None = None, **keys: Any) -> SafetyMonitor:
    made = SafetyMonitor(clock=clock or Clock(), **keys)
    for constraint in constraints:
        made.add_constraint(constraint)
    return made


def limit(name: str = "max_temperature", **keys: Any) -> SafetyConstraint:
    declared = {"max_value": 600.0, "level": SafetyLevel.CRITICAL, **keys}
    return SafetyConstraint(name=name, constraint_type=ConstraintType.THRESHOLD, **declared)


def ask(
    made: SafetyMonitor, kind: str = "set", agent: str = "a", meta: Mapping[str, Any] | None = None, **given: Any
) -> ValidationResult:
    context = OperationContext(operation_type=kind, agent_id=agent, parameters=given, metadata=meta or {})
    return asyncio.run(made.validate_operation(context))


def ask_for(made: SafetyMonitor, parameters: Mapping[str, Any]) -> ValidationResult:
    return asyncio.run(made.validate_operation(OperationContext("set", "a", parameters)))


def codes(result: ValidationResult) -> list[str]:
    return [violation.code for violation in result.violations]
