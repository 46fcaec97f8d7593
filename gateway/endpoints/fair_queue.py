"""Who goes next onto a wire: by priority, the devices in turn, and the dead for a fifth of its time at most. Pure."""

from collections import deque
from enum import IntEnum
from typing import Generic, TypeVar

T = TypeVar("T")

PAUSE = 4
"""So many times what a probe in vain took, no other goes: at most a fifth of the wire's time is lost to the dead."""
LONGEST_WAIT = 1.0
"""Seconds after which a probe goes before the reads of a wire that is never free."""


class Priority(IntEnum):
    """Who goes first when the wire is free."""

    SAFE_STATE = 0
    WRITE = 1
    READ = 2
    PROVE = 3
    """The first probe of a unit that is thought to live; it needs no pause, but is not in the way of a read."""
    PROBE = 4
    """A probe of a unit that did not answer."""


_USUAL = (Priority.SAFE_STATE, Priority.WRITE, Priority.READ, Priority.PROVE, Priority.PROBE)
_PROBE_IS_OVERDUE = (Priority.SAFE_STATE, Priority.WRITE, Priority.PROBE, Priority.PROVE, Priority.READ)


class FairQueue(Generic[T]):
    """What waits for one wire. All times are monotonic seconds."""

    def __init__(self) -> None:
        self._waiting: dict[Priority, dict[str, deque[tuple[float, T]]]] = {priority: {} for priority in Priority}
        self._size = 0
        self._probes = 0
        self._held_until = float("-inf")

    def __len__(self) -> int:
        return self._size

    @property
    def holds_only_probes(self) -> bool:
        """That nothing waits but what gives way to everything else."""
        return self._size == self._probes

    @property
    def held_until(self) -> float:
        """Until when no probe of a silent unit goes."""
        return self._held_until

    def push(self, priority: Priority, device: str, item: T, now: float) -> None:
        """Put an item behind the others of its device."""
        self._waiting[priority].setdefault(device, deque()).append((now, item))
        self._size += 1
        self._probes += priority >= Priority.PROVE

    def pop(self, now: float) -> T | None:
        """Take the next item; None where none may go now."""
        order = _PROBE_IS_OVERDUE if self._probes and self._is_overdue(now) else _USUAL
        for priority in order:
            devices = self._waiting[priority]
            if devices and (priority is not Priority.PROBE or now >= self._held_until):
                return self._take(priority, devices)
        return None

    def hold(self, now: float, took: float) -> None:
        """Note that a probe which took so many seconds was in vain, and ended now."""
        self._held_until = max(self._held_until, now + PAUSE * took)

    def clear(self) -> list[T]:
        """Take everything, whatever its turn."""
        left = [item for devices in self._waiting.values() for items in devices.values() for _, item in items]
        for devices in self._waiting.values():
            devices.clear()
        self._size = self._probes = 0
        return left

    def _take(self, priority: Priority, devices: dict[str, deque[tuple[float, T]]]) -> T:
        device, items = next(iter(devices.items()))
        _, item = items.popleft()
        # The device goes to the back of its row, so that a busy neighbour cannot hold the wire.
        del devices[device]
        if items:
            devices[device] = items
        self._size -= 1
        self._probes -= priority >= Priority.PROVE
        return item

    def _is_overdue(self, now: float) -> bool:
        if now < self._held_until:
            return False
        rows = (self._waiting[Priority.PROBE], self._waiting[Priority.PROVE])
        return any(now - next(iter(row.values()))[0][0] >= LONGEST_WAIT for row in rows if row)
