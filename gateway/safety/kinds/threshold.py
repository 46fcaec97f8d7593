"""THRESHOLD: min <= value <= max on a live tag, and on every write to it and to `limits_also`."""

from dataclasses import dataclass
from typing import ClassVar

from gateway.safety.band import NONE, Band, Held
from gateway.safety.constraint import Constraint, check_hysteresis, check_limits
from gateway.safety.operation import Operation, Write
from gateway.safety.rule import Objection, Rule, World, unknown
from gateway.safety.seen import is_certain, number, proposed_number
from gateway.safety.verdict import OK, VIOLATED, Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold(Constraint):
    """A live tag stays within min and max, and so does every write to it and to `limits_also`."""

    kind: ClassVar[str] = "threshold"

    tag: str
    min: float | None = None
    max: float | None = None
    hysteresis: float = 0.0
    """How far inside a limit the value must come back before it is OK again, in the tag's unit."""
    limits_also: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        Constraint.__post_init__(self)
        check_limits(self.min, self.max)
        check_hysteresis(self.hysteresis, self.min, self.max)

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        return self.min, self.max

    @property
    def watched(self) -> tuple[str, ...]:
        return (self.tag,)

    @property
    def limited(self) -> tuple[str, ...]:
        return self.limits_also


class ThresholdRule(Rule):
    """A threshold and the limit that is held at the moment."""

    def __init__(self, constraint: Threshold) -> None:
        super().__init__(constraint)
        self._tag = constraint.tag
        self._band = Band(constraint.min, constraint.max, constraint.hysteresis)
        self._held = NONE

    def live(self, world: World, now: float) -> Judgement:
        seen = self.see(self._tag, world, now)
        value, why = number(seen, now)
        if why:
            return unknown(why)
        passed = self._band.compare(value, self._held)
        if passed is not NONE:
            self._held = passed
            return Judgement(VIOLATED, passed.value, value, seen.holds_until)
        if not is_certain(seen):  # a doubtful value inside the limit is no return from beyond it
            return unknown(seen.sample.reason, value)
        self._held = NONE
        return Judgement(OK, "", value, seen.holds_until)

    @property
    def proposes(self) -> tuple[str, ...]:
        return (*self.constraint.watched, *self.constraint.limited)

    def object(self, write: Write, operation: Operation, world: World, now: float) -> Objection | None:  # noqa: ARG002
        value, why = proposed_number(write.value)
        if why:
            return Objection("violation", why)
        passed = self._band.permits(value)
        if passed is NONE:
            return None
        return Objection("violation", passed.value, value, self._band.high if passed is Held.ABOVE else self._band.low)
