"""A journal on a disk that runs full: `journal_disk_child limit|tmpfs FOLDER`. Says one word for each thing proved."""

import asyncio
import os
import resource
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.audit.chain import HashChain
from gateway.clock import SystemClock
from gateway.counters import JournalCounters
from gateway.errors import StorageError
from gateway.storage.port import Change, Limits, Table
from gateway.storage.reserve import NAME as RESERVE
from gateway.storage.sqlite import SqliteJournal
from tests.unit.gateway.storage.journals import until_state, verified

LIMITS = Limits(reserve=256 * 1024, retry=0.1)
RECORD = {"kind": "intent", "filler": "x" * 3000}


def say(word: str) -> None:
    """Tell the test."""
    os.write(1, f"{word}\n".encode())


async def fail(journal: SqliteJournal) -> str:
    """Commit until it fails; return the reason."""
    with pytest.raises(StorageError) as failure:
        await commit_for_ever(journal)
    assert failure.value.code == "journal_unavailable"
    return str(failure.value)


async def on_a_limit(journal: SqliteJournal, folder: Path) -> None:
    """Files may not grow beyond some size: works for every user and on every machine."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    await journal.commit([RECORD])
    resource.setrlimit(resource.RLIMIT_FSIZE, ((folder / "journal.db-wal").stat().st_size + 20_000, hard))
    reason = await fail(journal)
    assert "the disk failed" in reason, reason
    say("refused")
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await until_state(journal, lambda state: state.healthy)
    await journal.commit([RECORD])
    say("recovered")


async def on_a_small_disk(journal: SqliteJournal, folder: Path) -> None:
    """A file system of a few megabytes, mounted for this process alone."""
    await journal.commit([RECORD])
    fill(folder)
    reason = await fail(journal)
    assert "the disk is full" in reason, reason
    say("refused")
    trip = Change(Table.TRIPS, "overspeed", {"since": 1})
    await journal.commit([{"kind": "trip"}], [trip], urgent=True)
    assert not (folder / RESERVE).exists()
    say("tripped")
    assert "the disk is full" in await fail(journal)
    empty(folder)
    await until_state(journal, lambda state: state.healthy)
    assert (folder / RESERVE).stat().st_blocks * 512 >= LIMITS.reserve
    assert (await journal.load(Table.TRIPS)).values == {"overspeed": {"since": 1}}
    await journal.commit([RECORD])
    say("recovered")
    fill(folder)
    await fail(journal)
    await remount(folder, "ro")
    await until_state(journal, lambda state: "read-only" in state.reason)
    await remount(folder, "rw")
    empty(folder)
    await until_state(journal, lambda state: state.healthy)
    await journal.commit([RECORD])
    say("writable")


async def commit_for_ever(journal: SqliteJournal) -> None:
    """Every commit before the one that fails was acknowledged."""
    for _ in range(10_000):
        await journal.commit([RECORD])


def fill(folder: Path) -> None:
    """Take all space there is."""
    with suppress(OSError), (folder / "filler").open("wb", buffering=0) as filler:
        for size in (65536, 4096, 1):
            with suppress(OSError):
                while True:
                    filler.write(bytes(size))


def empty(folder: Path) -> None:
    """Give it back."""
    (folder / "filler").unlink()


async def remount(folder: Path, mode: str) -> None:
    """Change the mount. It is busy as long as the journal tries to get back, so it takes a few attempts."""
    command = ["mount", "-o", f"remount,{mode}", str(folder)]
    async with asyncio.timeout(20):
        while subprocess.run(command, check=False, capture_output=True).returncode:  # noqa: ASYNC110, ASYNC221  (brief)
            await asyncio.sleep(0.01)


async def main(how: Callable[[SqliteJournal, Path], Awaitable[None]], folder: Path) -> None:
    """Run one of them, and verify the chain it leaves."""
    async with SqliteJournal(folder, HashChain(), SystemClock(), "child", JournalCounters(), LIMITS) as journal:
        assert journal.state.healthy, journal.state.reason
        await how(journal, folder)
    verdict = verified(folder)
    assert verdict.is_proved, verdict
    assert all("recovered" in line for line in verdict.breaks)
    say("proved")


if __name__ == "__main__":
    chosen = {"limit": on_a_limit, "tmpfs": on_a_small_disk}[sys.argv[1]]
    asyncio.run(main(chosen, Path(sys.argv[2])))
