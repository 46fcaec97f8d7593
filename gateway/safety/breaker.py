"""A circuit breaker: after some failures in a row nothing more is tried for a while, then one at a time. Pure."""

from enum import Enum
from math import inf


class CircuitState(Enum):
    """CLOSED lets pass, OPEN does not, HALF_OPEN admits one probe at a time."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Fed with successes and failures; times are monotonic."""

    __slots__ = (
        "_failures",
        "_opened",
        "_probing",
        "_state",
        "_successes",
        "failure_threshold",
        "success_threshold",
        "timeout",
    )

    def __init__(self, failure_threshold: int = 5, timeout: float = 60.0, success_threshold: int = 3) -> None:
        """Timeout: seconds before the first probe. Raises ValueError where it could never open or close."""
        if not (failure_threshold >= 1 and success_threshold >= 1 and 0 < timeout < inf):
            raise ValueError("a breaker needs thresholds of at least 1 and a finite timeout above 0")
        self.failure_threshold = failure_threshold
        self.success_threshold = success_threshold
        self.timeout = timeout
        self._state = CircuitState.CLOSED
        self._failures = 0
        self._successes = 0
        self._opened = -inf
        self._probing = False

    @property
    def failures(self) -> int:
        """Failures in a row."""
        return self._failures

    def state(self, now: float) -> CircuitState:
        """Return the state as it is now."""
        if self._state is CircuitState.OPEN and now - self._opened >= self.timeout:
            return CircuitState.HALF_OPEN
        return self._state

    def permits(self, now: float) -> bool:
        """Return whether something may be tried; asking takes nothing."""
        state = self.state(now)
        return state is CircuitState.CLOSED or (state is CircuitState.HALF_OPEN and not self._probing)

    def take(self, now: float) -> bool:
        """Begin a try, if one is permitted. In HALF_OPEN it is the one probe, until its outcome is told."""
        if not self.permits(now):
            return False
        if self.state(now) is CircuitState.HALF_OPEN:
            self._state = CircuitState.HALF_OPEN
            self._probing = True
        return True

    def succeed(self, now: float) -> None:
        """Note a success."""
        self._probing = False
        self._failures = 0
        if self.state(now) is not CircuitState.HALF_OPEN:
            return  # nothing to prove, or the outcome of a try from before it opened
        self._state = CircuitState.HALF_OPEN
        self._successes += 1
        if self._successes >= self.success_threshold:
            self._state = CircuitState.CLOSED

    def fail(self, now: float) -> None:
        """Note a failure. A late one while OPEN does not push the next probe out."""
        self._probing = False
        state = self.state(now)
        if state is CircuitState.OPEN:
            return
        self._failures += 1
        if state is CircuitState.HALF_OPEN or self._failures >= self.failure_threshold:
            self._state = CircuitState.OPEN
            self._opened = now
            self._successes = 0

    def give_up(self) -> None:
        """Note that a try ended without an outcome."""
        self._probing = False
