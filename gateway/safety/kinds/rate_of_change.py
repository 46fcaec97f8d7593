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
        self._rate = 0.0

    def live(self, world: World, now: float) -> Judgement:
        seen = world.seen(self._tag, now)
        value, why = number(seen, now)
        if why or not is_certain(seen):
            # What lies between two good values is not known: the next one is a new beginning.
            self._reference = None
            return unknown(why or seen.sample.reason)
        before, self._reference = self._reference, Reference(value, seen.sample.source_time, seen.answered)
        if before is None:
            return unknown("first_value")
        if before == self._reference:  # no answer since
            return self._judge(seen)
        if (before.value, before.source_time) == (value, seen.sample.source_time):
            self._rate = 0.0  # the source lives and has nothing new
            return self._judge(seen)
        elapsed = _elapsed(before, seen)
        if not elapsed > 0:
            return unknown("no_time_between")
        self._rate = abs(value - before.value) / elapsed
        return self._judge(seen)

    def _judge(self, seen: Seen) -> Judgement:
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
        current, why = number(world.seen(write.tag, now), now)
        if why:
            return Objection("stale_input", why)
        step = abs(value - current)
        return None if step <= self._step else Objection("violation", "too_large_a_step", step, self._step)


def _elapsed(before: Reference, seen: Seen) -> float:
    """Return the seconds in which the change took place, by the source's clock where it has one."""
    received = seen.answered - max(before.answered, seen.before)
    if before.source_time is None or seen.sample.source_time is None:
        return received
    # A subscribed value that stood still was last proved one scan ago, however old its time stamp.
    return min(seen.sample.source_time - before.source_time, seen.max_age / SCANS_PER_MAX_AGE)
