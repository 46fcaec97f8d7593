"""What every kind of constraint can do: judge the live plant, and object to a write that is proposed."""

from collections.abc import Mapping
from datetime import datetime
from math import inf
from typing import ClassVar, NamedTuple, Protocol

from gateway.safety.constraint import Constraint
from gateway.safety.operation import Operation, Write
from gateway.safety.seen import Seen
from gateway.safety.verdict import OK, UNKNOWN, Judgement

NOTHING_LIVE = Judgement(OK, "", None, inf)
"""Of a constraint that watches no live value."""


class World(Protocol):
    """Everything that may be looked at while judging; it does not change while code runs without `await`."""

    def seen(self, tag: str, now: float) -> Seen:
        """Return a tag as it stands at `now`, monotonic."""

    def may_write(self, principal: str, tag: str) -> bool:
        """Return whether the matrix of `authority` allows it."""

    def holds(self, lock: str, locks: Mapping[str, int]) -> bool:
        """Return whether one of these tokens is the current one of the lock."""

    def last_write(self, tag: str) -> float:
        """Return when a frame with this tag last left, monotonic; -inf if never."""

    def local_time(self) -> datetime | None:
        """Return the time of day at the plant, None while the clock is not trusted."""


class Objection(NamedTuple):
    """Why a constraint does not permit a write."""

    code: str
    """One of the codes of a reply: violation, stale_input, rate_limited, forbidden, lock_lost, time_untrusted."""
    reason: str
    """One word: above_max, too_large_a_step, stale, ..."""
    value: float | None = None
    """What was judged, in engineering units."""
    limit: float | None = None


class Rule:
    """One constraint at work. It keeps what it has to remember, and no clock of its own."""

    restless: ClassVar[bool] = False
    """That it has to be judged at every evaluation, since time alone or an unchanged sample tells it something."""

    def __init__(self, constraint: Constraint) -> None:
        self.constraint = constraint
        self._oldest = inf if constraint.max_age is None else constraint.max_age

    def see(self, tag: str, world: World, now: float) -> Seen:
        """Return a tag, no older than the constraint lets it be before it is a doubt."""
        seen = world.seen(tag, now)
        return seen if seen.max_age <= self._oldest else self.narrow(seen)

    def narrow(self, seen: Seen) -> Seen:
        """Return what was seen with the lesser of its own max_age and the constraint's."""
        return seen._replace(max_age=min(seen.max_age, self._oldest))

    def live(self, world: World, now: float) -> Judgement:
        """Judge the live values; asked at each sample of a watched tag and when the last judgement has ended."""
        del world, now
        return NOTHING_LIVE

    @property
    def proposes(self) -> tuple[str, ...] | None:
        """The tags to whose writes it may object by itself; None: to those of any tag in its scope."""
        return ()

    def object(self, write: Write, operation: Operation, world: World, now: float) -> Objection | None:
        """Return why this write cannot be permitted; None permits. Changes nothing."""
        del write, operation, world, now
        return None

    def take(self, operation: Operation, now: float) -> None:
        """Note that an operation goes ahead, where each one counts."""


def unknown(reason: str, value: float | None = None) -> Judgement:
    """Return the judgement of a doubt; it is looked at again at the next evaluation."""
    return Judgement(UNKNOWN, reason, value, -inf)
