"""Nothing leaves a sealed process, whatever a library was configured for."""

import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from drivers.memory import MemoryDevice
from gateway.control.authority import Authority
from gateway.errors import ServiceError
from gateway.testing.sealed import OutOfReach, load_stand_in, sealed
from tests.unit.gateway.testing.proofs import LAYOUT, proof_of

WAYS: dict[str, Callable[[], object]] = {
    "a connection": lambda: socket.create_connection(("127.0.0.1", 9)),
    "a datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"", ("127.0.0.1", 9)),
    "a port": lambda: socket.socket().bind(("127.0.0.1", 0)),
    "a name": lambda: socket.getaddrinfo("localhost", 80),
    "a serial line": lambda: os.open("/dev/ttyUSB0", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK),
    "a device that is only read": lambda: os.open("/dev/ttyUSB0", os.O_RDONLY),
    "a program": lambda: subprocess.run([sys.executable, "-c", ""], check=False),
    "a database": lambda: sqlite3.connect(":memory:"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_it_cannot_be_reached(way: str) -> None:
    with sealed() as attempts, pytest.raises(OutOfReach):
        WAYS[way]()
    assert len(attempts) == 1


def test_no_file_is_written_and_files_are_read(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("as before")
    with sealed() as attempts:
        for write in (lambda: there.write_text("changed"), (tmp_path / "new").touch, (tmp_path / "folder").mkdir):
            with pytest.raises(OutOfReach):
                write()
        assert there.read_text() == "as before"
    assert attempts == []
    assert [each.name for each in tmp_path.iterdir()] == ["there"]


def test_afterwards_everything_is_as_before(tmp_path: Path) -> None:
    with sealed():
        pass
    (tmp_path / "new").touch()
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))


def test_the_drivers_of_real_devices_are_refused() -> None:
    for name in ("modbus", "opcua", "no_such_driver"):
        with pytest.raises(OutOfReach, match="only devices in memory"):
            load_stand_in(name)


async def test_a_device_in_memory_that_is_no_stand_in_is_refused() -> None:
    with pytest.raises(OutOfReach, match="memory://plant: only stand-ins can be reached"):
        load_stand_in("memory").connect(MemoryDevice())


def test_a_proof_during_which_something_was_tried_is_no_proof(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def leaky(*_: object) -> bool:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", 9))
        return True

    monkeypatch.setattr(Authority, "may", leaky)
    with pytest.raises(
        ServiceError, match=r"socket\.getaddrinfo '127\.0\.0\.1' 9 .*was tried while a configuration was proved"
    ):
        proof_of(tmp_path, LAYOUT["permission"])
