"""VOTE: k of n redundant sensors. Each is compared first, then the votes are counted: a median hides a failure."""

from dataclasses import dataclass
from math import inf
from statistics import median
from typing import ClassVar

from gateway.safety.band import Band, Held
from gateway.safety.constraint import Constraint, check_hysteresis, check_limits, check_positive
from gateway.safety.rule import Rule, World, unknown
from gateway.safety.seen import is_certain, number
from gateway.safety.verdict import Judgement, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote(Constraint):
    """Of several sensors of one quantity, so many must pass the limit for a violation."""

    kind: ClassVar[str] = "vote"

    tags: tuple[str, ...]
    agree: int
    min: float | None = None
    max: float | None = None
    hysteresis: float = 0.0
    deviation: float | None = None
    """Sensors further from their median than this raise an alarm."""
    degrade: tuple[int, ...] | None = None
    """How many must agree with one bad sensor, with two, and so on; where absent a bad one counts as a violation.

    `[1]` makes two of three into one of the two that are left; with more bad ones than it names, none is believed.
    """

    def __post_init__(self) -> None:
        Constraint.__post_init__(self)
        check_limits(self.min, self.max)
        check_positive("deviation", self.deviation)
        check_hysteresis(self.hysteresis, self.min, self.max)
        if len(set(self.tags)) != len(self.tags):
            raise ValueError("tags: one sensor has one vote; a tag is named twice")
        if not 1 <= self.agree <= len(self.tags):
            raise ValueError(f"agree: {self.agree} is not within 1 and the number of tags, {len(self.tags)}")
        for bad, agree in enumerate(self.degrade or (), start=1):
            if not 1 <= agree <= len(self.tags) - bad:
                raise ValueError(f"degrade: {agree} of the {len(self.tags) - bad} that are left is not possible")

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        return self.min, self.max

    @property
    def watched(self) -> tuple[str, ...]:
        return self.tags


class VoteRule(Rule):
    """Sensors, each with the limit that it holds."""

    def __init__(self, constraint: Vote) -> None:
        super().__init__(constraint)
        self._vote = constraint
        self._band = Band(constraint.min, constraint.max, constraint.hysteresis)
        self._held = dict.fromkeys(constraint.tags, Held.NONE)
        self._born: set[str] = set()
        """Sensors that could be believed once since the start: of others a silence is no vote."""
        self.deviating: tuple[str, ...] = ()
        """The sensors that are further from the median than is allowed; for an alarm, it decides nothing."""

    def live(self, world: World, now: float) -> Judgement:
        values: dict[str, float] = {}
        until, reason = inf, ""
        for tag in self._vote.tags:
            seen = self.see(tag, world, now)
            value, why = number(seen, now)
            passed = Held.NONE if why else self._band.compare(value, self._held[tag])
            if not why and passed is Held.NONE and not is_certain(seen):
                why = seen.sample.reason
            if why:
                reason = f"{tag}:{why}"
                continue
            self._held[tag] = passed
            values[tag] = value
            until = min(until, seen.holds_until)
        self._born |= values.keys()
        self._compare_with_median(values)
        if not values:
            return unknown(reason)
        return self._degraded(values, until, reason) if self._vote.degrade else self._counted(values, until, reason)

    def _counted(self, values: dict[str, float], until: float, reason: str) -> Judgement:
        """A bad sensor counts as one that passes the limit."""
        against = self._against(values)
        votes = len(against) + len(self._born - values.keys())
        if votes >= self._vote.agree:
            why = self._held[against[0]].value if against else reason
            return Judgement(Verdict.VIOLATED, why, median(values.values()), until)
        if votes + len(self._vote.tags) - len(self._born) >= self._vote.agree:
            return unknown(reason, median(values.values()))
        return Judgement(Verdict.OK, "", median(values.values()), until)

    def _degraded(self, values: dict[str, float], until: float, reason: str) -> Judgement:
        """Bad sensors are left out, and so many of the others must agree as was declared for that."""
        degrade = (self._vote.agree, *(self._vote.degrade or ()))
        bad = len(self._vote.tags) - len(values)
        if not bad < len(degrade):
            return unknown(reason, median(values.values()))
        against = self._against(values)
        if len(against) >= degrade[bad]:
            return Judgement(Verdict.VIOLATED, self._held[against[0]].value, median(values.values()), until)
        return Judgement(Verdict.OK, "", median(values.values()), until)

    def _against(self, values: dict[str, float]) -> list[str]:
        return [tag for tag in values if self._held[tag] is not Held.NONE]

    def _compare_with_median(self, values: dict[str, float]) -> None:
        allowed = self._vote.deviation
        if allowed is None or len(values) < 2:
            self.deviating = ()
            return
        middle = median(values.values())
        self.deviating = tuple(tag for tag, value in values.items() if not abs(value - middle) <= allowed)
