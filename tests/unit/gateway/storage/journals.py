"""Journals for tests: on a disk whose calls can be made to fail, and in memory."""

import asyncio
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from gateway.audit.chain import HashChain
from gateway.audit.verify import Verdict, verify
from gateway.clock import SystemClock
from gateway.counters import JournalCounters
from gateway.storage.head_file import read_head
from gateway.storage.port import MIB, Chained, JournalState, Limits
from gateway.storage.reading import reading
from gateway.storage.schema import connect
from gateway.storage.sqlite import SqliteJournal

SMALL = Limits(reserve=MIB, retry=0.05)


class Faults:
    """What the next statements meet; each is asked for by the word that the statement begins with."""

    def __init__(self) -> None:
        self.before: dict[str, Exception] = {}
        """Raised instead of the statement, each time until it is taken away."""
        self.after: dict[str, Exception] = {}
        """Raised once the statement was carried out: nobody can tell it from one that was not."""
        self.ran: list[str] = []

    @property
    def connect(self) -> Callable[[Path], sqlite3.Connection]:
        faults = self

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
                word = sql.split(maxsplit=1)[0]
                faults.ran.append(word)
                if word in faults.before:
                    raise faults.before[word]
                done = super().execute(sql, *arguments)
                if word in faults.after:
                    raise faults.after[word]
                return done

        return partial(connect, factory=Connection)


def disk_error(code: int = sqlite3.SQLITE_IOERR_FSYNC, text: str = "disk I/O error") -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


FULL = disk_error(sqlite3.SQLITE_FULL, "database or disk is full")


def journal(folder: Path, limits: Limits = SMALL, faults: Faults | None = None, **more: Any) -> SqliteJournal:
    options = {"clock": SystemClock(), "boot": "boot", "counters": JournalCounters(), **more}
    if faults is not None:
        options["connect"] = faults.connect
    return SqliteJournal(folder, HashChain(), limits=limits, **options)


async def until_state(journal: SqliteJournal, true: Callable[[JournalState], bool]) -> JournalState:
    """Wait until the journal says so of itself."""
    reached = asyncio.Event()
    journal.watch(lambda state: reached.set() if true(state) else None)
    if not true(journal.state):
        async with asyncio.timeout(20):
            await reached.wait()
    return journal.state


def kept(folder: Path) -> list[Chained]:
    with reading(folder) as reader:
        return list(reader.records())


def verified(folder: Path) -> Verdict:
    witness = read_head(folder)
    with reading(folder) as reader:
        return verify(reader.records(), reader.base, {"the head file": witness} if witness else {})
