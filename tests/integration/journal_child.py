"""A process that commits to a journal and prints what was acknowledged, until it is killed: `journal_child FOLDER`."""

import asyncio
import os
import sys
from pathlib import Path

from gateway.audit.chain import HashChain
from gateway.clock import SystemClock
from gateway.counters import JournalCounters
from gateway.storage.port import MIB, Change, Limits, Table
from gateway.storage.sqlite import SqliteJournal
from gateway.storage.state_directory import claim

WRITERS = 8
LIMITS = Limits(size=MIB // 2, segment=MIB // 16, reserve=65536)
"""Small, so that kills meet sealing and dropping too."""


async def commit_for_ever(folder: Path) -> None:
    async with SqliteJournal(folder, HashChain(), SystemClock(), "child", JournalCounters(), LIMITS) as journal:
        assert journal.state.healthy, journal.state.reason
        await asyncio.gather(*(write(journal, number) for number in range(WRITERS)))


async def write(journal: SqliteJournal, writer: int) -> None:
    """Commit, and say so in one write to the pipe: sequence, hash, and the state that goes with it."""
    number = 0
    while True:
        number += 1
        key = f"{os.getpid()}-{writer}"
        urgent = number % 7 == 0
        chained = await journal.commit(
            [{"kind": "intent", "writer": writer, "number": number, "filler": "x" * 200}],
            [Change(Table.TRIPS, key, {"number": number})],
            urgent=urgent,
        )
        os.write(1, f"{chained[0].sequence} {chained[0].hash.hex()} {key} {number}\n".encode())


if __name__ == "__main__":
    place = Path(sys.argv[1])
    with claim(place):
        asyncio.run(commit_for_ever(place))
