"""A journal in memory for tests on virtual time, with the real chain."""

from random import Random

from gateway.audit.chain import HashChain
from gateway.storage.memory import Disk, MemoryJournal
from tests.virtual_time import VirtualClock


def memory_journal(disk: Disk | None = None, latency: float = 0.001) -> MemoryJournal:
    return MemoryJournal(HashChain(), VirtualClock(), Random(1), disk, latency=lambda: latency)
