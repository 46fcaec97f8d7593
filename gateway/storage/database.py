"""One open `journal.db`: its chain and its state. Blocks on the disk; for the journal's own thread alone.

Any error from here means that this object is spent: close it, and open the file anew.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from gateway.storage.batch import Entry, Links, Put, decode, link
from gateway.storage.chain_rows import read_chain
from gateway.storage.command_ids import CommandIds
from gateway.storage.keyed_state import KeyedState
from gateway.storage.meta import Meta
from gateway.storage.port import Chain, Chained, Head, Limits, Loaded, Table
from gateway.storage.schema import FORMAT, ROW, TABLES, Corrupt
from gateway.storage.segments import Segment, Segments, Turnover
from gateway.storage.stamp import Stamp

Connect: TypeAlias = Callable[[Path], sqlite3.Connection]

_CHECKPOINT_AT = 1000
"""Pages of write-ahead log that are moved into the database when there is time."""
_CHECKPOINT_BY = 8000
"""Pages at which they are moved whoever waits."""
_PAGE = 4096
_PAGES_EACH = 4
"""Pages that a commit writes whatever its size: the ends of the trees it touches."""
_SWEEP = 200
"""Rows of dropped segments removed at a time."""


@dataclass(slots=True)
class Doubt:
    """A transaction under way: should it fail, nobody knows whether it is on the disk."""

    links: Sequence[Chained]
    undo: list[Put]
    mended: frozenset[Table]


class Database:
    """The file, from its opening to its first error."""

    head: Head
    segments: Segments
    _log: int
    """Pages of write-ahead log since the last checkpoint, about."""

    def __init__(self, path: Path, chain: Chain, stamp: Stamp, limits: Limits, connect: Connect) -> None:
        """Open or make the file. Raises sqlite3.Error, OSError or Corrupt."""
        self._chain = chain
        self._stamp = stamp
        self._limits = limits
        self.doubt: Doubt | None = None
        self._db = connect(path)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file, whatever state it is in."""
        with suppress(sqlite3.Error):
            self._db.close()

    def write(self, entries: Sequence[Entry]) -> Links:
        """Chain and keep all entries in one transaction; they are on the disk on return.

        Where a segment is full, the records that say so come first, as an entry of the journal's own.
        """
        turnover = self.segments.plan(self.head)
        own = Entry([self._stamp(record) for record in turnover.records])
        links = link(self._chain, self.head, [own, *entries])
        self.doubt = _doubt(links, own)
        added = 0
        self._db.execute("BEGIN IMMEDIATE")
        self._turn_over(turnover)
        for entry, chained in links.good:
            added += self._add(entry, chained, self.doubt.undo)
        self._sweep()
        self._db.execute("COMMIT")
        self._log += added // _PAGE + len(self.doubt.undo) + _PAGES_EACH
        self.doubt = None
        self.segments.carry_out(turnover, added)
        self.head = links.head
        return links

    def load(self, table: Table) -> Loaded:
        """Return a table."""
        rows = self.commands.rows() if table is Table.COMMANDS else self.state.rows(table)
        return Loaded({row[0]: decode(row[1]) for row in rows}, damaged=table in self.meta.damaged)

    def find(self, table: Table, key: str) -> bytes | None:
        """Return one value."""
        return self.commands.find(key) if table is Table.COMMANDS else self.state.find(table, key)

    def hash_at(self, sequence: int) -> bytes | None:
        """Return the hash of a record; None where it is not kept."""
        row = self._db.execute("SELECT hash FROM record WHERE sequence = ?", (sequence,)).fetchone()
        return None if row is None else bytes(row[0])

    def tidy(self, *, waiting: bool) -> None:
        """Move the write-ahead log into the database where it is worth it; if someone waits, where it is overdue."""
        if self._log >= (_CHECKPOINT_BY if waiting else _CHECKPOINT_AT):
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            self._log = 0

    def check(self) -> set[Table]:
        """Return the tables of state that are not what was put there. Raises Corrupt where the chain's tail is not."""
        start = self._before_tail()
        for chained in read_chain(self._db, self._chain, start):
            start = chained.head
        if start != self.head:
            raise Corrupt(f"the chain ends at {start.sequence}, not at {self.head.sequence}")
        return self.state.damaged()

    def begin(self, base: Head, head: Head, sealed: Sequence[Segment], damaged: frozenset[Table]) -> None:
        """Say of a journal that is taken over what it begins and ends with."""
        self._db.execute("BEGIN IMMEDIATE")
        self.meta.set_base(base)
        self.meta.mark(damaged, frozenset())
        self._db.executemany("INSERT OR REPLACE INTO segment VALUES (?, ?, ?, ?, ?)", sealed)
        if sealed:
            self.meta.set_segment(sealed[-1].number + 1)
        self._db.execute("COMMIT")
        self.segments, self.head = self._load_chain()
        if self.head != head:
            raise Corrupt(f"the chain ends at {self.head.sequence}, not at {head.sequence}")

    def take_over(self, records: Sequence[Chained]) -> None:
        """Put in records that are chained already."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany("INSERT INTO record VALUES (?, ?, ?)", records)
        self._db.execute("COMMIT")

    def take_over_state(self, puts: Sequence[Put]) -> None:
        """Put in state of before."""
        self._db.execute("BEGIN IMMEDIATE")
        for put in puts:
            self.state.put(put)
        self._db.execute("COMMIT")

    def take_over_commands(self, rows: Iterator[tuple[str, bytes, float]]) -> None:
        """Put in commands of before, with the age they have."""
        self._db.execute("BEGIN IMMEDIATE")
        for key, value, at in rows:
            self.commands.add(key, value, at)
        self._db.execute("COMMIT")

    def _prepare(self) -> None:
        if not self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            self._db.executescript(f"BEGIN; {TABLES} PRAGMA user_version = {FORMAT}; COMMIT;")
        self.meta = Meta(self._db)
        self.state = KeyedState(self._db)
        self.commands = CommandIds(self._db, self._limits)
        self._log = 0
        self.segments, self.head = self._load_chain()
        self._swept = False

    def _load_chain(self) -> tuple[Segments, Head]:
        base = self.meta.base
        sealed = [Segment(*row) for row in self._db.execute("SELECT * FROM segment ORDER BY number")]
        last = self._db.execute("SELECT sequence, hash FROM record ORDER BY sequence DESC LIMIT 1").fetchone()
        head = Head(*last) if last and last[0] > base.sequence else base
        start = sealed[-1].last if sealed else base.sequence
        query = f"SELECT coalesce(sum(length(body) + {ROW}), 0) FROM record WHERE sequence > ?"  # noqa: S608  (an int)
        open_bytes = self._db.execute(query, (start,)).fetchone()[0]
        return Segments(base, sealed, self.meta.segment, open_bytes, self._limits), head

    def _before_tail(self) -> Head:
        sequence = self.head.sequence - self._limits.tail
        if sequence <= self.meta.base.sequence:
            return self.meta.base
        before = self.hash_at(sequence)
        if before is None:
            raise Corrupt(f"record {sequence} is missing")
        return Head(sequence, before)

    def _add(self, entry: Entry, chained: Sequence[Chained], undo: list[Put]) -> int:
        self._db.executemany("INSERT INTO record VALUES (?, ?, ?)", chained)
        for put in entry.puts:
            commands = put.table is Table.COMMANDS
            undo.append(self.commands.put(put, self._stamp.wall()) if commands else self.state.put(put))
        for table in entry.damaged - {Table.COMMANDS}:
            self.state.reseal(table)
        self.meta.mark(entry.damaged, entry.mended)
        return sum(len(each.body) + ROW for each in chained)

    def _turn_over(self, turnover: Turnover) -> None:
        if turnover.sealed:
            self._db.execute("INSERT INTO segment VALUES (?, ?, ?, ?, ?)", turnover.sealed)
            self.meta.set_segment(turnover.sealed.number + 1)
        for segment in turnover.dropped:
            self._db.execute("DELETE FROM segment WHERE number = ?", (segment.number,))
            self.meta.set_base(Head(segment.last, segment.hash))
            self._swept = False

    def _sweep(self) -> None:
        if not self._swept:
            done = self._db.execute(
                "DELETE FROM record WHERE sequence IN (SELECT sequence FROM record WHERE sequence <= ? LIMIT ?)",
                (self.meta.base.sequence, _SWEEP),
            )
            self._swept = done.rowcount < _SWEEP


def _doubt(links: Links, own: Entry) -> Doubt:
    asked = [(entry, chained) for entry, chained in links.good if entry is not own]
    mended = frozenset[Table]().union(*(entry.mended for entry, _ in asked))
    return Doubt([each for _, chained in asked for each in chained], [], mended)
