"""COMPLIANCE: a limit on a tag's time-weighted mean over a window, such as an hourly mean of an emission."""

from dataclasses import dataclass
from math import inf
from typing import ClassVar

from drivers.values import Seconds
from gateway.safety.band import Band, Held
from gateway.safety.constraint import Constraint, check_limits, check_positive
from gateway.safety.rule import Rule, World, unknown
from gateway.safety.seen import number, strict_doubt
from gateway.safety.verdict import Judgement, Verdict
from gateway.tags.computed.window import Window


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


class ComplianceRule(Rule):
    """A mean and its limits."""

    restless = True  # the window moves though nothing changes

    def __init__(self, constraint: Compliance) -> None:
        super().__init__(constraint)
        self._tag = constraint.tag
        self._band = Band(constraint.min, constraint.max)
        self._needed = constraint.min_coverage
        self._length = constraint.window
        self._window: Window | None = None
        """Since the first evaluation."""
        self._fresh_until = inf
        """When the value that holds in the window stops counting, if nobody looks before."""

    def live(self, world: World, now: float) -> Judgement:
        seen = self.see(self._tag, world, now)
        value, why = number(seen, now)
        why = why or strict_doubt(seen, now)
        if self._window is None:
            self._window = Window(self._length, now)
        if self._fresh_until < now:
            self._window.take(None, self._fresh_until)
        self._window.take(None if why else value, now)
        self._fresh_until = inf if why else seen.holds_until
        seen_so_far = self._window.summary()
        mean = seen_so_far.integral / seen_so_far.seconds if seen_so_far.seconds > 0 else None
        if mean is None or not seen_so_far.coverage >= self._needed:
            return unknown("coverage", mean)
        passed = self._band.compare(mean, Held.NONE)
        if passed is Held.NONE:
            # While the input is doubtful the window loses coverage all the time: this holds for no longer than now.
            return Judgement(Verdict.OK, "", mean, now if why else seen.holds_until)
        if why:  # old values that leave the window move the mean: without a new one that is no violation
            return unknown(why, mean)
        return Judgement(Verdict.VIOLATED, passed.value, mean, seen.holds_until)
