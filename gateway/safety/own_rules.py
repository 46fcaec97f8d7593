"""Constraints that a program brings itself: conditions, validators, and how often each agent may act.

Not pure: a validator may be a coroutine. What raises, or is not surely a yes, refuses.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias

from gateway.errors import ConfigError
from gateway.safety.library import ConstraintType, OperationContext, SafetyConstraint, SafetyViolation
from gateway.safety.limiter import SlidingWindow
from gateway.safety.parameters import Breach

Found: TypeAlias = SafetyViolation | None
Validator: TypeAlias = Callable[[OperationContext, SafetyConstraint], Found | Awaitable[Found]]
"""Returns what speaks against an operation, None where nothing does."""

MOST_AGENTS = 10_000
"""For whom operations are counted at once; for one more there is no room until another's window is over."""


class OwnRules:
    """Every constraint that is no threshold."""

    def __init__(self) -> None:
        self.validators: dict[str, Validator] = {}
        """By type, in lower case."""
        self._constraints: list[SafetyConstraint] = []
        self._windows: dict[tuple[str, str], SlidingWindow] = {}

    def add(self, constraint: SafetyConstraint) -> None:
        """Take in a constraint. Raises ConfigError where nothing could evaluate it."""
        if constraint.constraint_type is ConstraintType.RATE_LIMIT:
            _check_rate(constraint)
        elif constraint.condition is None and constraint.constraint_type.value not in self.validators:
            kind = constraint.constraint_type.value
            raise ConfigError(f"{constraint.name}: {kind} has no condition, and no validator is registered for {kind}")
        elif constraint.condition is not None and not callable(constraint.condition):
            raise ConfigError(f"{constraint.name}: condition: a function of the operation, returning True to permit")
        self._constraints.append(constraint)

    def remove(self, constraint: SafetyConstraint) -> None:
        """Take a constraint out, and what was counted for it."""
        self._constraints = [each for each in self._constraints if each is not constraint]
        self._windows = {key: window for key, window in self._windows.items() if key[0] != constraint.constraint_id}

    def __len__(self) -> int:
        return len(self._constraints)

    async def check(self, operation: OperationContext, now: float) -> list[Breach]:
        """Return everything that is not surely satisfied; takes nothing."""
        breaches = [await self._check(constraint, operation, now) for constraint in self._constraints]
        return [breach for breach in breaches if breach is not None]

    def take(self, operation: OperationContext, now: float) -> None:
        """Count an operation that goes ahead."""
        for constraint in self._rates():
            window = self._window(constraint, operation.agent_id, now)
            if window is not None:
                window.take(now)

    async def _check(self, constraint: SafetyConstraint, operation: OperationContext, now: float) -> Breach | None:
        if constraint.constraint_type is ConstraintType.RATE_LIMIT:
            window = self._window(constraint, operation.agent_id, now)
            limit = float(constraint.rate_limit or 0)
            has_room = window is not None and window.has_room(now)
            return None if has_room else Breach(constraint, "rate_limited", "too_often", None, limit)
        try:
            return await self._evaluate(constraint, operation)
        except Exception as error:  # noqa: BLE001  (whoever cannot say that it permits does not permit)
            return Breach(constraint, "stale_input", f"raised {type(error).__name__}")

    async def _evaluate(self, constraint: SafetyConstraint, operation: OperationContext) -> Breach | None:
        if constraint.condition is not None:
            permits: object = constraint.condition(operation)
            return None if permits is True else Breach(constraint, "violation", "condition", permits)
        found = self.validators[constraint.constraint_type.value](operation, constraint)
        if inspect.isawaitable(found):
            found = await found
        if found is None:
            return None
        return Breach(constraint, "violation", found.message, found.actual_value)

    def _rates(self) -> Iterable[SafetyConstraint]:
        return (each for each in self._constraints if each.constraint_type is ConstraintType.RATE_LIMIT)

    def _window(self, constraint: SafetyConstraint, agent: str, now: float) -> SlidingWindow | None:
        """Return the agent's window, None where there is no room for another one."""
        key = (constraint.constraint_id, agent)
        found = self._windows.get(key)
        if found is None:
            if len(self._windows) >= MOST_AGENTS:
                self._windows = {each: window for each, window in self._windows.items() if not window.is_over(now)}
            if len(self._windows) >= MOST_AGENTS:
                return None
            found = SlidingWindow(constraint.rate_limit or 0, constraint.rate_window_seconds)
            self._windows[key] = found
        return found


def _check_rate(constraint: SafetyConstraint) -> None:
    limit, window = constraint.rate_limit, constraint.rate_window_seconds
    if isinstance(limit, bool) or not isinstance(limit, int) or not limit >= 1:
        raise ConfigError(f"{constraint.name}: rate_limit: at least 1 operation in the window")
    if not 0 < window < float("inf"):
        raise ConfigError(f"{constraint.name}: rate_window_seconds: {window} is no number above 0")
