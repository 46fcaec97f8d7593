"""RATE_LIMIT: at most so many operations of one key within a sliding window."""

from collections import deque
from dataclasses import dataclass
from typing import ClassVar

from drivers.values import Seconds
from gateway.safety.constraint import Constraint, check_positive
from gateway.safety.limiter import SlidingWindow
from gateway.safety.operation import Operation, Write
from gateway.safety.rule import Objection, Rule, World


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit(Constraint):
    """At most so many operations of one key within a sliding window."""

    kind: ClassVar[str] = "rate_limit"

    key: str
    """A device, or the key that an operation names."""
    max: int
    window: Seconds

    def __post_init__(self) -> None:
        Constraint.__post_init__(self)
        check_positive("max", self.max)
        check_positive("window", self.window)


@dataclass(slots=True)
class UnderWay:
    """An operation that was counted, and how many of its writes may follow."""

    operation: Operation
    writes_left: int


class RateLimitRule(Rule):
    """A limit and the operations that went ahead. Each counts once, however many writes it consists of."""

    def __init__(self, constraint: RateLimit) -> None:
        super().__init__(constraint)
        self._key = constraint.key
        self.window = SlidingWindow(constraint.max, constraint.window)
        self._under_way: deque[UnderWay] = deque(maxlen=constraint.max)

    @property
    def proposes(self) -> None:
        return None

    def object(self, write: Write, operation: Operation, world: World, now: float) -> Objection | None:  # noqa: ARG002
        if not self._counts(operation) or self._counted(operation) or self.window.has_room(now):
            return None
        return Objection("rate_limited", "too_often", None, float(self.window.limit))

    def take(self, operation: Operation, now: float) -> None:
        if not self._counts(operation):
            return
        counted = self._counted(operation)
        if counted is not None:
            counted.writes_left -= 1
        elif self.window.take(now):
            self._under_way.append(UnderWay(operation, len(operation.writes) - 1))

    def _counted(self, operation: Operation) -> UnderWay | None:
        """Return the operation, if this very one was counted already and has writes left."""
        found = (each for each in self._under_way if each.operation is operation and each.writes_left > 0)
        return next(found, None)

    def _counts(self, operation: Operation) -> bool:
        # A key that is named adds to what counts: whoever names one cannot keep the limit of its device from counting.
        return operation.key == self._key or any(write.device == self._key for write in operation.writes)
