"""RATE_OF_CHANGE: how fast a live tag changes, and how far a write may step from where the plant is."""

from dataclasses import dataclass
from math import inf
from typing import ClassVar

from gateway.safety.constraint import Constraint, check_positive
from gateway.safety.operation import Operation, Write
from gateway.safety.rule import Objection, Rule, World, unknown
from gateway.safety.seen import Seen, is_certain, number, proposed_number
from gateway.safety.verdict import OK, VIOLATED, Judgement

SCANS_PER_MAX_AGE = 3
"""A tag's max_age is three of its scans unless somebody says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateOfChange(Constraint):
    """A live tag changes no faster than this, and no write steps further than that."""

    kind: ClassVar[str] = "rate_of_change"

    tag: str
    max_per_second: float | None = None
    """In the tag's unit, either way."""
    max_step: float | None = None
    """The furthest that a proposed value may lie from the tag's last good one, in the tag's unit."""
    limits_also: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        Constraint.__post_init__(self)
        if self.max_per_second is None and self.max_step is None:
            raise ValueError("no limit is set; give max_per_second or max_step")
        check_positive("max_per_second", self.max_per_second)
        check_positive("max_step", self.max_step)

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        return None, self.max_per_second

    @property
    def watched(self) -> tuple[str, ...]:
        return (self.tag,)

    @property
    def limited(self) -> tuple[str, ...]:
        return self.limits_also


class RateOfChangeRule(Rule):
    """A rate, and the last value that could be believed."""

    restless = True  # of an answer that changes nothing nobody is told, and it ends a change

    def __init__(self, constraint: RateOfChange) -> None:
        super().__init__(constraint)
        self._tag = constraint.tag
        self._fastest = inf if constraint.max_per_second is None else constraint.max_per_second
        self._step = inf if constraint.max_step is None else constraint.max_step
        self._reference: Seen | None = None
        """The answer from which a change is measured."""
        self._rate: float | str = ""
        """In the tag's unit a second; while nobody knows it, why."""

    def live(self, world: World, now: float) -> Judgement:
        whole = world.seen(self._tag, now)
        seen = whole if whole.max_age <= self._oldest else self.narrow(whole)
        value, why = number(seen, now)
        if why or not is_certain(seen):
            # What lies between two good values is not known: the next one is a new beginning.
            self._reference = None
            return unknown(why or seen.sample.reason)
        before, self._reference = self._reference, whole
        if before is None or before.answered != whole.answered or before.sample != whole.sample:
            self._rate = _rate(before, whole, value)  # else there was no answer since
        if isinstance(self._rate, str):
            return unknown(self._rate)
        if self._rate <= self._fastest:
            return Judgement(OK, "", self._rate, seen.holds_until)
        return Judgement(VIOLATED, "too_fast", self._rate, seen.holds_until)

    @property
    def proposes(self) -> tuple[str, ...]:
        return (*self.constraint.watched, *self.constraint.limited) if self._step < inf else ()

    def object(self, write: Write, operation: Operation, world: World, now: float) -> Objection | None:  # noqa: ARG002
        value, why = proposed_number(write.value)
        if why:
            return Objection("violation", why)
        # A step is taken from where the written tag stands; a tag that only limits is not where it starts.
        seen = self.see(write.tag, world, now)
        current, why = number(seen, now)
        if why or not is_certain(seen):
            return Objection("stale_input", why or seen.sample.reason)
        step = abs(value - current)
        return None if step <= self._step else Objection("violation", "too_large_a_step", step, self._step)


def _rate(before: Seen | None, after: Seen, value: float) -> float | str:
    """Return the change between two answers, or why it is not known. Value: the later one's."""
    if before is None:
        return "first_value"
    change = abs(value - before.sample.value)  # type: ignore[operator]  # of a good answer, and so a number
    if change == 0 and before.sample.source_time == after.sample.source_time:
        return 0.0  # the source lives and has nothing new
    elapsed = _elapsed(before, after)
    return change / elapsed if elapsed > 0 else "no_time_between"


def _elapsed(before: Seen, after: Seen) -> float:
    """Return the seconds in which the change took place, by the source's clock where it has one.

    Both as the tag says, with its own max_age, whatever the constraint says besides.
    """
    first, last = before.sample.source_time, after.sample.source_time
    if first is None or last is None:
        return after.answered - max(before.answered, after.before)
    # A subscribed value that stood still was last proved one scan ago, however old its time stamp.
    return min(last - first, after.max_age / SCANS_PER_MAX_AGE)
