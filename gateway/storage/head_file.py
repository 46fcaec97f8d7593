"""The head of the chain in a file of its own: a second witness beside the database.

It is written after each commit and never synced, so it costs no disk time. After a power cut it may be behind the
database, never ahead of it: where it is ahead, records that were acknowledged are gone. SQLite itself would not
tell: it takes a damaged write-ahead log for one that ends there.
"""

import os
from contextlib import suppress
from pathlib import Path
from zlib import crc32

from gateway.storage.port import Head

NAME = "journal.head"
_LENGTH = 100


def read_head(folder: Path) -> Head | None:
    """Return what the file says; None where there is none, or where it is damaged itself."""
    try:
        line = (folder / NAME).read_bytes()
        number, text, check = line.decode("ascii").split()
        head = Head(int(number), bytes.fromhex(text))
    except (OSError, ValueError):
        return None
    return head if line == _line(head) and len(check) == 8 else None


class HeadFile:
    """Keeps the file. It never raises: a witness that cannot write is silent, and the commit stands."""

    def __init__(self, folder: Path) -> None:
        self._file: int | None = None
        with suppress(OSError):
            self._file = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def write(self, head: Head) -> None:
        """Put the head down, in one call and in place."""
        if self._file is not None:
            with suppress(OSError):
                os.pwrite(self._file, _line(head), 0)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _line(head: Head) -> bytes:
    text = f"{head.sequence} {head.hash.hex()}"
    return f"{text} {crc32(text.encode()):08x}".ljust(_LENGTH - 1).encode() + b"\n"
