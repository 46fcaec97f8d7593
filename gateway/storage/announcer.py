"""Who is told what reached the disk, and how the journal is. Belongs to the event loop."""

from collections.abc import Sequence
from dataclasses import replace

from gateway.counters import JournalCounters
from gateway.storage.port import Chained, ChainedListener, JournalState, StateListener


class Announcer:
    """The state of a journal and its listeners."""

    def __init__(self, counters: JournalCounters) -> None:
        self.state = JournalState()
        self.counters = counters
        self.listeners: list[ChainedListener] = []
        self.watchers: list[StateListener] = []

    def show(self, state: JournalState) -> None:
        """Take a new state, and tell of it where more than the size has changed."""
        before, self.state = self.state, state
        self.counters.healthy, self.counters.size = state.healthy, state.size
        if replace(before, size=state.size) != state:
            for watcher in self.watchers:
                watcher(state)

    def tell(self, chained: Sequence[Chained]) -> None:
        """Count and hand on what reached the disk."""
        if not chained:
            return
        self.counters.records += len(chained)
        self.counters.last_sequence = chained[-1].sequence
        for listener in self.listeners:
            listener(chained)
