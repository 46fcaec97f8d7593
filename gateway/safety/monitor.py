"""The seed's SafetyMonitor: constraints, breakers and limiters of a program's own, with the gate behind them.

It decides about the parameters of operations. What live values decide is the gate's: its halt is asked first.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from gateway.clock import Clock, SystemClock
from gateway.errors import ConfigError
from gateway.safety.breaker import Breaker, CircuitState
from gateway.safety.library import (
    SEVERITIES,
    ConstraintType,
    OperationContext,
    SafetyConfig,
    SafetyConstraint,
    SafetyMetrics,
    SafetyViolation,
    ValidationResult,
    ViolationSeverity,
)
from gateway.safety.limiter import SlidingWindow
from gateway.safety.own_rules import OwnRules, Validator
from gateway.safety.parameters import Breach, Parameters, refuses


class Halting(Protocol):
    """What a monitor asks of the gate."""

    @property
    def is_halted(self) -> bool: ...

    def reset_all(self, now: float) -> str:
        """Return the code of a refusal, empty where nothing is latched any more."""


class SafetyMonitor:
    """Says whether an operation may go ahead. Without a gate nothing ever halts it: a proposal cannot."""

    def __init__(
        self, config: SafetyConfig | None = None, *, clock: Clock | None = None, gate: Halting | None = None
    ) -> None:
        self.config = config or SafetyConfig()
        self._clock = clock or SystemClock()
        self._gate = gate
        self._constraints: dict[str, SafetyConstraint] = {}
        self._parameters = Parameters()
        self._own = OwnRules()
        self._breakers: dict[str, Breaker] = {}
        self._limiters: dict[str, SlidingWindow] = {}
        self._violations: deque[SafetyViolation] = deque(maxlen=self.config.max_violations)
        self._metrics = SafetyMetrics()
        self._spent = 0.0

    # What is declared

    def add_constraint(self, constraint: SafetyConstraint) -> str:
        """Take in a constraint and return its id. Raises ConfigError for one that could never be judged."""
        same = (each for each in self._constraints.values() if each.name == constraint.name)
        if constraint.constraint_id in self._constraints or any(same):
            raise ConfigError(f"{constraint.name}: there is a constraint of this name or id already")
        if constraint.enabled and constraint.constraint_type is ConstraintType.THRESHOLD:
            try:
                self._parameters.add(constraint)
            except ValueError as error:
                raise ConfigError(f"{constraint.name}: {error}") from None
        elif constraint.enabled:
            self._own.add(constraint)
        self._constraints[constraint.constraint_id] = constraint
        return constraint.constraint_id

    def remove_constraint(self, constraint_id: str) -> bool:
        """Forget a constraint; return whether there was one."""
        constraint = self._constraints.pop(constraint_id, None)
        if constraint is None:
            return False
        self._parameters.remove(constraint)
        self._own.remove(constraint)
        return True

    def register_validator(self, constraint_type: str, validator: Validator) -> None:
        """Let a function judge the constraints of a type that have no condition; it may be a coroutine."""
        self._own.validators[ConstraintType(constraint_type.casefold()).value] = validator

    def add_circuit_breaker(
        self, name: str, failure_threshold: int | None = None, timeout_seconds: float | None = None
    ) -> None:
        """Guard the operations of that name, `operation_type` or `agent:operation_type`. Raises ConfigError."""
        config = self.config
        threshold = config.default_failure_threshold if failure_threshold is None else failure_threshold
        timeout = config.default_timeout_seconds if timeout_seconds is None else timeout_seconds
        try:
            self._breakers[name] = Breaker(threshold, timeout)
        except ValueError as error:
            raise ConfigError(f"{name}: {error}") from None

    def add_rate_limiter(self, key: str, max_requests: int | None = None, window_seconds: float = 60.0) -> None:
        """Limit the operations that name the key, or are called like it. Raises ConfigError."""
        limit = self.config.default_rate_limit if max_requests is None else max_requests
        if not (limit >= 1 and 0 < window_seconds < float("inf")):
            raise ConfigError(f"{key}: a limiter needs at least 1 request in a window above 0 s")
        self._limiters[key] = SlidingWindow(limit, window_seconds)

    # What is asked

    async def validate_operation(self, context: OperationContext) -> ValidationResult:
        """Return whether the operation may go ahead, and everything that speaks against it."""
        started = self._clock.monotonic()
        violations: list[SafetyViolation] = []
        warnings: list[SafetyViolation] = []
        violations += self._halted(context)
        violations += self._open_breakers(context, started)
        violations += self._exhausted_limiters(context, started)
        checked = 0
        if self.config.enable_constraint_validation:
            breaches, checked = self._parameters.check(context.parameters)
            checked += len(self._own)
            if len(self._own):
                breaches += await self._own.check(context, started)
            for breach in breaches:
                (violations if refuses(breach.constraint) else warnings).append(self._violation(breach, context))
        if not checked and context.parameters:
            warnings.append(self._unmatched(context))
        if not violations:
            self._take(context, started)
        return self._finish(ValidationResult(not violations, violations, warnings, checked), started)

    def is_safe_to_proceed(self) -> bool:
        """Return whether nothing halts all control."""
        return not self.is_halted

    @property
    def is_halted(self) -> bool:
        """That a latched trip of a live constraint stops all control."""
        return self.config.halt_on_critical and self._gate is not None and self._gate.is_halted

    def reset_halt(self, actor: str, reason: str) -> str:
        """Clear every latched trip whose cause is gone; return the code of a refusal, empty where it is done.

        Raises ConfigError without actor and reason: a reset is somebody's decision.
        """
        if not actor.strip() or not reason.strip():
            raise ConfigError("reset_halt: say who resets, and why")
        return "" if self._gate is None else self._gate.reset_all(self._clock.monotonic())

    # What is told

    def record_success(self, agent_id: str, operation_type: str) -> None:
        """Note that an operation went well."""
        for breaker in self._named_breakers(agent_id, operation_type).values():
            breaker.succeed(self._clock.monotonic())

    def record_failure(self, agent_id: str, operation_type: str) -> None:
        """Note that an operation failed."""
        now = self._clock.monotonic()
        for breaker in self._named_breakers(agent_id, operation_type).values():
            before = breaker.state(now)
            breaker.fail(now)
            if before is not CircuitState.OPEN and breaker.state(now) is CircuitState.OPEN:
                self._metrics.circuit_breakers_opened += 1

    # What is shown

    def get_circuit_breaker_status(self) -> dict[str, dict[str, Any]]:
        """Return each breaker's state and its failures in a row."""
        now = self._clock.monotonic()
        return {
            name: {"state": breaker.state(now), "failure_count": breaker.failures}
            for name, breaker in self._breakers.items()
        }

    def get_violations(
        self, severity: ViolationSeverity | None = None, *, resolved: bool | None = None
    ) -> list[SafetyViolation]:
        """Return the newest violations, oldest first."""
        return [
            each for each in self._violations if severity in {None, each.severity} and resolved in {None, each.resolved}
        ]

    def resolve_violation(self, violation_id: str) -> bool:
        """Mark a violation as dealt with; return whether there is such a one."""
        for each in self._violations:
            if each.violation_id == violation_id:
                each.resolved = True
                return True
        return False

    def get_constraints(self) -> list[SafetyConstraint]:
        """Return every constraint, in the order in which they were added."""
        return list(self._constraints.values())

    def get_metrics(self) -> SafetyMetrics:
        """Return what was counted."""
        performed = self._metrics.validations_performed
        return replace(self._metrics, avg_validation_time_ms=self._spent / performed * 1000 if performed else 0.0)

    def _halted(self, context: OperationContext) -> list[SafetyViolation]:
        if not self.is_halted:
            return []
        return [self._refusal(context, "halted", "all control is halted by a trip", "halt")]

    def _open_breakers(self, context: OperationContext, now: float) -> list[SafetyViolation]:
        if not self.config.enable_circuit_breakers:
            return []
        breakers = self._named_breakers(context.agent_id, context.operation_type, context.metadata)
        return [
            self._refusal(context, "circuit_open", f"breaker {name} is {breaker.state(now).value}", name)
            for name, breaker in breakers.items()
            if not breaker.permits(now)
        ]

    def _exhausted_limiters(self, context: OperationContext, now: float) -> list[SafetyViolation]:
        return [
            self._refusal(context, "rate_limited", f"{key}: {limiter.limit} in {limiter.window:g} s are taken", key)
            for key, limiter in self._named_limiters(context).items()
            if not limiter.has_room(now)
        ]

    def _take(self, context: OperationContext, now: float) -> None:
        """Use up what an operation that goes ahead uses up; a refused one uses nothing."""
        for limiter in self._named_limiters(context).values():
            limiter.take(now)
        if self.config.enable_circuit_breakers and self._breakers:
            for breaker in self._named_breakers(context.agent_id, context.operation_type, context.metadata).values():
                breaker.take(now)
        if len(self._own):
            self._own.take(context, now)

    def _named_breakers(
        self, agent_id: str, operation_type: str, metadata: Mapping[str, Any] | None = None
    ) -> dict[str, Breaker]:
        if not self._breakers:
            return {}
        named = (metadata or {}).get("circuit_breaker")
        names = (operation_type, f"{agent_id}:{operation_type}", named)
        return {name: self._breakers[name] for name in names if name in self._breakers}

    def _named_limiters(self, context: OperationContext) -> dict[str, SlidingWindow]:
        if not self._limiters or not self.config.enable_rate_limiting:
            return {}
        kind = context.operation_type
        keys = (kind, f"{context.agent_id}:{kind}", context.metadata.get("rate_limit_key"))
        return {key: self._limiters[key] for key in keys if key in self._limiters}

    def _violation(self, breach: Breach, context: OperationContext) -> SafetyViolation:
        constraint = breach.constraint
        return SafetyViolation(
            constraint_id=constraint.constraint_id,
            constraint_name=constraint.name,
            severity=SEVERITIES[constraint.level],
            message=f"{constraint.name}: {breach.reason}",
            code=breach.code,
            actual_value=breach.value,
            expected_value=breach.limit,
            operation_id=context.operation_id,
            agent_id=context.agent_id,
            timestamp=self._clock.wall(),
        )

    def _refusal(self, context: OperationContext, code: str, message: str, name: str) -> SafetyViolation:
        return SafetyViolation(
            constraint_id=name,
            constraint_name=name,
            severity=ViolationSeverity.CRITICAL if code == "halted" else ViolationSeverity.MAJOR,
            message=message,
            code=code,
            operation_id=context.operation_id,
            agent_id=context.agent_id,
            timestamp=self._clock.wall(),
        )

    def _unmatched(self, context: OperationContext) -> SafetyViolation:
        names = ", ".join(sorted(context.parameters))
        return replace(
            self._refusal(context, "unmatched_parameters", f"no constraint is about {names}", "unmatched_parameters"),
            severity=ViolationSeverity.WARNING,
        )

    def _finish(self, result: ValidationResult, started: float) -> ValidationResult:
        spent = self._clock.monotonic() - started
        self._spent += spent
        result.validation_time_ms = spent * 1000
        metrics = self._metrics
        metrics.validations_performed += 1
        if result.is_safe:
            metrics.validations_passed += 1
        else:
            metrics.validations_failed += 1
            metrics.operations_blocked += 1
        for violation in result.violations:
            self._remember(violation)
        return result

    def _remember(self, violation: SafetyViolation) -> None:
        metrics = self._metrics
        metrics.violations_total += 1
        metrics.violations_critical += violation.severity is ViolationSeverity.CRITICAL
        metrics.violations_major += violation.severity is ViolationSeverity.MAJOR
        metrics.rate_limits_triggered += violation.code == "rate_limited"
        metrics.violations_forgotten += len(self._violations) == self._violations.maxlen
        self._violations.append(violation)
