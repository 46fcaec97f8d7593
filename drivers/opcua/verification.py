"""Whether a subscription still tells the truth: what it told of each point, against what is read. Pure.

A server may lose a monitored item and never say so. A point whose value is another than the one that was told, in two
reads running and with nothing told of it between them, has lost its item.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

from drivers.base import Change
from drivers.opcua.quality import OVERFLOW
from drivers.opcua.retries import Retries
from drivers.values import Quality, Sample, Value, bad

LOST = "subscription_lost"
UNVERIFIED = "unverified"
MISSES = 3
"""Readings running that may fail before a judged point is no longer believed."""

_FOR_EVER = float("inf")
_GONE = frozenset({"node_unknown", "node_invalid"})
"""Reasons of a reading that need no second one: there is nothing left that could be monitored."""


class Finding(Enum):
    """What one reading of one point shows."""

    AGREES = "agrees"
    SUSPECT = "suspect"
    """It differs; the change may still be on its way."""
    LOST = "lost"
    GONE = "gone"
    """The server has no such node any more."""


class Verification:
    """What was told of the points of one subscription, and how far that may be believed."""

    def __init__(self, tolerances: Mapping[int, float], retries: Retries) -> None:
        """Tolerances: the points, and how far a reading may be off what was told, in the device's own units."""
        self._tolerances = tolerances
        self._retries = retries
        self._graces: dict[int, float] = {}
        self._told: dict[int, Sample] = {}
        self._suspects: dict[int, float] = {}
        self._misses: dict[int, int] = {}
        self._spoiled: dict[int, Sample] = {}

    def is_told(self, point: int, reason: str) -> bool:
        """Return whether the point is spoiled for this reason already."""
        return point in self._spoiled and self._spoiled[point].reason == reason

    def expect(self, point: int) -> None:
        """Begin anew with a point, before the server is asked to monitor it: its answer may come second."""
        self._told.pop(point, None)
        self._suspects.pop(point, None)
        self._misses.pop(point, None)
        self._graces.pop(point, None)

    def allow(self, point: int, grace: float) -> None:
        """Let a change of a point that is monitored take so many seconds until it is told."""
        self._graces[point] = grace

    @property
    def suspects(self) -> list[int]:
        """The points that differed when last read, and were not told of since."""
        return list(self._suspects)

    def note(self, changes: Sequence[Change]) -> None:
        """Take in what the subscription told: that clears every doubt about these points."""
        self._told.update(changes)
        if self._suspects or self._misses or self._spoiled:
            self._clear(changes)

    def amend(self, changes: Iterable[Change]) -> list[Change]:
        """Take in what was read in place of a message that got lost; spoiled points stay as they are."""
        changes = list(changes)
        self._told.update(changes)
        return [(point, self._spoiled.get(point, sample)) for point, sample in changes]

    def spoil(self, point: int, reason: str) -> Change:
        """Believe a point no longer, until the subscription tells of it; return what is to be told meanwhile."""
        self._spoiled[point] = sample = bad(reason)
        self._suspects.pop(point, None)
        self._misses.pop(point, None)
        return point, sample

    def check(self, point: int, read: Sample, now: float) -> Finding:
        """Hold a reading against what was told. `now`: when it came, monotonic."""
        told = self._told.get(point)
        if read.reason in _GONE and (told is None or told.reason != read.reason):
            return Finding.GONE
        if told is not None and _agree(told, read, self._tolerances[point]):
            self._suspects.pop(point, None)
            return Finding.AGREES
        since = self._suspects.setdefault(point, now)
        return (
            Finding.LOST if since < now and not now - since <= self._graces.get(point, _FOR_EVER) else Finding.SUSPECT
        )

    def miss(self, point: int) -> bool:
        """Note that a point could not be read; return whether it may be believed no longer."""
        self._misses[point] = misses = self._misses.get(point, 0) + 1
        return misses >= MISSES and point not in self._spoiled

    def absolve(self, point: int) -> list[Change]:
        """Note that a reading agreed; return what was told of a point that had been in doubt for want of one."""
        self._misses.pop(point, None)
        if point not in self._spoiled or self._spoiled[point].reason != UNVERIFIED:
            return []
        del self._spoiled[point]
        return [(point, self._told[point])]

    def told(self, point: int) -> Sample | None:
        """Return the very sample that the subscription told last of a point, None where it told none."""
        return self._told.get(point)

    def shown(self, point: int, read: Sample) -> Sample:
        """Return what is to be told of a point that was read: what it reads, unless it is believed no longer."""
        return self._spoiled.get(point, read)

    def is_spoiled(self, point: int) -> bool:
        """Return whether only the subscription itself can make the point good again."""
        return point in self._spoiled and self._spoiled[point].reason != UNVERIFIED

    def _clear(self, changes: Sequence[Change]) -> None:
        for point, _ in changes:
            self._suspects.pop(point, None)
            self._misses.pop(point, None)
            if self._spoiled.pop(point, None) is not None:
                self._retries.forget(point)


def _agree(told: Sample, read: Sample, tolerance: float) -> bool:
    if told.quality is Quality.BAD or read.quality is Quality.BAD:
        return told.quality is read.quality
    # That values in between were lost is said of one message, not of the point.
    if told.quality is not read.quality and OVERFLOW not in {told.reason, read.reason}:
        return False
    return is_same(told.value, read.value, tolerance)


def is_same(told: Value, read: Value, tolerance: float) -> bool:
    """Return whether two values are alike: numbers within the tolerance, NaN and NaN, everything else if equal."""
    if told is read or (type(told) is type(read) and told == read):
        return True
    if type(told) is not type(read):
        return False
    if isinstance(told, float | int) and isinstance(read, float | int):
        both_nan = told != told and read != read  # noqa: PLR0124  (NaN is unlike itself)
        return both_nan or (not isinstance(told, bool) and abs(told - read) <= tolerance)
    if isinstance(told, tuple) and isinstance(read, tuple):
        return len(told) == len(read) and all(map(is_same, told, read, [tolerance] * len(told)))
    if isinstance(told, dict) and isinstance(read, dict):
        return told.keys() == read.keys() and all(is_same(told[name], read[name], tolerance) for name in told)
    return False
