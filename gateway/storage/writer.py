"""The journal as its own thread runs it: commits, and what becomes of it when the disk fails.

After any error the file is taken for lost: it is closed, opened anew, and its chain's tail checked, before anything
is written again. Nothing is ever synced a second time: after a failed fsync the kernel may have dropped what it
could not write, and would say that all is well (R. Rebello and others, "Can Applications Recover from fsync
Failures?", USENIX ATC 2020).
"""

import errno
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway.errors import StorageError
from gateway.storage.batch import Entry, Links, Put
from gateway.storage.database import Connect, Database, Doubt
from gateway.storage.head_file import HeadFile, read_head
from gateway.storage.port import Chain, Chained, JournalState, Limits, Loaded, Table
from gateway.storage.reserve import Reserve
from gateway.storage.salvage import finish, salvage
from gateway.storage.schema import NAME, Corrupt, check_header, is_corruption
from gateway.storage.stamp import Stamp

FAULTS = (sqlite3.Error, OSError, Corrupt, TypeError, ValueError, OverflowError)
"""What a disk, a full one or a damaged file can raise; the last three come from values that no one wrote."""
_ALL = frozenset(Table)


class Writer:
    """The file and its troubles. Blocks on the disk."""

    def __init__(self, folder: Path, chain: Chain, stamp: Stamp, limits: Limits, connect: Connect) -> None:
        self.state = JournalState()
        self.dropped = 0
        """Command ids given up before their time."""
        self._folder = folder
        self._parts = (chain, stamp, limits, connect)
        self._stamp = stamp
        self._reserve = Reserve(folder, limits.reserve)
        self._head_file: HeadFile | None = None
        self._database: Database | None = None
        self._doubt: Sequence[Chained] = ()
        """Records of the last failed transaction: nobody knows yet whether it is on the disk."""
        self._undo: dict[tuple[Table, str], Put] = {}
        """What takes the changes of failed transactions back, the oldest value of each key."""
        self._mended: frozenset[Table] = frozenset()
        self._suspect = False
        self._story: dict[str, Any] = {}
        """What the next record of ours tells of the time in which nothing was recorded."""
        self._damaged: frozenset[Table] = frozenset()

    def recover(self) -> Links | None:
        """Get the journal into order, at the start and after a failure; `state` says whether it is.

        Return what was recorded about it.
        """
        try:
            database = self._database or self._open()
            try:
                self._reserve.fill()
            except OSError as error:  # the journal itself can still be read, and take what is urgent
                self._fail(reason_of(error))
                return None
            links = self._write(database, []) if self._story else None
        except FAULTS as error:
            self._lose(error)
            return None
        self._show(database, healthy=True)
        return links

    def commit(self, entries: Sequence[Entry]) -> Links:
        """Write the entries in one transaction. Raises StorageError: they are not certain to be on the disk."""
        if self._database is None or not self.state.healthy:
            raise self.refusal()
        try:
            links = self._write(self._database, entries)
        except FAULTS as error:
            self._lose(error)
            raise self.refusal() from error
        self._show(self._database, healthy=True)
        return links

    def commit_urgently(self, entries: Sequence[Entry]) -> Links:
        """Write them even if the journal is unhealthy, giving up the reserve for it. Raises StorageError."""
        while True:
            try:
                database = self._database or self._open()
                links = self._write(database, entries)
            except FAULTS as error:
                self._lose(error)
                if not self._reserve.release():
                    raise self.refusal() from error
            else:
                self._show(database, healthy=self.state.healthy)
                return links

    def load(self, table: Table) -> Loaded:
        """Return a table. Raises StorageError."""
        database = self._readable()
        try:
            return database.load(table)
        except FAULTS as error:
            self._lose(error)
            raise self.refusal() from error

    def damaged(self) -> frozenset[Table]:
        """Return the tables that are damaged. Raises StorageError."""
        return self._readable().meta.damaged

    def find(self, table: Table, key: str) -> bytes | None:
        """Return a value. Raises StorageError."""
        database = self._readable()
        try:
            return database.find(table, key)
        except FAULTS as error:
            self._lose(error)
            raise self.refusal() from error

    def refusal(self) -> StorageError:
        """Return what a commit is answered with while the journal is unhealthy."""
        return StorageError("journal_unavailable", f"the journal is not available: {self.state.reason}")

    def tidy(self, *, waiting: bool) -> None:
        """Do what can wait, if it may."""
        if self._database is not None:
            try:
                self._database.tidy(waiting=waiting)
            except FAULTS as error:
                self._lose(error)

    def close(self) -> None:
        """Close all files."""
        self._close()
        self.state = JournalState(healthy=False, reason="closed")

    def _open(self) -> Database:
        set_aside = finish(self._folder)
        try:
            database = self._open_file()
        except FAULTS as error:
            if isinstance(error, (sqlite3.Error, OSError)) and not is_corruption(error):
                raise
            salvaged = salvage(self._folder, *self._parts)
            set_aside = salvaged.set_aside
            self._damaged |= salvaged.damaged
            self._tell(reason=str(error))
            database = self._open_file()
        if set_aside:
            self._tell(set_aside=set_aside)
        self._compare(database)
        self._resolve(database)
        self._head_file = self._head_file or HeadFile(self._folder)
        self._database = database
        return database

    def _open_file(self) -> Database:
        path = self._folder / NAME
        check_header(path)
        database = Database(path, *self._parts)
        try:
            damaged = self._check(database)
        except BaseException:
            database.close()
            raise
        self._damaged |= damaged
        if damaged:
            self._tell(reason="kept state is damaged")
        return database

    def _check(self, database: Database) -> frozenset[Table]:
        if self._suspect:  # whatever the tail looks like, reading it ran into damage
            self._suspect = False
            raise Corrupt(str(self._story["reason"]))
        return frozenset(database.check())

    def _compare(self, database: Database) -> None:
        """Hold the database against the head's own file: what it is short of was acknowledged once."""
        head, said = database.head, read_head(self._folder)
        if not head.sequence:
            self._tell(event="created", journal=secrets.token_hex(16))
        if said is None or said.sequence <= database.meta.base.sequence:
            return
        if said.sequence > head.sequence:
            self._tell(reason="acknowledged records are missing", missing=[head.sequence + 1, said.sequence])
            self._damaged = _ALL
        elif database.hash_at(said.sequence) != said.hash:
            self._tell(reason=f"record {said.sequence} is not the one that was acknowledged")
            self._damaged = _ALL

    def _write(self, database: Database, entries: Sequence[Entry]) -> Links:
        own = self._note()
        links = database.write([*own, *entries])
        self._story, self._undo, self._damaged, self._mended = {}, {}, frozenset(), frozenset()
        if self._head_file:
            self._head_file.write(database.head)
        self.dropped += database.commands.take_dropped()
        return links

    def _note(self) -> list[Entry]:
        """Return what has to be recorded, and taken back, before anything else is."""
        if not self._story:
            return []
        damaged = self._damaged | self._mended
        told = {**self._story, "damaged": sorted(damaged)} if damaged else self._story
        record = {"kind": "journal", "event": "recovered", **told}
        return [Entry([self._stamp(record)], tuple(self._undo.values()), damaged=damaged)]

    def _remember(self, doubt: Doubt | None) -> None:
        if doubt is not None:
            self._doubt = doubt.links
            self._mended |= doubt.mended
            for put in doubt.undo:
                self._undo.setdefault((put.table, put.key), put)

    def _resolve(self, database: Database) -> None:
        """See whether a failed transaction is on the disk after all; its records stay, and are named."""
        if self._doubt and database.hash_at(self._doubt[-1].sequence) == self._doubt[-1].hash:
            withdrawn = [self._doubt[0].sequence, self._doubt[-1].sequence]
            self._story["withdrawn"] = [*self._story.get("withdrawn", ()), withdrawn]
        self._doubt = ()

    def _tell(self, **facts: object) -> None:
        self._story |= {key: fact for key, fact in facts.items() if key not in self._story}

    def _lose(self, error: Exception) -> None:
        reason = reason_of(error)
        self._tell(reason=reason)
        if self._database is not None:
            self._remember(self._database.doubt)
            self._suspect = self._suspect or is_corruption(error)
        self._close()
        self._fail(reason)

    def _fail(self, reason: str) -> None:
        self.state = replace(self.state, healthy=False, reason=reason)

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None
        if self._head_file is not None:
            self._head_file.close()
            self._head_file = None

    def _show(self, database: Database, *, healthy: bool) -> None:
        segments = database.segments
        reason = "" if healthy else self.state.reason
        self.state = JournalState(healthy, reason, segments.size, segments.nearly_full)

    def _readable(self) -> Database:
        if self._database is None:
            raise self.refusal()
        return self._database


def reason_of(error: Exception) -> str:
    """Return in a few words what a person can act on."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    number = getattr(error, "errno", None)
    if code == sqlite3.SQLITE_FULL or number in {errno.ENOSPC, errno.EDQUOT}:
        return "the disk is full"
    if code == sqlite3.SQLITE_READONLY or number == errno.EROFS:
        return "the state directory is read-only"
    if code == sqlite3.SQLITE_IOERR or number == errno.EIO:
        return f"the disk failed: {error}"
    return str(error) or type(error).__name__
