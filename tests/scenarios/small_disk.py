"""A file system of a few megabytes that a gateway can be run on, and that can be filled from outside."""

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

_USER = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
_OWN_MOUNTS = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--map-root-user", "--mount")


class SmallDisk:
    """A disk that only those see who are started with `around`; it is empty at first."""

    def __init__(self, folder: Path, pid: int) -> None:
        self.folder = folder
        """Where they see it."""
        self.around = ("nsenter", *_USER, "--mount", f"--target={pid}", f"--wdns={Path.cwd()}")
        self._filler = Path(f"/proc/{pid}/root", *folder.parts[1:], "filler")

    def fill(self) -> None:
        """Take all space there is."""
        with suppress(OSError), self._filler.open("ab", buffering=0) as filler:
            for size in (65536, 4096, 1):
                with suppress(OSError):
                    while True:
                        filler.write(bytes(size))

    def empty(self) -> None:
        """Give it back."""
        self._filler.unlink()


@asynccontextmanager
async def small_disk(folder: Path, megabytes: int) -> AsyncIterator[SmallDisk]:
    """Mount one for a process that does nothing else; skips the test where nothing can be mounted."""
    place = folder / "disk"
    place.mkdir()
    script = f'mount -t tmpfs -o size={megabytes}m none "$0" && echo mounted && exec cat'
    process = await asyncio.create_subprocess_exec(
        *_OWN_MOUNTS, "sh", "-c", script, str(place), stdin=PIPE, stdout=PIPE, stderr=DEVNULL
    )
    assert process.stdin
    assert process.stdout
    try:
        if await process.stdout.readline() != b"mounted\n":
            pytest.skip("no file system can be mounted here, not even in a user namespace")
        yield SmallDisk(place, process.pid)
    finally:
        process.stdin.close()
        await process.wait()
