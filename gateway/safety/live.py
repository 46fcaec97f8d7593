"""One constraint as the gate runs it: its rule, its last verdict, its latch, its alarm and its bypass."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from math import inf

from gateway.safety.alarm import SHELVED, Alarm
from gateway.safety.constraint import Constraint
from gateway.safety.decision import REFUSING, Finding
from gateway.safety.kinds import rule_of
from gateway.safety.rule import World, unknown
from gateway.safety.trip import Latch, TripDelays
from gateway.safety.verdict import OK, VIOLATED, SafetyLevel


class LiveConstraint:
    """A constraint and everything that is remembered of it."""

    __slots__ = (
        "_globs",
        "alarm",
        "bypassed_until",
        "constraint",
        "errors",
        "judgement",
        "latch",
        "name",
        "refuses",
        "rule",
        "trips",
    )

    def __init__(self, constraint: Constraint, *, latched: bool = False) -> None:
        """Latched: that a trip of it was in force when the gateway ended."""
        self.constraint = constraint
        self.name = constraint.name
        self.trips = constraint.level is SafetyLevel.CRITICAL
        """That a violation latches."""
        self.refuses = constraint.level in REFUSING
        """That it refuses, and does not only warn."""
        self.rule = rule_of(constraint)
        self.judgement = unknown("no_data")
        doubt = constraint.unknown_delay if constraint.on_unknown == "trip" else inf
        self.latch = Latch(TripDelays(constraint.on_delay, constraint.off_delay, doubt), latched=latched)
        self.alarm = Alarm(latched=latched)
        self.bypassed_until = -inf
        """Monotonic."""
        self.errors = 0
        self._globs = tuple(constraint.applies_to) or _own_scope(constraint)

    def is_bypassed(self, now: float) -> bool:
        """Return whether it denies and trips nothing at the moment."""
        return now < self.bypassed_until

    def covers(self, tag: str) -> bool:
        """Return whether the tag is in its scope."""
        return any(fnmatchcase(tag, glob) for glob in self._globs)

    def judge(self, world: World, now: float) -> bool:
        """Judge the live values anew; return whether verdict or reason changed."""
        before = self.judgement
        try:
            self.judgement = self.rule.live(world, now)
        except Exception:  # noqa: BLE001  (an evaluation that raises is a doubt, and a doubt is UNKNOWN)
            self.errors += 1
            self.judgement = unknown("error")
        return before.verdict is not self.judgement.verdict or before.reason != self.judgement.reason

    def settle(self, now: float) -> bool:
        """Let latch and alarm follow the verdict; return whether it tripped just now."""
        tripped = self.run_latch(now)
        active, alarm = self.judgement.verdict is not OK, self.alarm
        if active is not alarm.active or self.latch.is_latched is not alarm.latched or alarm.state is SHELVED:
            self.show(now)
        return tripped

    def run_latch(self, now: float) -> bool:
        """Return whether it tripped just now; one that is latched runs on, whatever its level is by now."""
        if not (self.trips or self.latch.is_latched):
            return False
        return self.latch.judge(self.judgement.verdict, now, held=now < self.bypassed_until)

    def show(self, now: float) -> None:
        """Let the alarm follow."""
        self.alarm.observe(now, active=self.judgement.verdict is not OK, latched=self.latch.is_latched)

    def finding(self, now: float, tag: str) -> Finding | None:
        """Return what its live verdict says against a write; None where it is OK and still holds."""
        verdict = self.judgement
        if verdict.verdict is OK and now <= verdict.holds_until:
            return None
        if verdict.verdict is VIOLATED and now <= verdict.holds_until:
            return Finding("violation", self.name, verdict.reason, tag, verdict.value)
        return Finding("stale_input", self.name, verdict.reason or "stale", tag, verdict.value)


def _own_scope(constraint: Constraint) -> Sequence[str]:
    """The devices of its own tags and of those that its trip writes."""
    tags = (*constraint.watched, *constraint.limited, *constraint.on_trip)
    return tuple(dict.fromkeys(f"{tag.partition('.')[0]}.*" for tag in tags)) or ("*",)
