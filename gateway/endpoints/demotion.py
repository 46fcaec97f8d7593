"""Whether a unit deserves its scans: one that does not answer is probed alone, shortly, and ever less often. Pure.

It matters where several units share a wire, since each request in vain takes the wire from those that live.
"""

from collections.abc import Sequence
from enum import Enum

from drivers.values import Seconds

SILENT = frozenset({"timeout", "exception_10", "exception_11"})
"""Kinds of fault that say nothing came from the unit itself (10 and 11: its Modbus gateway speaks for it)."""
LONGEST_PROBE = Seconds(0.2)
SHORTEST_PROBE = Seconds(0.04)
FIRST_INTERVAL = 1.0
"""Seconds between two probes at least."""


class Standing(Enum):
    """What is expected of a unit."""

    HEALTHY = "healthy"
    SUSPECT = "suspect"
    """The last time it was asked, nothing came."""
    DEMOTED = "demoted"


class Demotion:
    """The standing of one unit; it outlives connections."""

    def __init__(self, scan: float, after: int, longest: float) -> None:
        """Scan: the unit's period, seconds. After: misses to be demoted. Longest: interval between probes, seconds."""
        self.misses = 0
        """How often it was asked in vain, in a row."""
        self.next_probe = float("-inf")
        """When it may be probed, monotonic."""
        self._first = max(scan, FIRST_INTERVAL)
        self._after = after
        self._longest = max(longest, self._first)

    @property
    def standing(self) -> Standing:
        """What follows from the misses."""
        if not self.misses:
            return Standing.HEALTHY
        return Standing.SUSPECT if self.misses < self._after else Standing.DEMOTED

    def missed(self, now: float, longest: float | None = None) -> None:
        """Note that nothing came. Longest: a shorter cap on the interval, where nobody else needs the wire."""
        # One reply may be lost on the way: after the first miss the unit is probed when its next scan is due.
        doubled = self._first * 2.0 ** min(self.misses - 1, 30) if self.misses else 0.0
        self.misses += 1
        self.next_probe = now + min(doubled, self._longest if longest is None else longest)

    def answered(self) -> None:
        """Note that the unit spoke: it is scanned again."""
        self.misses = 0
        self.next_probe = float("-inf")

    def renewed(self, now: float) -> None:
        """Note a new connection: whatever was mended may have been this unit."""
        self.next_probe = min(self.next_probe, now + self._first)


def probe_within(scans: Sequence[float]) -> Seconds:
    """Return how long a probe may take beside units of those scan periods: no scan comes half a period late.

    A unit that is slower than that is found all the same: its late answer counts at the next probe.
    """
    return Seconds(min(LONGEST_PROBE, max(SHORTEST_PROBE, 0.4 * min(scans))))


def patience(scans: Sequence[float]) -> Seconds | None:
    """Return how long one request may hold a wire that units of those scan periods share; None for one alone."""
    return Seconds(max(0.2, min(scans) / 3)) if len(scans) > 1 else None
