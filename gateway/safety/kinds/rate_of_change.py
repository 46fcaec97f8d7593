"""RATE_OF_CHANGE: how fast a live tag changes, and how far a write may step from where the plant is."""

from dataclasses import dataclass
from math import inf
from typing import ClassVar, NamedTuple

from gateway.safety.constraint import Constraint, check_positive
from gateway.safety.operation import Operation, Write
from gateway.safety.rule import Objection, Rule, World, unknown
from gateway.safety.seen import Seen, is_certain, number, proposed_number
from gateway.safety.verdict import Judgement, Verdict

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


class Reference(NamedTuple):
    """The value from which a change is measured."""

    value: float
    source_time: float | None
    answered: float


class RateOfChangeRule(Rule):
    """A rate, and the last value that could be believed."""

    restless = True  # of an answer that changes nothing nobody is told, and it ends a change

    def __init__(self, constraint: RateOfChange) -> None:
        super().__init__(constraint)
        self._tag = constraint.tag
        self._fastest = inf if constraint.max_per_second is None else constraint.max_per_second
        self._step = inf if constraint.max_step is None else constraint.max_step
        self._reference: Reference | None = None
        self._rate: float | str = ""
        """In the tag's unit a second; while nobody knows it, why."""

    def live(self, world: World, now: float) -> Judgement:
        seen = self.see(self._tag, world, now)
        value, why = number(seen, now)
        if why or not is_certain(seen):
            # What lies between two good values is not known: the next one is a new beginning.
            self._reference = None
            return unknown(why or seen.sample.reason)
        before, self._reference = self._reference, Reference(value, seen.sample.source_time, seen.answered)
        if before != self._reference:  # else there was no answer since
            self._rate = _rate(before, self._reference, seen, world.seen(self._tag, now).max_age)
        if isinstance(self._rate, str):
            return unknown(self._rate)
        if self._rate <= self._fastest:
            return Judgement(Verdict.OK, "", self._rate, seen.holds_until)
        return Judgement(Verdict.VIOLATED, "too_fast", self._rate, seen.holds_until)

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


def _rate(before: Reference | None, after: Reference, seen: Seen, max_age: float) -> float | str:
    """Return the change between two answers, or why it is not known."""
    if before is None:
        return "first_value"
    if (before.value, before.source_time) == (after.value, after.source_time):
        return 0.0  # the source lives and has nothing new
    elapsed = _elapsed(before, seen, max_age)
    return abs(after.value - before.value) / elapsed if elapsed > 0 else "no_time_between"


def _elapsed(before: Reference, seen: Seen, max_age: float) -> float:
    """Return the seconds in which the change took place, by the source's clock where it has one.

    Max_age: the tag's own, whatever a constraint says besides.
    """
    received = seen.answered - max(before.answered, seen.before)
    if before.source_time is None or seen.sample.source_time is None:
        return received
    # A subscribed value that stood still was last proved one scan ago, however old its time stamp.
    return min(seen.sample.source_time - before.source_time, max_age / SCANS_PER_MAX_AGE)
