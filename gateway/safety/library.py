"""The words of the library's safety monitor: what a program declares, asks and is told. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import count
from typing import Any, TypeAlias

from gateway.safety.verdict import SafetyLevel

_constraints, _violations, _operations = count(1), count(1), count(1)


class ConstraintType(Enum):
    """The kinds; what each means is in `gateway.safety.kinds`."""

    THRESHOLD = "threshold"
    RATE_LIMIT = "rate_limit"
    DEPENDENCY = "dependency"
    PERMISSION = "permission"
    RESOURCE = "resource"
    TIMING = "timing"
    COMPLIANCE = "compliance"
    RATE_OF_CHANGE = "rate_of_change"
    VOTE = "vote"


class ViolationSeverity(Enum):
    """How grave a violation is; CRITICAL and MAJOR refuse."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"
    WARNING = "warning"


SEVERITIES: Mapping[SafetyLevel, ViolationSeverity] = {
    SafetyLevel.CRITICAL: ViolationSeverity.CRITICAL,
    SafetyLevel.HIGH: ViolationSeverity.MAJOR,
    SafetyLevel.MEDIUM: ViolationSeverity.MINOR,
    SafetyLevel.LOW: ViolationSeverity.WARNING,
    SafetyLevel.INFO: ViolationSeverity.WARNING,
}
REFUSING = frozenset((ViolationSeverity.CRITICAL, ViolationSeverity.MAJOR))


@dataclass(slots=True)
class OperationContext:
    """What an agent wants to do."""

    operation_type: str
    agent_id: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    operation_id: str = field(default_factory=lambda: f"op-{next(_operations)}")
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """`rate_limit_key` names a limiter, `circuit_breaker` a breaker, beside those of its own names."""


Condition: TypeAlias = Callable[[OperationContext], bool]
"""Returns whether the operation is permitted; what is not True is not."""


@dataclass(frozen=True, slots=True)
class SafetyConstraint:
    """A constraint on the parameters of operations."""

    name: str
    constraint_type: ConstraintType
    constraint_id: str = field(default_factory=lambda: f"constraint-{next(_constraints)}")
    condition: Condition | None = None
    """What has to hold, for the kinds that have no limits of their own."""
    threshold: float | None = None
    """The same as `max_value`."""
    min_value: float | None = None
    max_value: float | None = None
    rate_limit: int | None = None
    """Operations of one agent in `rate_window_seconds`."""
    rate_window_seconds: float = 60.0
    level: SafetyLevel = SafetyLevel.HIGH
    enabled: bool = True
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """`parameter`: which one is limited; `required: True`: an operation without it is refused."""


@dataclass(slots=True)
class SafetyViolation:
    """What spoke against an operation."""

    constraint_id: str
    constraint_name: str
    severity: ViolationSeverity
    message: str
    code: str = "violation"
    """As in a command's reply: violation, stale_input, rate_limited, circuit_open, halted."""
    actual_value: Any = None
    expected_value: Any = None
    operation_id: str | None = None
    agent_id: str | None = None
    violation_id: str = field(default_factory=lambda: f"violation-{next(_violations)}")
    timestamp: float = 0.0
    """Wall clock, seconds since 1970 UTC."""
    resolved: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class ValidationResult:
    """The answer; `is_safe` is what counts."""

    is_safe: bool
    violations: list[SafetyViolation] = field(default_factory=list)
    warnings: list[SafetyViolation] = field(default_factory=list)
    checked_constraints: int = 0
    """Those that were really evaluated for this operation."""
    validation_time_ms: float = 0.0
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SafetyConfig:
    """How a monitor behaves."""

    enable_circuit_breakers: bool = True
    enable_rate_limiting: bool = True
    enable_constraint_validation: bool = True
    default_failure_threshold: int = 5
    default_timeout_seconds: float = 60.0
    default_rate_limit: int = 100
    halt_on_critical: bool = True
    """A latched trip of a live constraint halts all control. A bad proposal never does."""
    max_violations: int = 1000
    """How many are remembered; the oldest go first, and are counted."""


@dataclass(slots=True)
class SafetyMetrics:
    """What was counted since the start."""

    validations_performed: int = 0
    validations_passed: int = 0
    validations_failed: int = 0
    violations_total: int = 0
    violations_critical: int = 0
    violations_major: int = 0
    violations_minor: int = 0
    violations_forgotten: int = 0
    """Those that had to make room for newer ones."""
    rate_limits_triggered: int = 0
    circuit_breakers_opened: int = 0
    operations_blocked: int = 0
    avg_validation_time_ms: float = 0.0
