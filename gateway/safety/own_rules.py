"""Constraints that a program brings itself: conditions, validators, and how often each agent may act.

Not pure: a validator may be a coroutine. What raises, or is not surely a yes, refuses.
"""

import inspect
from collections.abc import Awaitable, Callable
from math import inf
from typing import NamedTuple, TypeAlias

from gateway.errors import ConfigError
from gateway.safety.library import ConstraintType, OperationContext, SafetyConstraint, SafetyViolation
from gateway.safety.limiter import SlidingWindow
from gateway.safety.parameters import Breach

Found: TypeAlias = SafetyViolation | None
Validator: TypeAlias = Callable[[OperationContext, SafetyConstraint], Found | Awaitable[Found]]
"""Returns what speaks against an operation, None where nothing does."""

MOST_AGENTS = 10_000
"""For whom operations are counted at once; for one more there is no room until another's window is over."""


class Rate(NamedTuple):
    """How many operations of each agent a constraint lets pass in its window."""

    constraint: SafetyConstraint
    limit: int


class OwnRules:
    """Every constraint that is no threshold."""

    def __init__(self) -> None:
        self.validators: dict[str, Validator] = {}
        """By type, in lower case."""
        self._asked: list[SafetyConstraint] = []
        self._rates: list[Rate] = []
        self._windows: dict[tuple[str, str], SlidingWindow] = {}

    def add(self, constraint: SafetyConstraint) -> None:
        """Take in a constraint. Raises ConfigError where nothing could evaluate it."""
        kind = constraint.constraint_type
        if kind is ConstraintType.RATE_LIMIT:
            self._rates.append(_rate_of(constraint))
            return
        if constraint.condition is None and kind.value not in self.validators:
            message = f"{kind.value} has no condition, and no validator is registered for {kind.value}"
            raise ConfigError(f"{constraint.name}: {message}")
        if constraint.condition is not None and not callable(constraint.condition):
            raise ConfigError(f"{constraint.name}: condition: a function of the operation, returning True to permit")
        self._asked.append(constraint)

    def remove(self, constraint: SafetyConstraint) -> None:
        """Take a constraint out, and what was counted for it."""
        self._asked = [each for each in self._asked if each is not constraint]
        self._rates = [rate for rate in self._rates if rate.constraint is not constraint]
        self._windows = {key: window for key, window in self._windows.items() if key[0] != constraint.constraint_id}

    def __len__(self) -> int:
        return len(self._asked) + len(self._rates)

    async def ask(self, operation: OperationContext) -> list[Breach]:
        """Return every condition and validator that is not surely satisfied."""
        breaches = [await self._ask(constraint, operation) for constraint in self._asked]
        return [breach for breach in breaches if breach is not None]

    def crowded(self, operation: OperationContext, now: float) -> list[Breach]:
        """Return every rate that has no room for the operation; takes nothing."""
        full = [rate for rate in self._rates if not self._has_room(rate, operation.agent_id, now)]
        return [Breach(constraint, "rate_limited", "too_often", None, float(limit)) for constraint, limit in full]

    def take(self, operation: OperationContext, now: float) -> None:
        """Count an operation that goes ahead."""
        for rate in self._rates:
            window = self._window(rate, operation.agent_id, now)
            if window is not None:
                window.take(now)

    async def _ask(self, constraint: SafetyConstraint, operation: OperationContext) -> Breach | None:
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

    def _has_room(self, rate: Rate, agent: str, now: float) -> bool:
        window = self._window(rate, agent, now)
        return window is not None and window.has_room(now)

    def _window(self, rate: Rate, agent: str, now: float) -> SlidingWindow | None:
        """Return the agent's window, None where there is no room for another one."""
        key = (rate.constraint.constraint_id, agent)
        found = self._windows.get(key)
        if found is None:
            if len(self._windows) >= MOST_AGENTS:
                self._windows = {each: window for each, window in self._windows.items() if not window.is_over(now)}
            if len(self._windows) >= MOST_AGENTS:
                return None
            found = self._windows[key] = SlidingWindow(rate.limit, rate.constraint.rate_window_seconds)
        return found


def _rate_of(constraint: SafetyConstraint) -> Rate:
    limit, window = constraint.rate_limit, constraint.rate_window_seconds
    if isinstance(limit, bool) or not isinstance(limit, int) or not limit >= 1:
        raise ConfigError(f"{constraint.name}: rate_limit: at least 1 operation in the window")
    if not 0 < window < inf:
        raise ConfigError(f"{constraint.name}: rate_window_seconds: {window} is no number above 0")
    return Rate(constraint, limit)
