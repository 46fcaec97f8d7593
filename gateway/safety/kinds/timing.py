"""TIMING: how long a tag stays on and off at least, how long lies between two writes, and when writing is allowed."""

from dataclasses import dataclass
from datetime import time
from typing import ClassVar, NamedTuple

from drivers.values import Seconds, Value
from gateway.safety.constraint import Constraint, check_positive, is_finite
from gateway.safety.operation import Operation, Write
from gateway.safety.rule import Objection, Rule, World, unknown
from gateway.safety.seen import strict_doubt
from gateway.safety.verdict import Judgement, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing(Constraint):
    """How long a tag stays on and off at least, and how long lies between two writes."""

    kind: ClassVar[str] = "timing"

    tag: str
    min_on: Seconds | None = None
    """It is not switched off before it was on for so long."""
    min_off: Seconds | None = None
    """It is not switched on before it was off for so long."""
    min_interval: Seconds | None = None
    """Between two writes to it."""
    not_before: str | None = None
    """Writes are allowed from this time of the day on, `06:00`, local time."""
    not_after: str | None = None
    """And until this one, which is past midnight where it is the earlier of the two."""

    def __post_init__(self) -> None:
        Constraint.__post_init__(self)
        for key in ("min_on", "min_off", "min_interval"):
            check_positive(key, getattr(self, key))
        if (self.not_before is None) is not (self.not_after is None):
            raise ValueError("not_before and not_after: one needs the other")
        _ = self.window
        if all(limit is None for limit in (self.min_on, self.min_off, self.min_interval, self.not_before)):
            raise ValueError("no limit is set; give min_on, min_off, min_interval, or not_before and not_after")

    @property
    def watched(self) -> tuple[str, ...]:
        return (self.tag,)

    @property
    def window(self) -> tuple[time, time] | None:
        """When writes are allowed; None for always. Raises ValueError."""
        if self.not_before is None or self.not_after is None:
            return None
        return _time("not_before", self.not_before), _time("not_after", self.not_after)


class State(NamedTuple):
    """A value, and since when it is surely that one."""

    value: Value
    since: float


class TimingRule(Rule):
    """A tag, its state, and since when it is surely in it."""

    restless = True  # a tag that does not change is told of by nobody, and grows older in its state

    def __init__(self, constraint: Timing) -> None:
        super().__init__(constraint)
        self._tag = constraint.tag
        self._rest = {True: constraint.min_off or 0.0, False: constraint.min_on or 0.0}
        """By what is proposed: how long the opposite must have lasted."""
        self._interval = constraint.min_interval or 0.0
        self._window = constraint.window
        self._state: State | None = None

    def live(self, world: World, now: float) -> Judgement:
        seen = self.see(self._tag, world, now)
        why = strict_doubt(seen, now) or self._oddity(seen.sample.value)
        if why:
            self._state = None  # what it does unseen is not known: its time begins anew when it is seen again
            return unknown(why)
        if self._state is None or seen.sample.value != self._state.value:
            self._state = State(seen.sample.value, now)
        return Judgement(Verdict.OK, "", None, seen.holds_until)

    def _oddity(self, value: Value) -> str:
        """Return why nobody can say in which state a value is, empty where somebody can."""
        if value is None or (any(self._rest.values()) and not isinstance(value, bool)):
            return "wrong_type"
        return "not_finite" if isinstance(value, float) and not is_finite(value) else ""

    @property
    def proposes(self) -> tuple[str, ...]:
        return (self._tag,)

    def object(self, write: Write, operation: Operation, world: World, now: float) -> Objection | None:  # noqa: ARG002
        return self._rests(write, now) or self._comes_too_soon(write, world, now) or self._is_out_of_hours(world)

    def _rests(self, write: Write, now: float) -> Objection | None:
        if not any(self._rest.values()):
            return None
        if not isinstance(write.value, bool):
            return Objection("violation", "wrong_type")  # whether that is on or off, nobody can say
        rest = self._rest[write.value]
        if rest == 0:
            return None
        if self._state is None:
            return Objection("stale_input", "state_unknown")
        if write.value is self._state.value or now - self._state.since >= rest:
            return None
        return Objection("violation", "too_soon", None, rest)

    def _comes_too_soon(self, write: Write, world: World, now: float) -> Objection | None:
        if now - world.last_write(write.tag) >= self._interval:
            return None
        return Objection("violation", "too_soon", None, self._interval)

    def _is_out_of_hours(self, world: World) -> Objection | None:
        if self._window is None:
            return None
        moment = world.local_time()
        if moment is None:
            return Objection("time_untrusted", "time_untrusted")
        first, last = self._window
        at = moment.time()
        inside = first <= at <= last if first <= last else (at >= first or at <= last)
        return None if inside else Objection("violation", "out_of_hours")


def _time(key: str, text: str) -> time:
    try:
        found = time.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        raise ValueError(f"{key}: {text!r} is no time of the day; write it as '06:00'")
    return found
