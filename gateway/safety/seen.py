"""What the gate sees of a tag, and why it may not be able to judge it. Any doubt has a word."""

from typing import NamedTuple

from drivers.values import Quality, Sample, Value
from gateway.safety.constraint import Setting, is_finite

GOOD = Quality.GOOD


class Seen(NamedTuple):
    """A tag as it stands: its sample, when its source answered, and how old that may be."""

    sample: Sample
    answered: float
    """When the source was asked for its last good answer, monotonic; -inf if there was none."""
    before: float
    """The same of the answer before that."""
    max_age: float
    """Seconds."""

    @property
    def holds_until(self) -> float:
        """Monotonic; after it the sample is stale."""
        return self.answered + self.max_age


def doubt(seen: Seen, now: float) -> str:
    """Return why the sample cannot be believed, empty where it can.

    Of the uncertain ones only a value outside its range passes: beyond a limit it violates it.
    """
    sample = seen.sample
    if sample.quality is not GOOD:
        if sample.quality is Quality.BAD:
            return sample.reason or "bad"
        if sample.reason != "out_of_range":
            return sample.reason or "uncertain"
    return "" if 0 <= now - seen.answered <= seen.max_age else "stale"


def strict_doubt(seen: Seen, now: float) -> str:
    """Return the same for those whom nothing uncertain satisfies."""
    return doubt(seen, now) or ("" if is_certain(seen) else seen.sample.reason)


def number(seen: Seen, now: float) -> tuple[float, str]:
    """Return the value as a number, or the doubt that forbids it; a bool is no number."""
    sample, answered, _, max_age = seen
    value = sample.value
    if type(value) is float and sample.quality is GOOD and 0 <= now - answered <= max_age and is_finite(value):
        return value, ""  # nearly always
    why = doubt(seen, now)
    return (0.0, why) if why else _number(value)


def proposed_number(value: Setting) -> tuple[float, str]:
    """Return a proposed value as a number, or why it is none."""
    return _number(value)


def _number(value: Value) -> tuple[float, str]:
    if isinstance(value, bool) or not isinstance(value, (float, int)):
        return 0.0, "wrong_type"
    return (value, "") if is_finite(value) else (0.0, "not_finite")


def is_certain(seen: Seen) -> bool:
    """Return whether the sample is good in full: one outside its range proves no return within a limit."""
    return seen.sample.quality is GOOD
