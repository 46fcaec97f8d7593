"""A process that cannot reach anything: no connection, no port, no serial line, no file that could be changed.

The stand-ins need none of it. What holds this is the interpreter itself (its audit events, PEP 578), so it holds
for libraries too, whatever they think that they were configured for.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from drivers.base import Driver
from drivers.registry import load
from gateway.errors import GatewayError

ADDRESS = "memory://proof-test/"
"""Where the stand-ins live; each device has a plant of its own below it."""

_REACHING = frozenset((
    "socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname",
    "socket.gethostbyaddr", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork",
    "os.forkpty", "sqlite3.connect",
))  # fmt: skip
_CHANGING = frozenset(("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate", "os.link", "os.symlink"))
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
_HARMLESS = frozenset(("/dev/null", "/dev/urandom"))


class OutOfReach(GatewayError, PermissionError):
    """Something wanted to leave a sealed process."""


class Seal:
    """Whether the process is sealed, and what tried to get out of it."""

    def __init__(self) -> None:
        self.depth = 0
        self.attempts: list[str] = []
        """Connections, ports and devices that were asked for; files of the interpreter's own are not noted."""
        self._is_hooked = False

    def hook(self) -> None:
        """Listen to the interpreter; it cannot be told to stop, so this is done once."""
        if not self._is_hooked:
            self._is_hooked = True
            sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.depth:
            return
        if event in _REACHING or (event == "open" and _is_device(arguments[0])):
            told = [each for each in arguments if isinstance(each, (str, bytes, int, tuple, list))]
            self.attempts.append(f"{event} {' '.join(map(repr, told))}")
            raise OutOfReach(f"nothing can be reached while a configuration is proved: {self.attempts[-1]}")
        if event in _CHANGING or (event == "open" and _can_write(arguments)):
            raise OutOfReach(f"nothing is written while a configuration is proved: {event} {arguments[0]!r}")


_SEAL = Seal()


@contextmanager
def sealed() -> Iterator[list[str]]:
    """Let nothing out of the process meanwhile; yields what tries."""
    _SEAL.hook()
    _SEAL.attempts.clear()
    _SEAL.depth += 1
    try:
        yield _SEAL.attempts
    finally:
        _SEAL.depth -= 1


@cache
def load_stand_in(name: str) -> Driver:
    """Return the driver in memory, which connects to stand-ins alone. Raises OutOfReach for any other driver."""
    if name != "memory":
        raise OutOfReach(f"driver {name!r}: only devices in memory can be reached while a configuration is proved")
    driver = load(name)

    def connect(device: Any) -> Any:  # noqa: ANN401  (as `Driver.connect`)
        if not device.url.startswith(ADDRESS):
            raise OutOfReach(f"{device.url}: only stand-ins can be reached while a configuration is proved")
        return driver.connect(device)

    return Driver(driver.device, driver.point, driver.endpoint, connect)


def _is_device(path: object) -> bool:
    return isinstance(path, str) and path.startswith("/dev/") and path not in _HARMLESS


def _can_write(arguments: tuple[Any, ...]) -> bool:
    flags = arguments[2] if len(arguments) > 2 else 0
    return isinstance(flags, int) and bool(flags & _WRITING) and arguments[0] not in _HARMLESS
