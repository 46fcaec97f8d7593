"""COMPLIANCE: a limit on a tag's time-weighted mean over a window, such as an hourly mean of an emission."""

from collections import deque
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from drivers.values import Seconds
from gateway.safety.band import Band, Held
from gateway.safety.constraint import Constraint, check_limits, check_positive
from gateway.safety.rule import Rule, World, unknown
from gateway.safety.seen import is_certain, number
from gateway.safety.verdict import Judgement, Verdict

PARTS = 240
"""Into which a window is divided: what leaves it leaves by one part at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compliance(Constraint):
    """A tag's time-weighted mean over a window stays within limits."""

    kind: ClassVar[str] = "compliance"

    tag: str
    window: Seconds
    min: float | None = None
    max: float | None = None
    min_coverage: float = 0.75
    """The share of the window that needs good samples, 0 to 1."""

    def __post_init__(self) -> None:
        Constraint.__post_init__(self)
        check_limits(self.min, self.max)
        check_positive("window", self.window)
        if not 0 < self.min_coverage <= 1:
            raise ValueError(f"min_coverage: {self.min_coverage:g} is not above 0 and at most 1")

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        return self.min, self.max

    @property
    def watched(self) -> tuple[str, ...]:
        return (self.tag,)


@dataclass(slots=True)
class _Part:
    """One part of the window."""

    number: int
    integral: float = 0.0
    covered: float = 0.0


class WeightedMean:
    """A mean over a sliding window, each value weighted by how long it held. Times are monotonic."""

    def __init__(self, window: float, parts: int = PARTS) -> None:
        """Window: seconds."""
        self._window = window
        self._length = window / parts
        self._parts: deque[_Part] = deque(maxlen=parts + 1)
        self._last: tuple[float, float] | None = None
        """When the newest value began to hold, and the value."""

    def advance(self, now: float, value: float | None) -> None:
        """Let what held until now count, and take in what holds from now on; None: nothing is known."""
        if self._last is not None:
            self._spread(*self._last, now)
        self._last = None if value is None else (now, value)

    def mean(self, now: float) -> tuple[float, float]:
        """Return the mean and the share of the window that it rests on, 0 to 1."""
        oldest = (now - self._window) / self._length
        kept = [part for part in self._parts if part.number + 1 > oldest]
        covered = sum(part.covered for part in kept)
        if not covered > 0:
            return 0.0, 0.0
        return sum(part.integral for part in kept) / covered, min(covered / self._window, 1.0)

    def _spread(self, start: float, value: float, end: float) -> None:
        start = max(start, end - self._window - self._length)
        while start < end:
            number = int(start // self._length)
            if (number + 1) * self._length <= start:  # rounding: it lies on the border already
                number += 1
            border = min((number + 1) * self._length, end)
            if not self._parts or self._parts[-1].number < number:
                self._parts.append(_Part(number))
            self._parts[-1].integral += value * (border - start)
            self._parts[-1].covered += border - start
            start = border


class ComplianceRule(Rule):
    """A mean and its limits."""

    restless = True  # the window moves though nothing changes

    def __init__(self, constraint: Compliance) -> None:
        super().__init__(constraint)
        self._tag = constraint.tag
        self._band = Band(constraint.min, constraint.max)
        self._needed = constraint.min_coverage
        self._mean = WeightedMean(constraint.window)

    def live(self, world: World, now: float) -> Judgement:
        seen = world.seen(self._tag, now)
        value, why = number(seen, now)
        why = why or ("" if is_certain(seen) else seen.sample.reason)
        self._mean.advance(now, None if why else value)
        mean, coverage = self._mean.mean(now)
        if not coverage >= self._needed:
            return unknown("coverage", mean if coverage > 0 else None)
        passed = self._band.compare(mean, Held.NONE)
        if passed is Held.NONE:
            return Judgement(Verdict.OK, "", mean, inf if why else seen.holds_until)
        return Judgement(Verdict.VIOLATED, passed.value, mean, seen.holds_until)
