"""Samples that came from the future, kept until our own clock is right: it may have been the one that was wrong.

A gateway without a battery clock starts hours late, and a value that never changes is told only once. Pure.
"""

from drivers.values import Sample
from gateway.tags.tag import Tag

CLOCK_STEP = 1.0
"""Seconds by which our wall clock has to be moved before anything is judged anew."""


class Ahead:
    """At most one sample a tag, as the device gave it, with the monotonic time of its receipt."""

    def __init__(self) -> None:
        self.kept: dict[Tag, tuple[Sample, float]] = {}
        """Whoever has a newer sample of a tag takes the old one out."""
        self._offset = 0.0
        """Wall clock less monotonic clock, when the samples were judged last."""

    def keep(self, tag: Tag, raw: Sample, now: float, wall: float) -> None:
        """Remember a sample that was found to be ahead just now."""
        if not self.kept:
            self._offset = wall - now
        self.kept[tag] = raw, now

    def due(self, now: float, wall: float) -> list[tuple[Tag, Sample, float]]:
        """Where our clock was moved, return each tag, its sample, and what the clock of now says of its receipt."""
        offset = wall - now
        if not self.kept or abs(offset - self._offset) < CLOCK_STEP:
            return []
        self._offset = offset
        return [(tag, raw, received + offset) for tag, (raw, received) in self.kept.items()]
