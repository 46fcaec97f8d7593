"""The ids of commands already seen, with their answers: bounded in number and age, the oldest dropped first."""

import sqlite3
from collections.abc import Iterator

from gateway.storage.batch import Put
from gateway.storage.keyed_state import seal, sealed
from gateway.storage.port import Limits, Table

_DROP_EACH = 2
"""Old ids dropped for each new one. So a wall clock that is wrong by a year cannot empty the table at once."""


class CommandIds:
    """The table `commands`."""

    def __init__(self, connection: sqlite3.Connection, limits: Limits) -> None:
        self._db = connection
        self._limits = limits
        self.count: int = connection.execute("SELECT count(*) FROM command").fetchone()[0]
        self._dropped = 0

    def put(self, put: Put, wall: float) -> Put:
        """Carry out a change; return the one that would undo it. An id keeps its age when its answer comes."""
        before = self._db.execute("SELECT value FROM command WHERE key = ?", (put.key,)).fetchone()
        if put.value is None:
            self._db.execute("DELETE FROM command WHERE key = ?", (put.key,))
            self.count -= 1 if before else 0
        elif before:
            self._db.execute(
                "UPDATE command SET value = ?, seal = ? WHERE key = ?",
                (put.value, seal(put.table, put.key, put.value), put.key),
            )
        else:
            self.add(put.key, put.value, wall)
            self._drop_old(wall)
        return Put(put.table, put.key, before[0] if before else None)

    def add(self, key: str, value: bytes, at: float) -> None:
        """Put in an id that is not there yet."""
        self._db.execute(
            "INSERT INTO command (key, value, seal, at) VALUES (?, ?, ?, ?)",
            (key, value, seal(Table.COMMANDS, key, value), at),
        )
        self.count += 1

    def find(self, key: str) -> bytes | None:
        """Return an answer. Raises Corrupt where its seal does not hold."""
        row = self._db.execute("SELECT value, seal FROM command WHERE key = ?", (key,)).fetchone()
        return None if row is None else sealed(Table.COMMANDS, key, *row)

    def rows(self) -> Iterator[tuple[str, bytes, float]]:
        """Yield key, value and time of all, oldest first. Raises Corrupt at one whose seal does not hold."""
        for key, value, own, at in self._db.execute("SELECT key, value, seal, at FROM command ORDER BY added"):
            yield key, sealed(Table.COMMANDS, key, value, own), float(at)

    def take_dropped(self) -> int:
        """Return how many were given up before their time since the last call."""
        dropped, self._dropped = self._dropped, 0
        return dropped

    def _drop_old(self, wall: float) -> None:
        oldest = self._db.execute("SELECT added, at FROM command ORDER BY added LIMIT ?", (_DROP_EACH,)).fetchall()
        for added, at in oldest:
            expired = at < wall - self._limits.command_age
            if expired or self.count > self._limits.commands:
                self._db.execute("DELETE FROM command WHERE added = ?", (added,))
                self.count -= 1
                self._dropped += 0 if expired else 1
