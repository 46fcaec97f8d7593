"""A plant of values that a test sets, as the gate sees it. All ages count from NOW."""

from collections.abc import Mapping
from datetime import datetime
from math import inf

from drivers.values import Quality, Sample, Value, bad
from gateway.safety.constraint import Setting
from gateway.safety.operation import Operation, Write
from gateway.safety.seen import Seen

NOW = 1000.0
MAX_AGE = 3.0


class FakePlant:
    """Implements World over a dictionary."""

    def __init__(self, **values: Value) -> None:
        """Values: by tag, with `__` for the dot."""
        self.tags: dict[str, Seen] = {}
        self.granted = True
        self.tokens: dict[str, int] = {}
        self.written: dict[str, float] = {}
        self.clock: datetime | None = None
        self.raises: set[str] = set()
        for name, value in values.items():
            self.set(name.replace("__", "."), value)

    def set(self, tag: str, value: "Value | Sample", at: float = NOW, max_age: float = MAX_AGE) -> None:
        """Let the tag's source answer with this at that time."""
        sample = value if isinstance(value, Sample) else Sample(value)
        before = self.tags[tag].answered if tag in self.tags else -inf
        self.tags[tag] = Seen(sample, at, before, max_age)

    def spoil(self, tag: str, reason: str, quality: Quality = Quality.BAD) -> None:
        """Make the tag's sample a doubtful one."""
        seen = self.tags[tag]
        value = None if quality is Quality.BAD else seen.sample.value
        self.tags[tag] = seen._replace(sample=Sample(value, quality, reason))

    def seen(self, tag: str, now: float) -> Seen:
        assert now > 0, "nobody asks without a time"
        self._raise_for(tag)
        return self.tags.get(tag, Seen(bad("no_data"), -inf, -inf, MAX_AGE))

    def may_write(self, principal: str, tag: str) -> bool:
        self._raise_for(tag)
        return self.granted

    def holds(self, lock: str, locks: Mapping[str, int]) -> bool:
        self._raise_for(lock)
        return lock in locks and locks[lock] == self.tokens.get(lock)

    def last_write(self, tag: str) -> float:
        return self.written.get(tag, -inf)

    def local_time(self) -> datetime | None:
        return self.clock

    def _raise_for(self, name: str) -> None:
        if name in self.raises:
            raise ZeroDivisionError(name)


def operation(tag: str, value: Setting, **keys: object) -> Operation:
    """Return an operation of one write."""
    return Operation(principal="operator-1", writes=(Write(tag, value),), **keys)  # type: ignore[arg-type]


DOUBTS = {
    "never received": (bad("no_data"), 0.0, "no_data"),
    "disconnected": (bad("disconnected"), 0.0, "disconnected"),
    "stale": (Sample(50.0), 3.001, "stale"),
    "from the future": (Sample(50.0, Quality.UNCERTAIN, "future"), 0.0, "future"),
    "answered after now": (Sample(50.0), -0.001, "stale"),
    "an age that is no number": (Sample(50.0), float("nan"), "stale"),
    "bad": (Sample(50.0, Quality.BAD), 0.0, "bad"),
    "uncertain": (Sample(50.0, Quality.UNCERTAIN), 0.0, "uncertain"),
    "NaN": (Sample(float("nan")), 0.0, "not_finite"),
    "infinite": (Sample(inf), 0.0, "not_finite"),
    "minus infinite": (Sample(-inf), 0.0, "not_finite"),
    "a text": (Sample("50"), 0.0, "wrong_type"),
    "a bool": (Sample(True), 0.0, "wrong_type"),  # noqa: FBT003  (a value, not a flag)
    "nothing": (Sample(None), 0.0, "wrong_type"),
    "a list": (Sample((50.0,)), 0.0, "wrong_type"),
}
"""Every way in which a number cannot be believed: the sample, its age, and the word for it."""
