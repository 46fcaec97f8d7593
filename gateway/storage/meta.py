"""What the database says of itself: where its chain begins, and which of its tables are damaged."""

import sqlite3
from collections.abc import Set as AbstractSet

from gateway.storage.port import GENESIS, Head, Table
from gateway.storage.schema import FORMAT, Corrupt


class Meta:
    """The table `meta`, and the format's number. Raises Corrupt where it holds what nobody can have put there."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        if connection.execute("PRAGMA user_version").fetchone()[0] != FORMAT:
            raise Corrupt("the format of the journal is unknown; it is from a newer version, or damaged")
        kept: dict[str, str] = dict(connection.execute("SELECT key, value FROM meta"))
        try:
            self.base = _head(kept["base"]) if "base" in kept else GENESIS
            self.damaged = frozenset(Table(name) for name in kept.get("damaged", "").split())
            self.segment = int(kept.get("segment", "1"))
        except (ValueError, TypeError) as error:
            raise Corrupt("what the journal says of itself is damaged") from error

    def set_base(self, base: Head) -> None:
        """Say after which record the chain begins."""
        self._put("base", f"{base.sequence} {base.hash.hex()}")
        self.base = base

    def set_segment(self, number: int) -> None:
        """Say which number the open segment has."""
        self._put("segment", str(number))
        self.segment = number

    def mark(self, damaged: AbstractSet[Table], mended: AbstractSet[Table]) -> None:
        """Say that tables are damaged from now on, or no longer."""
        now = frozenset((self.damaged - mended) | damaged)
        if now != self.damaged:
            self._put("damaged", " ".join(sorted(now)))
            self.damaged = now

    def _put(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def _head(text: str) -> Head:
    sequence, digest = text.split()
    head = Head(int(sequence), bytes.fromhex(digest))
    if len(head.hash) != len(GENESIS.hash):
        raise ValueError("no hash")
    return head
