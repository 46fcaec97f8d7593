"""DEPENDENCY: while some tags have certain values, others must satisfy theirs.

Before a write that would bring those values about it is a permissive; all the time it is an interlock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import ClassVar, NamedTuple

from gateway.safety.constraint import Comparison, Constraint, Setting, check_setting, is_finite, is_same
from gateway.safety.operation import Operation, Write
from gateway.safety.rule import Objection, Rule, World, unknown
from gateway.safety.seen import Seen, strict_doubt
from gateway.safety.verdict import Judgement, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency(Constraint):
    """While the tags of `when` have these values, those of `requires` must satisfy theirs."""

    kind: ClassVar[str] = "dependency"

    when: Mapping[str, Setting | Comparison]
    requires: Mapping[str, Setting | Comparison]

    def __post_init__(self) -> None:
        Constraint.__post_init__(self)
        for key, tags in (("when", self.when), ("requires", self.requires)):
            if not tags:
                raise ValueError(f"{key}: names no tag")
            for tag, wanted in tags.items():
                if not isinstance(wanted, Comparison):
                    check_setting(f"{key}: {tag}", wanted)

    @property
    def watched(self) -> tuple[str, ...]:
        return (*self.when, *self.requires)


class Met(Enum):
    """Whether a comparison holds."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Answer(NamedTuple):
    """Whether comparisons hold, why not, and how long that is so."""

    met: Met
    reason: str = ""
    until: float = inf


class DependencyRule(Rule):
    """A dependency between tags."""

    def __init__(self, constraint: Dependency) -> None:
        super().__init__(constraint)
        self._when = constraint.when
        self._requires = constraint.requires

    def live(self, world: World, now: float) -> Judgement:
        required = self._ask(self._requires, world, now)
        if required.met is Met.YES:
            return Judgement(Verdict.OK, "", None, required.until)
        applies = self._ask(self._when, world, now)
        if applies.met is Met.NO:
            return Judgement(Verdict.OK, "", None, applies.until)
        if applies.met is Met.YES and required.met is Met.NO:
            return Judgement(Verdict.VIOLATED, required.reason, None, min(applies.until, required.until))
        return unknown(applies.reason or required.reason)

    @property
    def proposes(self) -> tuple[str, ...]:
        return tuple(self._when)

    def object(self, write: Write, operation: Operation, world: World, now: float) -> Objection | None:  # noqa: ARG002
        wanted = self._when[write.tag]
        odd = _oddity(wanted, write.value)
        if odd:
            return Objection("violation", odd)
        if not satisfies(wanted, write.value):
            return None  # the write takes the plant out of the condition, or leaves it out
        others = {tag: wanted for tag, wanted in self._when.items() if tag != write.tag}
        if self._ask(others, world, now).met is Met.NO:
            return None
        required = self._ask(self._requires, world, now)
        if required.met is Met.YES:
            return None
        return Objection("violation" if required.met is Met.NO else "stale_input", required.reason)

    def _ask(self, comparisons: Mapping[str, Setting | Comparison], world: World, now: float) -> Answer:
        return _all_met([_met(tag, wanted, self.see(tag, world, now), now) for tag, wanted in comparisons.items()])


def satisfies(wanted: Setting | Comparison, value: object) -> bool:
    """Return whether a value is what is wanted; 1 is not true, and NaN satisfies nothing."""
    if not isinstance(wanted, Comparison):
        return is_same(wanted, value)
    if wanted.equals is not None:
        return is_same(wanted.equals, value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    low = -inf if wanted.min is None else wanted.min
    high = inf if wanted.max is None else wanted.max
    return low <= value <= high


def _all_met(answers: Sequence[Answer]) -> Answer:
    """One that is surely not met decides; else one that is not known; else all are met."""
    for met in (Met.NO, Met.UNKNOWN):
        for answer in answers:
            if answer.met is met:
                return answer
    return Answer(Met.YES, "", min((answer.until for answer in answers), default=inf))


def _met(tag: str, wanted: Setting | Comparison, seen: Seen, now: float) -> Answer:
    value = seen.sample.value
    why = strict_doubt(seen, now) or _oddity(wanted, value)
    if why:
        return Answer(Met.UNKNOWN, f"{tag}:{why}", -inf)
    return Answer(Met.YES if satisfies(wanted, value) else Met.NO, tag, seen.holds_until)


def _oddity(wanted: Setting | Comparison, value: object) -> str:
    """Return why a value cannot be compared with what is wanted, empty where it can."""
    if isinstance(value, (int, float)) and not is_finite(value):
        return "not_finite"
    return "" if _is_comparable(wanted, value) else "wrong_type"


def _is_comparable(wanted: Setting | Comparison, value: object) -> bool:
    """A value of another type than is compared with is a doubt, not a difference."""
    expected = wanted.equals if isinstance(wanted, Comparison) and wanted.equals is not None else wanted
    if isinstance(expected, bool):
        return isinstance(value, bool)
    if isinstance(expected, str):
        return isinstance(value, str)
    return isinstance(value, (int, float)) and not isinstance(value, bool)
