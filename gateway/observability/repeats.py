"""Holds back events that repeat themselves, and says how many. Pure: events and time in, events out."""

from collections import OrderedDict

from gateway.observability.events import Event

BURST = 5
"""As many of one kind are shown in a window."""
WINDOW = 60.0
"""Seconds from the first of a kind until its count starts anew."""
CAPACITY = 256
"""Kinds that are watched at once; the oldest is given up for a new one."""


class Repeats:
    """Lets the first few of identical events pass; when their window ends, the last one tells how many more."""

    def __init__(self, burst: int = BURST, window: float = WINDOW, capacity: int = CAPACITY) -> None:
        self.suppressed = 0
        """Events held back since the start."""
        self._burst = burst
        self._window = window
        self._capacity = capacity
        self._kinds: OrderedDict[tuple[object, ...], _Kind] = OrderedDict()

    def admit(self, event: Event, now: float) -> list[Event]:
        """Return what is to be shown now, this event perhaps among it. `now`: monotonic, seconds."""
        shown = self._end_windows(now)
        key = _kind(event)
        kind = self._kinds.get(key)
        if kind is None:
            if len(self._kinds) >= self._capacity:
                shown += self._kinds.popitem(last=False)[1].summary()
            kind = self._kinds[key] = _Kind(now)
        kind.count += 1
        kind.last = event
        if kind.count <= self._burst:
            return [*shown, event]
        kind.held_back += 1
        self.suppressed += 1
        return shown

    def flush(self) -> list[Event]:
        """Return the summaries of everything held back, and start anew."""
        shown = [event for kind in self._kinds.values() for event in kind.summary()]
        self._kinds.clear()
        return shown

    def _end_windows(self, now: float) -> list[Event]:
        shown: list[Event] = []
        while self._kinds:
            oldest = next(iter(self._kinds.values()))
            if now - oldest.since < self._window:
                break
            self._kinds.popitem(last=False)
            shown += oldest.summary()
        return shown


class _Kind:
    """Identical events in one window."""

    __slots__ = ("count", "held_back", "last", "since")

    def __init__(self, since: float) -> None:
        self.since = since
        self.count = 0
        self.held_back = 0
        self.last: Event | None = None

    def summary(self) -> list[Event]:
        if self.last is None or not self.held_back:
            return []
        return [self.last._replace(fields={**self.last.fields, "repeated": self.held_back}, traceback="")]


def _kind(event: Event) -> tuple[object, ...]:
    # Figures differ each time (ages, counts) without making it another event.
    texts = ((key, value) for key, value in event.fields.items() if isinstance(value, str))
    return (event.level, event.name, *texts)
