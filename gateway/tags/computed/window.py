"""What a value was over a sliding window: its mean, its total, its extremes. Pure.

The window is cut into buckets, so its memory is bounded however often the value changes. A value holds until
the next one; while there is none, nothing is counted, and the coverage says so. Of the oldest bucket only the
part that still lies in the window counts, as if the value had been the same all through it.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, inf

BUCKETS = 240
"""Pieces of a window; an edge that moves through one of them may be wrong by a 240th of what the value moved."""


class _Bucket:
    """One piece of the window."""

    __slots__ = ("covered", "greatest", "integral", "least")

    def __init__(self) -> None:
        self.covered = 0.0
        """Seconds for which there was a value."""
        self.integral = 0.0
        """Value times seconds."""
        self.least = inf
        self.greatest = -inf

    def add(self, value: float, seconds: float) -> None:
        self.covered += seconds
        self.integral += value * seconds
        self.least = min(self.least, value)
        self.greatest = max(self.greatest, value)


@dataclass(frozen=True, slots=True)
class Summary:
    """The window as it stands."""

    coverage: float
    """The share of the window for which there was a value, 0 to 1."""
    integral: float
    """Value times seconds, over the seconds for which there was a value."""
    seconds: float
    """For how long there was a value."""
    least: float
    greatest: float


class Window:
    """The last `length` seconds of one value. Times are monotonic seconds and never go back."""

    def __init__(self, length: float, now: float) -> None:
        self._length = length
        self._width = length / BUCKETS
        self._begin = now
        self._place = 0
        """The number of the newest bucket since the begin."""
        self._buckets: deque[_Bucket] = deque([_Bucket()], maxlen=BUCKETS + 1)
        self._whole: _Bucket | None = None
        """All buckets but the oldest and the newest as one; None until it is asked for."""
        self._value: float | None = None
        self._now = now

    def take(self, value: float | None, now: float) -> None:
        """Let this value hold from now on; None where there is none."""
        self.advance(now)
        self._value = value
        if value is not None:
            self._buckets[-1].add(value, 0.0)  # an extreme counts, however short it was

    def advance(self, now: float) -> None:
        """Let the value that holds hold until now."""
        while self._now < now:
            place = int((now - self._begin) / self._width)
            if place - self._place > BUCKETS + 1:
                self._skip(place)
                continue
            end = self._begin + (self._place + 1) * self._width
            until = min(now, end)
            self._hold(until - self._now)
            self._now = until
            if until >= end:
                self._place += 1
                self._buckets.append(_Bucket())
                self._whole = None

    def summary(self) -> Summary:
        """Return what the window holds, as of the last `take` or `advance`."""
        if self._whole is None:
            self._whole = _together(list(self._buckets)[1:-1])
        newest, oldest, whole = self._buckets[-1], self._buckets[0], self._whole
        if newest is oldest:
            share = 0.0
        elif len(self._buckets) > BUCKETS:
            share = 1.0 - (self._now - self._begin - self._place * self._width) / self._width
        else:
            share = 1.0
        seconds = whole.covered + newest.covered + oldest.covered * share
        return Summary(
            coverage=min(seconds / self._length, 1.0),
            integral=whole.integral + newest.integral + oldest.integral * share,
            seconds=seconds,
            least=min(oldest.least, whole.least, newest.least),
            greatest=max(oldest.greatest, whole.greatest, newest.greatest),
        )

    def _hold(self, seconds: float) -> None:
        if self._value is not None:
            self._buckets[-1].add(self._value, seconds)

    def _skip(self, place: int) -> None:
        # Longer than the whole window: what came before it is of no more use.
        self._place = place - BUCKETS
        self._now = self._begin + self._place * self._width
        self._buckets = deque([_Bucket()], maxlen=BUCKETS + 1)
        self._whole = None


def _together(buckets: Sequence[_Bucket]) -> _Bucket:
    one = _Bucket()
    one.covered = fsum(bucket.covered for bucket in buckets)
    one.integral = fsum(bucket.integral for bucket in buckets)
    one.least = min((bucket.least for bucket in buckets), default=inf)
    one.greatest = max((bucket.greatest for bucket in buckets), default=-inf)
    return one
