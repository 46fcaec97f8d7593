"""Which units take longer to answer than they were given, as their late answers show. Pure.

The time that neighbours can spare is not always what a unit needs: 120 registers alone are 0.3 s on a line of
9600 baud. A unit that lives and is cut off each time would be lost for ever, so it gets what it takes.
"""

_MARGIN = 1.5
"""So many times what a late answer took, the next one may take."""


class Slowness:
    """The slow units of one link. All times are seconds."""

    def __init__(self) -> None:
        self._slow: dict[int, float] = {}

    def note(self, unit: int, took: float) -> None:
        """Note an answer that came after the time that was given."""
        self._slow[unit] = max(_MARGIN * took, self._slow.get(unit, 0.0))

    def patience(self, unit: int, seconds: float, most: float) -> float:
        """Return how long an answer may take that was to come in so many seconds; a slow unit's, at most `most`."""
        return max(seconds, min(self._slow.get(unit, 0.0), most))
