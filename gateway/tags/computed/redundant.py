"""Several sensors of one quantity: the median of them, and a vote over them. Pure.

For a median a bad sensor is left out while more than half of them remain. In a vote each sensor is compared
with the limit first and the answers are counted, so that no single value hides what the others say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import median
from typing import Literal

from drivers.values import Quality, Sample, Value, bad
from gateway.tags.computed.inputs import COMPUTATION, DEGRADED, derive, doubt, failure

DEVIATION = "deviation"
"""The reason of a median from which a sensor is further away than it may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """True where at least `agree` of the tags are past a limit."""

    tags: tuple[str, ...]
    agree: int
    """How many have to be past the limit: 2 of 3 tags is 2oo3."""
    above: float | None = None
    """A tag above this votes for true."""
    below: float | None = None
    """A tag below this votes for true."""
    equals: bool | float | None = None
    """A tag that has this value votes for true."""
    bad: Literal["votes", "excluded"] = "votes"
    """A bad tag votes for true, so 2oo3 becomes 1oo2; or it does not vote at all, so 2oo3 becomes 2oo2."""

    def __post_init__(self) -> None:
        if not 2 <= len(self.tags) <= 16:
            raise ValueError(f"tags: needs 2 to 16 tags, not {len(self.tags)}")
        if len(set(self.tags)) != len(self.tags):
            raise ValueError("tags: names a tag twice")
        if not 1 <= self.agree <= len(self.tags):
            raise ValueError(f"agree: {self.agree} is not within 1 and the number of tags, {len(self.tags)}")
        limits = (self.above is not None, self.below is not None, self.equals is not None)
        if sum(limits) != 1:
            raise ValueError("needs exactly one of above, below and equals")


def take_median(samples: Sequence[Sample], deviation: float | None) -> Sample:
    """Return the median; `deviation` is how far from it a sensor may be, None for any distance."""
    usable = [sample for sample in samples if sample.quality is not Quality.BAD]
    if not 2 * len(usable) > len(samples):
        return failure(samples)
    values = [number for sample in usable if (number := _number(sample.value)) is not None]
    if len(values) != len(usable):
        return bad(COMPUTATION)
    middle = float(median(values))
    result = derive(middle, usable)
    if deviation is not None and not all(abs(value - middle) <= deviation for value in values):
        result = doubt(result, DEVIATION)
    return result if len(usable) == len(samples) else doubt(result, DEGRADED)


def take_vote(samples: Sequence[Sample], vote: Vote) -> Sample:
    """Return the outcome; BAD where too few tags are left to decide it."""
    usable = [sample for sample in samples if sample.quality is not Quality.BAD]
    if len(usable) < (1 if vote.bad == "votes" else vote.agree):
        return failure(samples)
    answers = [is_past(sample.value, vote) for sample in usable]
    if None in answers:
        return bad(COMPUTATION)
    votes = answers.count(True) + (len(samples) - len(usable) if vote.bad == "votes" else 0)
    result = derive(votes >= vote.agree, usable)
    return result if len(usable) == len(samples) else doubt(result, DEGRADED)


def is_past(value: Value, vote: Vote) -> bool | None:
    """Return whether a value votes for true; None where it cannot be compared."""
    number = _number(value)
    if number is None:
        return None
    if vote.equals is not None:
        return number == vote.equals
    if vote.above is not None:
        return number > vote.above
    return vote.below is not None and number < vote.below


def _number(value: Value) -> float | None:
    return value if isinstance(value, (bool, int, float)) and isfinite(value) else None
