"""THRESHOLD: min <= value <= max on a live tag. Everything that is not surely inside is not OK."""

from dataclasses import dataclass
from enum import Enum
from math import inf, isfinite

from drivers.values import Quality, Sample
from gateway.safety.constraint import Threshold
from gateway.safety.verdict import Judgement, Verdict


class Held(Enum):
    """The limit that was passed, and has not been come back from by the hysteresis yet."""

    NONE = ""
    ABOVE = "above_max"
    BELOW = "below_min"


@dataclass(frozen=True, slots=True)
class Input:
    """What the gate sees of a tag: its sample, when its source last answered, and how old that may be."""

    sample: Sample
    answered: float
    """Monotonic."""
    max_age: float
    """Seconds."""


def judge(constraint: Threshold, seen: Input, held: Held, now: float) -> tuple[Judgement, Held]:
    """Return the verdict on a live tag and the limit that stays held; `now` is monotonic."""
    doubt = _doubt(seen, now)
    value = seen.sample.value
    if doubt or not isinstance(value, (int, float)):
        return Judgement(Verdict.UNKNOWN, doubt or "wrong_type", None, -inf), held
    passed = _compare(constraint, value, held)
    until = seen.answered + seen.max_age
    if passed is not Held.NONE:
        return Judgement(Verdict.VIOLATED, passed.value, value, until), passed
    if seen.sample.quality is Quality.GOOD:
        return Judgement(Verdict.OK, "", value, until), passed
    # A doubtful value inside the limit is no return from beyond it.
    return Judgement(Verdict.UNKNOWN, seen.sample.reason, value, -inf), held


def _doubt(seen: Input, now: float) -> str:
    """Return why the sample cannot be judged at all, empty where it can."""
    sample = seen.sample
    if sample.quality is Quality.BAD:
        return sample.reason or "bad"
    # Of the uncertain ones only a value outside its range is judged: past the limit it violates.
    if sample.quality is not Quality.GOOD and sample.reason != "out_of_range":
        return sample.reason or "uncertain"
    if not 0 <= now - seen.answered <= seen.max_age:
        return "stale"
    if isinstance(sample.value, bool) or not isinstance(sample.value, (int, float)):
        return "wrong_type"
    return "" if isfinite(sample.value) else "not_finite"


def _compare(constraint: Threshold, value: float, held: Held) -> Held:
    low = -inf if constraint.min is None else constraint.min
    high = inf if constraint.max is None else constraint.max
    back = constraint.hysteresis
    inside_high = value <= (high - back if held is Held.ABOVE else high)
    inside_low = value >= (low + back if held is Held.BELOW else low)
    if inside_high and inside_low:
        return Held.NONE
    return Held.BELOW if inside_high else Held.ABOVE
