"""The file format of `journal.db`, and how a connection to it is opened."""

import errno
import sqlite3
from pathlib import Path

NAME = "journal.db"
FORMAT = 1
WAL_SUFFIXES = ("", "-wal", "-shm")
"""The files that make up one database."""

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE record (sequence INTEGER PRIMARY KEY, hash BLOB NOT NULL, body BLOB NOT NULL);
CREATE TABLE segment (
    number INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, size INTEGER NOT NULL,
    hash BLOB NOT NULL
);
CREATE TABLE state (
    name TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, seal BLOB NOT NULL, PRIMARY KEY (name, key)
) WITHOUT ROWID;
CREATE TABLE digest (name TEXT PRIMARY KEY, seal BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE command (
    added INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, value BLOB NOT NULL, seal BLOB NOT NULL,
    at REAL NOT NULL
);
"""

ROW = 48
"""Bytes of a record beside its body: the hash, the sequence and what SQLite adds."""


class Corrupt(Exception):
    """The database holds something that nobody can have written."""


_CORRUPT = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_FORMAT,
    sqlite3.SQLITE_ERROR,  # a table or column of ours is not there
    sqlite3.SQLITE_CONSTRAINT,  # a row of ours is there that should not be
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_TOOBIG,
}
_SHORT_READ = sqlite3.SQLITE_IOERR_SHORT_READ


def is_corruption(error: Exception) -> bool:
    """Tell damage in the file from trouble with the disk, which may pass."""
    if isinstance(error, Corrupt):
        return True
    if not isinstance(error, sqlite3.Error):
        return False
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)  # without one: a value of the wrong type
    return code & 0xFF in _CORRUPT or code == _SHORT_READ


def connect(path: Path, factory: type[sqlite3.Connection] = sqlite3.Connection) -> sqlite3.Connection:
    """Open a database for writing, in the way that makes COMMIT durable: write-ahead log, synced at each commit."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=1.0, factory=factory)
    try:
        _use_wal(connection)
        connection.execute("PRAGMA synchronous=FULL")
        # Checkpoints are ours: SQLite's own would hide that one failed.
        connection.execute("PRAGMA wal_autocheckpoint=0")
    except BaseException:
        connection.close()
        raise
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA journal_mode=WAL").fetchone() != ("wal",):
        raise OSError(errno.ENOTSUP, "this file system cannot hold a write-ahead log")


_HEADER = ((0, b"SQLite format 3\0"), (16, b"\x10\x00"), (20, b"\x00\x40\x20\x20"))
"""Magic, a page of 4,096 bytes, nothing reserved (SQLite, Database File Format, 1.3)."""
_VERSIONS = (b"\x01\x01", b"\x02\x02")


def check_header(path: Path) -> None:
    """Raise Corrupt where the file's first bytes are not a journal's: SQLite calls some of that `read-only`.

    Only while this process has the file not open: closing any handle of it drops SQLite's locks (POSIX).
    """
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except FileNotFoundError:
        return
    whole = len(head) == 100 and head[18:20] in _VERSIONS
    # An empty file is a new database to SQLite. If it was more once, the file with the head still says so.
    if head and not (whole and all(head[at : at + len(part)] == part for at, part in _HEADER)):
        raise Corrupt("the first bytes of the journal are damaged")


def connect_for_reading(path: Path) -> sqlite3.Connection:
    """Open a database that a gateway may be writing to. Raises sqlite3.Error."""
    try:
        return _opened(f"{path.absolute().as_uri()}?mode=ro")
    except sqlite3.OperationalError:
        if path.with_name(path.name + "-wal").exists() or not path.exists():
            raise
        # No gateway runs, and we may not make the files of a write-ahead log here.
        return _opened(f"{path.absolute().as_uri()}?immutable=1")


def _opened(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=1.0)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection
