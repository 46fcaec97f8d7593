"""The seed's SafetyMonitor: constraints, breakers and limiters of a program's own, with the gate behind them.

It decides about the parameters of operations. What live values decide is the gate's: its halt is asked first.
"""

from math import inf
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
from gateway.safety.named import NamedBreakers, NamedLimiters
from gateway.safety.own_rules import OwnRules, Validator
from gateway.safety.parameters import Breach, Parameters, refuses
from gateway.safety.record import Record


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
        self._breakers = NamedBreakers()
        self._limiters = NamedLimiters()
        self._record = Record(self.config.max_violations)

    def add_constraint(self, constraint: SafetyConstraint) -> str:
        """Take in a constraint and return its id. Raises ConfigError for one that could never be judged."""
        same = (each for each in self._constraints.values() if each.name == constraint.name)
        if constraint.constraint_id in self._constraints or any(same):
            raise ConfigError(f"{constraint.name}: there is a constraint of this name or id already")
        if not constraint.enabled:
            self._constraints[constraint.constraint_id] = constraint
            return constraint.constraint_id
        if constraint.constraint_type is ConstraintType.THRESHOLD:
            try:
                self._parameters.add(constraint)
            except (ValueError, TypeError) as error:
                raise ConfigError(f"{constraint.name}: {error}") from None
        else:
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
            self._breakers.all[name] = Breaker(threshold, timeout)
        except ValueError as error:
            raise ConfigError(f"{name}: {error}") from None

    def add_rate_limiter(self, key: str, max_requests: int | None = None, window_seconds: float = 60.0) -> None:
        """Limit the operations that name the key, or are called like it. Raises ConfigError."""
        limit = self.config.default_rate_limit if max_requests is None else max_requests
        if not (limit >= 1 and 0 < window_seconds < inf):
            raise ConfigError(f"{key}: a limiter needs at least 1 request in a window above 0 s")
        self._limiters.all[key] = SlidingWindow(limit, window_seconds)

    async def validate_operation(self, context: OperationContext) -> ValidationResult:
        """Return whether the operation may go ahead, and everything that speaks against it."""
        begun = self._clock.monotonic()
        validates = self.config.enable_constraint_validation
        own = self._own if validates and self._own else None
        asked = [] if own is None else await own.ask(context)
        # From here on nothing is awaited: what is found to have room takes it before anybody else can.
        now = self._clock.monotonic()
        violations = self._refusals(context, now)
        warnings: list[SafetyViolation] = []
        checked = 0
        if validates:
            breaches, checked = self._parameters.check(context.parameters)
            if own is not None:
                breaches = [*own.crowded(context, now), *breaches, *asked]
                checked += len(own)
            for breach in breaches:
                (violations if refuses(breach.constraint) else warnings).append(self._violation(breach, context))
        if not checked and context.parameters:
            warnings.append(self._unmatched(context))
        if not violations:
            self._take(context, now)
        spent = self._clock.monotonic() - begun
        result = ValidationResult(not violations, violations, warnings, checked, spent * 1000)
        self._record.note(result, spent)
        return result

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

    def record_success(self, agent_id: str, operation_type: str) -> None:
        """Note that an operation went well; the breaker of that name hears of it."""
        now = self._clock.monotonic()
        for _, breaker in self._breakers.of(agent_id, operation_type):
            breaker.succeed(now)

    def record_failure(self, agent_id: str, operation_type: str) -> None:
        """Note that an operation failed; the breaker of that name hears of it."""
        now = self._clock.monotonic()
        for _, breaker in self._breakers.of(agent_id, operation_type):
            before = breaker.state(now)
            breaker.fail(now)
            if before is not CircuitState.OPEN and breaker.state(now) is CircuitState.OPEN:
                self._record.opened()

    def get_circuit_breaker_status(self) -> dict[str, dict[str, Any]]:
        """Return each breaker's state and its failures in a row."""
        now = self._clock.monotonic()
        return {
            name: {"state": breaker.state(now), "failure_count": breaker.failures}
            for name, breaker in self._breakers.all.items()
        }

    def get_violations(
        self, severity: ViolationSeverity | None = None, *, resolved: bool | None = None
    ) -> list[SafetyViolation]:
        """Return the newest violations, oldest first."""
        return self._record.violations(severity, resolved=resolved)

    def resolve_violation(self, violation_id: str) -> bool:
        """Mark a violation as dealt with; return whether there is such a one."""
        return self._record.resolve(violation_id)

    def get_constraints(self) -> list[SafetyConstraint]:
        """Return every constraint, in the order in which they were added."""
        return list(self._constraints.values())

    def get_metrics(self) -> SafetyMetrics:
        """Return what was counted."""
        return self._record.metrics()

    def _refusals(self, context: OperationContext, now: float) -> list[SafetyViolation]:
        """Everything that refuses before any constraint is asked, in the order halt, breakers, limiters."""
        found: list[SafetyViolation] = []
        if self.is_halted:
            found.append(self._refusal(context, "halted", "all control is halted by a trip", "halt"))
        if self.config.enable_circuit_breakers:
            for name, state in self._breakers.against(context, now):
                found.append(self._refusal(context, "circuit_open", f"breaker {name} is {state}", name))
        if self.config.enable_rate_limiting:
            for key, limiter in self._limiters.against(context, now):
                message = f"{key}: {limiter.limit} in {limiter.window:g} s are taken"
                found.append(self._refusal(context, "rate_limited", message, key))
        return found

    def _take(self, context: OperationContext, now: float) -> None:
        """Use up what an operation that goes ahead uses up; a refused one uses nothing."""
        if self.config.enable_rate_limiting:
            self._limiters.take(context, now)
        if self.config.enable_circuit_breakers:
            self._breakers.take(context, now)
        if self._own:
            self._own.take(context, now)

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

    def _refusal(
        self,
        context: OperationContext,
        code: str,
        message: str,
        name: str,
        severity: ViolationSeverity = ViolationSeverity.CRITICAL,
    ) -> SafetyViolation:
        return SafetyViolation(
            constraint_id=name,
            constraint_name=name,
            severity=severity,
            message=message,
            code=code,
            operation_id=context.operation_id,
            agent_id=context.agent_id,
            timestamp=self._clock.wall(),
        )

    def _unmatched(self, context: OperationContext) -> SafetyViolation:
        message = f"no constraint is about {', '.join(sorted(context.parameters))}"
        name = "unmatched_parameters"
        return self._refusal(context, name, message, name, ViolationSeverity.WARNING)
