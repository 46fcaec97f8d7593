"""The socket at which systemd listens to a service; here the test does."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.servers import ROOT

SYSTEMD_PYTHON = ROOT / ".tools" / "systemd-python"


class SystemdSocket:
    """Hears what a service says of itself."""

    def __init__(self, bound: socket.socket, path: Path) -> None:
        self._socket = bound
        self._path = path

    def environ(self, watchdog: float) -> Mapping[str, str]:
        """Return what systemd sets for a service. Watchdog: its limit, seconds."""
        return {
            "NOTIFY_SOCKET": str(self._path),
            "WATCHDOG_USEC": str(int(watchdog * 1_000_000)),
            "PYTHONPATH": str(SYSTEMD_PYTHON),
        }

    async def next(self, within: float) -> str:
        """Return the next thing that is said."""
        async with asyncio.timeout(within):
            return (await asyncio.get_running_loop().sock_recv(self._socket, 1000)).decode()

    async def until(self, word: str, within: float) -> list[str]:
        """Return everything that is said up to the first that begins with this word."""
        heard: list[str] = []
        try:
            async with asyncio.timeout(within):
                while not heard or not heard[-1].startswith(word):
                    heard.append(await self.next(within))
        except TimeoutError:
            pytest.fail(f"no {word} within {within:g} s, but {heard[-10:]}")
        return heard

    def drain(self) -> list[str]:
        """Return what was said and not heard yet."""
        heard = []
        while True:
            try:
                heard.append(self._socket.recv(1000).decode())
            except BlockingIOError:
                return heard


@asynccontextmanager
async def systemd_socket(folder: Path) -> AsyncIterator[SystemdSocket]:
    """Listen. Fails where the module by which the gateway speaks is missing."""
    if not (SYSTEMD_PYTHON / "systemd").is_dir():
        pytest.fail("systemd-python is missing: run sh tools/get_systemd_python.sh .tools/systemd-python")
    path = folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(path))
        bound.settimeout(0)
        yield SystemdSocket(bound, path)
