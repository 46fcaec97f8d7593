"""One constraint as the gate runs it: its rule, its last verdict, its latch, its alarm and its bypass."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from gateway.safety.alarm import Alarm
from gateway.safety.constraint import Constraint
from gateway.safety.decision import REFUSING, Finding
from gateway.safety.kinds import rule_of
from gateway.safety.rule import World
from gateway.safety.trip import Latch, TripDelays
from gateway.safety.verdict import Judgement, SafetyLevel, Verdict


class LiveConstraint:
    """A constraint and everything that is remembered of it."""

    __slots__ = ("_globs", "alarm", "bypassed_until", "constraint", "errors", "judgement", "latch", "rule")

    def __init__(self, constraint: Constraint, *, latched: bool = False) -> None:
        """Latched: that a trip of it was in force when the gateway ended."""
        self.constraint = constraint
        self.rule = rule_of(constraint)
        self.judgement = Judgement(Verdict.UNKNOWN, "no_data", None, float("-inf"))
        never = float("inf")
        doubt = constraint.unknown_delay if constraint.on_unknown == "trip" else never
        self.latch = Latch(TripDelays(constraint.on_delay, constraint.off_delay, doubt), latched=latched)
        self.alarm = Alarm(latched=latched)
        self.bypassed_until = float("-inf")
        """Monotonic."""
        self.errors = 0
        self._globs = tuple(constraint.applies_to) or _own_scope(constraint)

    @property
    def name(self) -> str:
        return self.constraint.name

    @property
    def trips(self) -> bool:
        """That a violation latches."""
        return self.constraint.level is SafetyLevel.CRITICAL

    @property
    def refuses(self) -> bool:
        """That it refuses, and does not only warn."""
        return self.constraint.level in REFUSING

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
            self.judgement = Judgement(Verdict.UNKNOWN, "error", None, float("-inf"))
        return (before.verdict, before.reason) != (self.judgement.verdict, self.judgement.reason)

    def finding(self, now: float, tag: str) -> Finding | None:
        """Return what its live verdict says against a write; None where it is OK and still holds."""
        verdict = self.judgement
        if verdict.verdict is Verdict.OK and now <= verdict.holds_until:
            return None
        if verdict.verdict is Verdict.VIOLATED and now <= verdict.holds_until:
            return Finding("violation", self.name, verdict.reason, tag, verdict.value)
        return Finding("stale_input", self.name, verdict.reason or "stale", tag, verdict.value)


def _own_scope(constraint: Constraint) -> Sequence[str]:
    """The devices of its own tags and of those that its trip writes."""
    tags = (*constraint.watched, *constraint.limited, *constraint.on_trip)
    return tuple(dict.fromkeys(f"{tag.partition('.')[0]}.*" for tag in tags)) or ("*",)
