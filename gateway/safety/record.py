"""What a monitor has found so far: its newest violations, and its counts."""

from collections import deque
from dataclasses import replace

from gateway.safety.library import SafetyMetrics, SafetyViolation, ValidationResult, ViolationSeverity


class Record:
    """Bounded: the oldest violations go first, and are counted."""

    def __init__(self, most: int) -> None:
        self._violations: deque[SafetyViolation] = deque(maxlen=most)
        self._metrics = SafetyMetrics()
        self._spent = 0.0

    def note(self, result: ValidationResult, seconds: float) -> None:
        """Count an answer, and remember what spoke against the operation."""
        metrics = self._metrics
        self._spent += seconds
        metrics.validations_performed += 1
        if result.is_safe:
            metrics.validations_passed += 1
        else:
            metrics.validations_failed += 1
            metrics.operations_blocked += 1
        for violation in result.violations:
            self._count(violation)
            metrics.violations_forgotten += len(self._violations) == self._violations.maxlen
            self._violations.append(violation)
        for warning in result.warnings:
            metrics.violations_minor += warning.severity is ViolationSeverity.MINOR

    def opened(self) -> None:
        """Count a breaker that opened."""
        self._metrics.circuit_breakers_opened += 1

    def violations(self, severity: ViolationSeverity | None, *, resolved: bool | None) -> list[SafetyViolation]:
        """Return the newest, oldest first."""
        return [
            each for each in self._violations if severity in {None, each.severity} and resolved in {None, each.resolved}
        ]

    def resolve(self, violation_id: str) -> bool:
        """Mark one as dealt with; return whether there is such a one."""
        for each in self._violations:
            if each.violation_id == violation_id:
                each.resolved = True
                return True
        return False

    def metrics(self) -> SafetyMetrics:
        """Return what was counted."""
        performed = self._metrics.validations_performed
        return replace(self._metrics, avg_validation_time_ms=self._spent / performed * 1000 if performed else 0.0)

    def _count(self, violation: SafetyViolation) -> None:
        metrics = self._metrics
        metrics.violations_total += 1
        metrics.violations_critical += violation.severity is ViolationSeverity.CRITICAL
        metrics.violations_major += violation.severity is ViolationSeverity.MAJOR
        metrics.rate_limits_triggered += violation.code == "rate_limited"
