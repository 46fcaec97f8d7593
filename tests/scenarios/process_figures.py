"""What one process holds, as the kernel and its own tasks tell."""

import asyncio
import re
import signal
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tests.scenarios.gateway_process import POLL, GatewayProcess


class Holdings(NamedTuple):
    """What must be the same after every fault."""

    files: Counter[str]
    """Open descriptors, by what they are."""
    tasks: Counter[str]
    """Tasks of its loop, by name."""


class CountedGateway(GatewayProcess):
    """A gateway that tells its tasks."""

    module = "tests.scenarios.counted_gateway"

    async def holdings(self) -> Holdings:
        return Holdings(_open_files(self.pid), Counter(await self._tasks()))

    def resident(self) -> float:
        """Return its resident memory, MiB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None, status
        return int(found[1]) / 1024

    async def _tasks(self) -> list[str]:
        told = Path(self._environ["TASKS"])
        _take(told)
        self.send(signal.SIGUSR1)
        async with asyncio.timeout(10):
            while (text := _take(told)) is None:  # noqa: ASYNC110  (a file tells of no event)
                await asyncio.sleep(POLL / 10)
        return text.splitlines()


def _open_files(pid: int) -> Counter[str]:
    links = [_readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
    return Counter(re.sub(r"\d+", "", link) for link in links if link)


def _readlink(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:  # closed in the meantime
        return ""


def _take(file: Path) -> str | None:
    """Return what a file holds and remove it, None where it is not there."""
    try:
        text = file.read_text()
    except FileNotFoundError:
        return None
    file.unlink()
    return text
