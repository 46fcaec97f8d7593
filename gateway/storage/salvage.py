"""A damaged journal: its good prefix is taken over into a new file, and the damaged one set aside.

Nothing that could be read is thrown away: the damaged file stays as it was found, in `quarantine`. A process
that dies in between finds at its next start either the damaged file alone, or a new one that is complete.
"""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

from gateway.storage.batch import Put
from gateway.storage.chain_rows import read_chain
from gateway.storage.command_ids import CommandIds
from gateway.storage.database import Connect, Database
from gateway.storage.keyed_state import KeyedState
from gateway.storage.meta import Meta
from gateway.storage.port import GENESIS, Chain, Head, Limits, Table
from gateway.storage.schema import NAME, WAL_SUFFIXES, Corrupt
from gateway.storage.segments import Segment
from gateway.storage.stamp import Stamp

Row = TypeVar("Row")

QUARANTINE = "quarantine"
KEPT = 3
"""Damaged files that stay set aside: the newest and the first ones. A disk that goes on failing cannot fill itself."""
_BUILDING, _COMPLETE = "journal.building", "journal.new"
_PORTION = 500
_UNREADABLE = (sqlite3.Error, Corrupt, ValueError, TypeError, OverflowError, KeyError)


class Salvaged(NamedTuple):
    """What became of a damaged journal."""

    kept: Head
    damaged: frozenset[Table]
    set_aside: str
    """Where the damaged file lies, within the state directory."""


def salvage(folder: Path, chain: Chain, stamp: Stamp, limits: Limits, connect: Connect) -> Salvaged:
    """Put a sound journal in the place of a damaged one. Raises sqlite3.Error or OSError, and can be tried again."""
    _remove(folder, _BUILDING)
    with (
        closing(sqlite3.connect(folder / NAME, isolation_level=None)) as source,
        closing(Database(folder / _BUILDING, chain, stamp, limits, connect)) as target,
    ):
        _copy_chain(source, target, chain)
        damaged = _copy_state(source, target)
        target.begin(target.meta.base, target.head, (), damaged)
        kept = target.head
    (folder / _BUILDING).replace(folder / _COMPLETE)
    return Salvaged(kept, damaged, finish(folder) or "")


def finish(folder: Path) -> str | None:
    """Put a new journal that is complete in its place, the damaged one aside; return where that lies then."""
    if not (folder / _COMPLETE).exists():
        return None
    aside = folder / QUARANTINE
    aside.mkdir(mode=0o700, exist_ok=True)
    numbers = sorted(int(path.stem.removeprefix("journal-")) for path in aside.glob("journal-*.db"))
    name = f"journal-{numbers[-1] + 1 if numbers else 1}.db"
    # The write-ahead log first: left behind, it would be taken for that of the new file.
    for suffix in reversed(WAL_SUFFIXES):
        with suppress(FileNotFoundError):
            (folder / f"{NAME}{suffix}").replace(aside / f"{name}{suffix}")
    _sync(aside)
    (folder / _COMPLETE).replace(folder / NAME)
    _sync(folder)
    for number in numbers[KEPT - 1 :]:
        _remove(aside, f"journal-{number}.db")
    return f"{QUARANTINE}/{name}"


def _copy_chain(source: sqlite3.Connection, target: Database, chain: Chain) -> None:
    base = _find_base(source)
    head = base
    records = _until_unreadable(read_chain(source, chain, base))
    target.begin(base, head, (), frozenset())
    while portion := list(islice(records, _PORTION)):
        head = portion[-1].head
        target.take_over(portion)
    target.begin(base, head, _sound_segments(source, base, head), frozenset())


def _copy_state(source: sqlite3.Connection, target: Database) -> frozenset[Table]:
    damaged = set(Table)
    with suppress(*_UNREADABLE):
        damaged = set(Meta(source).damaged)
        damaged |= {table for table in Table if not _copy_table(source, target, table)}
    return frozenset(damaged)


def _copy_table(source: sqlite3.Connection, target: Database, table: Table) -> bool:
    """Take over what is good of a table; tell whether all of it was."""
    try:
        if table is Table.COMMANDS:
            target.take_over_commands(_until_unreadable(CommandIds(source, Limits()).rows()))
            return sum(1 for _ in CommandIds(source, Limits()).rows()) == target.commands.count
        state = KeyedState(source)
        target.take_over_state([Put(table, key, value) for key, value in _until_unreadable(state.rows(table))])
        return state.is_whole(table)
    except _UNREADABLE:
        return False


def _until_unreadable(rows: Iterator[Row]) -> Iterator[Row]:
    with suppress(*_UNREADABLE):
        yield from rows


def _find_base(source: sqlite3.Connection) -> Head:
    """Return what the first record follows: as the journal says, or as the record itself does."""
    with suppress(*_UNREADABLE):
        return Meta(source).base
    with suppress(*_UNREADABLE):
        first = json.loads(source.execute("SELECT body FROM record ORDER BY sequence LIMIT 1").fetchone()[0])
        if first["kind"] == "journal" and first["event"] == "sealed":
            return Head(int(first["last"]), bytes.fromhex(first["hash"]))
    return GENESIS


def _sound_segments(source: sqlite3.Connection, base: Head, head: Head) -> list[Segment]:
    sound: list[Segment] = []
    with suppress(*_UNREADABLE):
        for row in source.execute("SELECT number, first, last, size, hash FROM segment ORDER BY number"):
            segment = Segment(*row)
            before = sound[-1].last if sound else base.sequence
            if segment.first != before + 1 or not segment.first <= segment.last <= head.sequence:
                break
            sound.append(segment)
    return sound


def _remove(folder: Path, name: str) -> None:
    for suffix in WAL_SUFFIXES:
        (folder / f"{name}{suffix}").unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
