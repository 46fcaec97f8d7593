"""A sliding window: at most n events in any window of so many seconds. Pure; times are monotonic."""

from collections import deque
from math import inf


class SlidingWindow:
    """The times of the last events, never more than the limit of them."""

    __slots__ = ("_times", "limit", "refused", "window")

    def __init__(self, limit: int, window: float) -> None:
        """Window: seconds."""
        self.limit = limit
        self.window = window
        self.refused = 0
        """Events for which there was no room."""
        self._times: deque[float] = deque(maxlen=limit)

    def has_room(self, now: float) -> bool:
        """Return whether one more event would keep the limit; asking takes nothing."""
        return len(self._times) < self.limit or now - self._times[0] >= self.window

    def take(self, now: float) -> bool:
        """Count an event, if there is room for it; one that is refused counts for nothing."""
        if not self.has_room(now):
            self.refused += 1
            return False
        self._times.append(now)  # of a full window the oldest falls out
        return True

    def is_over(self, now: float) -> bool:
        """Return whether nothing that it counted matters any more."""
        return not self._times or now - self._times[-1] >= self.window

    def free_at(self) -> float:
        """Return from when on there is room, monotonic; -inf if there is some now."""
        return self._times[0] + self.window if len(self._times) == self.limit else -inf
