"""Disk space held back: given up when the disk is full, so that a trip can still be recorded."""

import os
from contextlib import suppress
from pathlib import Path

NAME = "journal.reserve"


class Reserve:
    """A file that holds blocks and nothing else."""

    def __init__(self, folder: Path, size: int) -> None:
        self._path = folder / NAME
        self._size = size

    def fill(self) -> None:
        """Take the space. Raises OSError where the disk does not have it; what was taken is given back then."""
        try:
            # Written whole where the file system cannot allocate by itself; its blocks are there either way.
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                if self._size:
                    os.posix_fallocate(file, 0, self._size)
            finally:
                os.close(file)
        except OSError:
            self.release()
            raise

    def release(self) -> bool:
        """Give the space up; tell whether there was any."""
        with suppress(OSError):
            self._path.unlink()
            return True
        return False
