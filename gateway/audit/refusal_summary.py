"""Refusals, one record each up to a rate, and one record a second with counts beyond it. Pure.

So a client that is refused ten thousand times a second fills neither the log nor the disk, and is still on record.
"""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import NamedTuple

RATE = 10
"""Refusals within a second that a principal gets a record of its own for."""
WINDOW = 1.0
"""Seconds, on the monotonic clock."""
MOST = 1000
"""Principals that are told apart; the names that hostile clients make up beyond that are counted together."""
OTHERS = "(others)"


class Summary(NamedTuple):
    """What was refused to one principal within one window, beyond the records of its own."""

    principal: str
    since: float
    """When the window began, on the monotonic clock."""
    counts: dict[str, int]
    """By reason code."""


@dataclass(slots=True)
class _Tally:
    recorded: deque[float] = field(default_factory=deque)
    """When the last refusals with a record of their own came."""
    since: float | None = None
    counts: Counter[str] = field(default_factory=Counter)


class RefusalSummary:
    """Says which refusals are recorded one by one, and collects the rest."""

    def __init__(self, rate: int = RATE, window: float = WINDOW, most: int = MOST) -> None:
        self._rate = rate
        self._window = window
        self._most = most
        self._tallies: dict[str, _Tally] = {}

    def admit(self, principal: str, code: str, now: float) -> bool:
        """Tell whether a refusal is recorded by itself; if not, it is counted, and comes with `due`."""
        tally = self._tally(principal)
        while tally.recorded and not now - tally.recorded[0] < self._window:
            tally.recorded.popleft()
        if tally.since is None and len(tally.recorded) < self._rate:
            tally.recorded.append(now)
            return True
        if tally.since is None:
            tally.since = now
        tally.counts[code] += 1
        return False

    def due(self, now: float, *, everything: bool = False) -> list[Summary]:
        """Return the summaries whose window has ended, or all at a stop; who was silent is forgotten."""
        summaries = []
        for principal, tally in list(self._tallies.items()):
            if tally.since is not None and (everything or not now - tally.since < self._window):
                summaries.append(Summary(principal, tally.since, dict(tally.counts)))
                tally.since = None
                tally.counts.clear()
            if tally.since is None and not (tally.recorded and now - tally.recorded[-1] < self._window):
                del self._tallies[principal]
        return summaries

    def next_due(self) -> float | None:
        """Return when the first window ends; None while nothing is collected."""
        begun = [tally.since for tally in self._tallies.values() if tally.since is not None]
        return min(begun) + self._window if begun else None

    def _tally(self, principal: str) -> _Tally:
        if principal not in self._tallies and len(self._tallies) >= self._most:
            principal = OTHERS
        return self._tallies.setdefault(principal, _Tally())
