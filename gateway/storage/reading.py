"""A journal as others may look at it: read only, while a gateway writes to it.

Every look is short. A reader that held on to one would keep the write-ahead log from being emptied, and so fill
the gateway's disk.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.errors import StorageError
from gateway.storage.meta import Meta
from gateway.storage.port import Chained, Head, Table
from gateway.storage.schema import NAME, Corrupt, connect_for_reading

_PORTION = 500


class Unreadable(StorageError):
    """The journal holds what cannot be read; `after` is the last sequence that could."""

    def __init__(self, after: int, reason: str) -> None:
        super().__init__("journal_unavailable", reason)
        self.after = after


class Moved(StorageError):
    """The gateway dropped its oldest records while they were being read."""

    def __init__(self) -> None:
        super().__init__("journal_unavailable", "the oldest records were dropped while they were read; try again")


class JournalReader:
    """An open journal. Raises Unreadable from every method."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self.base: Head = self._meta().base
        """What the first record follows."""

    @property
    def damaged(self) -> frozenset[Table]:
        """The tables of state that were found damaged, and not mended yet."""
        return self._meta().damaged

    def records(self) -> Iterator[Chained]:
        """Yield all records in order, unchecked. Raises Moved where the gateway drops those that come next."""
        after = self.base.sequence
        while portion := self._portion("sequence > ? ORDER BY sequence", after, after):
            if self._meta().base.sequence > after:
                raise Moved
            yield from portion
            after = portion[-1].sequence

    def newest(self) -> Iterator[Chained]:
        """Yield all records from the newest back, unchecked."""
        before = 2**62
        while portion := self._portion("sequence < ? ORDER BY sequence DESC", before, before):
            for record in portion:
                if record.sequence > self.base.sequence:
                    yield record
            before = portion[-1].sequence

    def _portion(self, which: str, bound: int, near: int) -> list[Chained]:
        query = f"SELECT sequence, hash, body FROM record WHERE {which} LIMIT {_PORTION}"  # noqa: S608  (ours)
        rows: list[Chained] = []
        try:
            for row in self._db.execute(query, (bound,)):
                rows.append(_checked(row, rows[-1].sequence if rows else near))
        except sqlite3.Error as error:
            if rows:  # what came before the damage is worth having; the next portion meets it at once
                return rows
            raise Unreadable(near, f"the database cannot be read: {error}") from error
        except Unreadable:
            if rows:
                return rows
            raise
        return rows

    def _meta(self) -> Meta:
        try:
            return Meta(self._db)
        except (sqlite3.Error, Corrupt) as error:
            raise Unreadable(0, f"the database cannot be read: {error}") from error


@contextmanager
def reading(folder: Path) -> Iterator[JournalReader]:
    """Open the journal of a state directory. Raises StorageError where there is none."""
    path = folder / NAME
    if not path.is_file():
        raise StorageError(
            "journal_unavailable", f"{folder}: there is no {NAME} here; name a gateway's state directory"
        )
    try:
        connection = connect_for_reading(path)
    except sqlite3.Error as error:
        raise Unreadable(0, f"the database cannot be read: {error}") from error
    try:
        yield JournalReader(connection)
    finally:
        connection.close()


def _checked(row: tuple[Any, Any, Any], after: int) -> Chained:
    sequence, own, body = row
    if isinstance(sequence, int) and isinstance(own, bytes) and isinstance(body, bytes):
        return Chained(sequence, own, body)
    raise Unreadable(after, "it was changed: its row holds what nobody can have written")
