"""Sources that wait for room on the link, each once, in the order in which they began to wait. Pure."""

from collections import OrderedDict

from gateway.northbound.sources import Source

MOST_BYTES = 8_388_608
"""What all batches together may hold while the broker is away: an hour or so of a small plant."""


class Waiting:
    """A queue without duplicates; where it would hold too many bytes, the oldest message is dropped."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._made: OrderedDict[Source, float] = OrderedDict()
        self._bytes = 0
        self._most_bytes = most_bytes
        self.dropped = 0
        """Messages given up since the start."""

    def __len__(self) -> int:
        return len(self._made)

    def __contains__(self, source: Source) -> bool:
        return source in self._made

    @property
    def oldest(self) -> float | None:
        """When the first began to wait, monotonic; None where none does."""
        return next(iter(self._made.values())) if self._made else None

    def put(self, source: Source, now: float) -> None:
        """Append a source, unless it waits already: then it keeps its place."""
        if source not in self._made:
            self._made[source] = now
            if source.size:
                self._hold(source.size)

    def put_back(self, source: Source, now: float) -> None:
        """Let a source that was taken wait again, before all others."""
        self._made[source] = now
        self._made.move_to_end(source, last=False)
        if source.size:
            self._hold(source.size)

    def take(self) -> Source:
        """Remove and return the first."""
        source, _ = self._made.popitem(last=False)
        self._bytes -= source.size
        return source

    def discard(self, source: Source) -> None:
        """Let a source wait no longer, if it does."""
        if self._made.pop(source, None) is not None:
            self._bytes -= source.size

    def clear(self) -> None:
        self._made.clear()
        self._bytes = 0

    def _hold(self, size: int) -> None:
        self._bytes += size
        while self._bytes > self._most_bytes:
            oldest = next(source for source in self._made if source.size)
            del self._made[oldest]
            self._bytes -= oldest.size
            self.dropped += 1
