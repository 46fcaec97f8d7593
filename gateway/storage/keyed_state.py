"""State under keys inside the database: sealed row by row, and as a whole table.

SQLite has no checksums: a flipped bit in a latched trip, or one that hides its row, would go unnoticed. Each row
carries a seal, and each table the XOR of its rows' seals, so that a changed, lost or added row shows.
"""

import hashlib
import sqlite3
from collections.abc import Iterator

from gateway.storage.batch import Put
from gateway.storage.port import Table
from gateway.storage.schema import Corrupt

_NONE = bytes(16)


def seal(table: str, key: str, value: bytes) -> bytes:
    """Return what a row is sealed with."""
    return hashlib.sha256(b"\0".join((table.encode(), key.encode(), value))).digest()[:16]


class KeyedState:
    """The tables but for the commands."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._digests: dict[str, bytes] = dict(connection.execute("SELECT name, seal FROM digest"))

    def put(self, put: Put) -> Put:
        """Carry out a change; return the one that would undo it."""
        row = self._db.execute(
            "SELECT value, seal FROM state WHERE name = ? AND key = ?", (put.table, put.key)
        ).fetchone()
        before, change = (row[0], row[1]) if row else (None, _NONE)
        if put.value is None:
            self._db.execute("DELETE FROM state WHERE name = ? AND key = ?", (put.table, put.key))
        else:
            own = seal(put.table, put.key, put.value)
            change = _xor(change, own)
            self._db.execute("INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?)", (put.table, put.key, put.value, own))
        self._turn(put.table, change)
        return Put(put.table, put.key, before)

    def rows(self, table: Table) -> Iterator[tuple[str, bytes]]:
        """Yield the rows whose seals hold."""
        for key, value, own in self._db.execute("SELECT key, value, seal FROM state WHERE name = ?", (table,)):
            if _holds(table, key, value, own):
                yield key, value

    def find(self, table: Table, key: str) -> bytes | None:
        """Return one value. Raises Corrupt where its seal does not hold."""
        row = self._db.execute("SELECT value, seal FROM state WHERE name = ? AND key = ?", (table, key)).fetchone()
        return None if row is None else sealed(table, key, *row)

    def is_whole(self, table: Table) -> bool:
        """Tell whether the rows of a table are those that were put there."""
        found = _NONE
        for key, value, own in self._db.execute("SELECT key, value, seal FROM state WHERE name = ?", (table,)):
            if not _holds(table, key, value, own):
                return False
            found = _xor(found, own)
        return found == self._digests.get(table, _NONE)

    def damaged(self) -> set[Table]:
        """Return the tables whose rows are not those that were put there."""
        return {table for table in Table if table is not Table.COMMANDS and not self.is_whole(table)}

    def reseal(self, table: Table) -> None:
        """Take the rows that are still good for all there is."""
        good = dict(self.rows(table))
        self._db.execute("DELETE FROM state WHERE name = ?", (table,))
        self._digests[table] = _NONE
        for key, value in good.items():
            self.put(Put(table, key, value))
        self._turn(table, _NONE)

    def _turn(self, table: Table, change: bytes) -> None:
        self._digests[table] = _xor(self._digests.get(table, _NONE), change)
        self._db.execute("INSERT OR REPLACE INTO digest VALUES (?, ?)", (table, self._digests[table]))


def sealed(table: Table, key: str, value: object, own: object) -> bytes:
    """Return a value whose seal holds. Raises Corrupt."""
    if isinstance(value, bytes) and own == seal(table, key, value):
        return value
    raise Corrupt(f"what is kept in {table} under {key!r} is damaged")


def _holds(table: Table, key: object, value: object, own: object) -> bool:
    return isinstance(key, str) and isinstance(value, bytes) and own == seal(table, key, value)


def _xor(one: bytes, other: bytes) -> bytes:
    if not (len(one) == len(other) == len(_NONE)):
        raise Corrupt("a seal of the kept state is damaged")
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
