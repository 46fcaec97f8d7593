"""Commands that wait for their devices: by rank, then in the order they came, and bounded. Pure.

A device serves one command at a time, so that the read-back of one is not disturbed by the frames of another. One
that waits for a busy device holds the device against those behind it, or it would never get its turn.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Generic, TypeVar, get_args

from gateway.control.command import Rank

T = TypeVar("T")

_ORDER = {rank: place for place, rank in enumerate(get_args(Rank))}


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[T]):
    place: tuple[int, int]
    devices: frozenset[str]
    item: T


class CommandQueue(Generic[T]):
    """What waits, the first to go first."""

    def __init__(self, limit: int) -> None:
        """Limit: how many may wait."""
        self._limit = limit
        self._count = 0
        self._waiting: list[_Waiting[T]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def push(self, rank: Rank, devices: Collection[str], item: T, *, is_safe: bool = False) -> bool:
        """Let an item wait; return False where there is no room.

        Is_safe: that it leads to safety; it goes before all others, and has as many places again.
        """
        if not len(self._waiting) < (2 if is_safe else 1) * self._limit:
            return False
        self._count += 1
        place = (-1 if is_safe else _ORDER[rank], self._count)
        self._waiting.append(_Waiting(place, frozenset(devices), item))
        self._waiting.sort(key=lambda each: each.place)
        return True

    def take(self, busy: Collection[str]) -> tuple[T, frozenset[str]] | None:
        """Take the first whose devices are all free, with them; None where there is none."""
        held = set(busy)
        for waiting in self._waiting:
            if held.isdisjoint(waiting.devices):
                self._waiting.remove(waiting)
                return waiting.item, waiting.devices
            held |= waiting.devices
        return None

    def remove(self, unwanted: Callable[[T], bool]) -> list[T]:
        """Take out all of which that is true."""
        out = [each for each in self._waiting if unwanted(each.item)]
        self._waiting = [each for each in self._waiting if each not in out]
        return [each.item for each in out]
