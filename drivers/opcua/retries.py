"""When what the server refused is asked for again: each point by itself, at growing intervals. Pure."""

from typing import NamedTuple

FIRST = 5.0
"""Seconds until the first retry; each later pause is twice as long."""
LONGEST = 60.0

_NEVER = float("inf")


class _Turn(NamedTuple):
    due: float
    pause: float


class Retries:
    """The points that wait to be monitored again."""

    def __init__(self) -> None:
        self._turns: dict[int, _Turn] = {}

    def postpone(self, point: int, now: float) -> None:
        """Ask for a point that was refused again after its pause."""
        pause = self._turns[point].pause if point in self._turns else FIRST
        self._turns[point] = _Turn(now + pause, min(2 * pause, LONGEST))

    def hasten(self, point: int, now: float) -> None:
        """Ask for a point that was lost again at once, or after its pause where that was in vain already."""
        if point in self._turns:
            self.postpone(point, now)
        else:
            self._turns[point] = _Turn(now, FIRST)

    def take_due(self, now: float) -> list[int]:
        """Return the points whose turn it is; each stays away until it is postponed or lost again."""
        due = [point for point, turn in self._turns.items() if turn.due <= now]
        for point in due:
            self._turns[point] = self._turns[point]._replace(due=_NEVER)
        return due

    def forget(self, point: int) -> None:
        """Let a point that is told of again start from the shortest pause."""
        self._turns.pop(point, None)

    @property
    def next_due(self) -> float:
        """When the next turn comes, infinity where nothing waits."""
        return min((turn.due for turn in self._turns.values()), default=_NEVER)
