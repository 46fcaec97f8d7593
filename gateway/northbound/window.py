"""What was handed to the broker and is not acknowledged yet; bounded in messages and bytes. Pure."""

from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

MOST_MESSAGES = 1000
MOST_BYTES = 65_536
"""At 64 kbit/s these take 8 s: a slow link must not look like a dead one, whose sign is 10 s of silence."""

_FIRST_ID, _LAST_ID = 1024, 65_535
"""Packet identifiers of publishes; paho takes its own, for subscriptions, from 1 on."""


class Handed(NamedTuple, Generic[T]):
    """One message on its way."""

    entry: T
    size: int
    sent: float
    """When it was handed over, monotonic."""


class Window(Generic[T]):
    """The messages on their way, in the order in which they were handed over."""

    def __init__(self) -> None:
        self._handed: dict[int, Handed[T]] = {}
        self._bytes = 0
        self._last_id = _LAST_ID
        self._most = MOST_MESSAGES

    def open(self, receive_maximum: int) -> list[T]:
        """Start anew for a connection; return what the one before left unacknowledged, in its order."""
        left = [handed.entry for handed in self._handed.values()]
        self._handed.clear()
        self._bytes = 0
        self._most = min(MOST_MESSAGES, receive_maximum)
        return left

    def __len__(self) -> int:
        return len(self._handed)

    @property
    def has_room(self) -> bool:
        """That one more message may be handed over; a single one may be of any size."""
        return len(self._handed) < self._most and self._bytes < MOST_BYTES

    @property
    def oldest(self) -> float | None:
        """When the oldest message on its way was handed over, monotonic; None where none is."""
        return next(iter(self._handed.values())).sent if self._handed else None

    def add(self, entry: T, size: int, now: float) -> int:
        """Count a message in, and return its packet identifier."""
        packet_id = self._last_id
        while True:
            packet_id = packet_id + 1 if packet_id < _LAST_ID else _FIRST_ID
            if packet_id not in self._handed:
                break
        self._last_id = packet_id
        self._handed[packet_id] = Handed(entry, size, now)
        self._bytes += size
        return packet_id

    def acknowledge(self, packet_id: int) -> T | None:
        """Count a message out; None where the identifier is none of ours."""
        handed = self._handed.pop(packet_id, None)
        if handed is None:
            return None
        self._bytes -= handed.size
        return handed.entry
