"""The daemon's words to systemd and to the journal, through the real systemd-python and real sockets."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.lifecycle import connect_systemd
from tests.servers import ROOT

pytestmark = pytest.mark.real

FOLDER = ROOT / ".tools" / "systemd-python"


@pytest.fixture(autouse=True)
def systemd_python(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let `systemd` be the real package: the repository's folder of that name holds units, not modules."""
    monkeypatch.syspath_prepend(FOLDER)
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "systemd"}
    try:
        import_module("systemd.daemon")
    except ImportError:
        pytest.fail("systemd-python is missing: run sh tools/get_systemd_python.sh .tools/systemd-python")
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "systemd"]:
        del sys.modules[name]
    sys.modules.update(before)


@pytest.fixture(params=["in the file system", "abstract"])
def notify_socket(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[socket.socket]:
    abstract = request.param == "abstract"
    address = f"@plantgate-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0{address[1:]}" if abstract else address)
        systemd.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        yield systemd


def test_systemd_hears_the_whole_life_of_the_daemon(
    notify_socket: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "10000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    notifier = connect_systemd(os.environ, SystemClock())
    notifier.status("2 of 2 devices up")
    notifier.ready()
    notifier.watchdog_ping()
    notifier.watchdog_ping()
    notifier.stopping()
    heard = [notify_socket.recv(1000).decode() for _ in range(4)]
    assert heard == ["STATUS=2 of 2 devices up", "READY=1", "WATCHDOG=1", "STOPPING=1"]


def test_a_watchdog_of_another_process_is_not_fed(
    notify_socket: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "10000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getppid()))
    notifier = connect_systemd(os.environ, SystemClock())
    notifier.watchdog_ping()
    notifier.ready()
    assert notify_socket.recv(1000) == b"READY=1"


def test_a_systemd_that_is_gone_hurts_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    connect_systemd(os.environ, SystemClock()).ready()
    assert [record.getMessage() for record in caplog.records] == ["systemd_not_told"]


JOURNAL = """
import json, logging, os, socket, sys, tempfile
from gateway.clock import SystemClock
from gateway.observability.logs import logs
from gateway.observability.settings import LoggingSettings

os.makedirs("/run/systemd/journal")
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal, tempfile.TemporaryFile("w+") as stderr:
    journal.bind("/run/systemd/journal/socket")
    status = os.fstat(stderr.fileno())
    environ = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
    with logs(LoggingSettings(), SystemClock(), environ, stderr) as handler:
        log = logging.getLogger("plantgate.endpoints")
        log.warning("device_lost", extra={"device": "boiler", "why": "first\\nsecond"})
        log.info("device_connected", extra={"device": "Kessel-S\\u00fcd"})
    journal.settimeout(5)
    received = [journal.recv(65536).decode("latin-1") for _ in range(2)]
    stderr.seek(0)
    print(json.dumps({"received": received, "lost": handler.lost, "stderr": stderr.read()}))
"""


def namespaces() -> list[str]:
    """Return the command that runs another with mounts of its own. Skips where the machine forbids that."""
    for command in (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"]):
        if (
            subprocess.run(
                [*command, "mount", "-t", "tmpfs", "run", "/run"], stderr=subprocess.DEVNULL, check=False
            ).returncode
            == 0
        ):
            return command
    return pytest.skip("this machine allows no mount namespaces, not even to root: a container without privileges?")


def test_the_journal_gets_events_with_their_fields() -> None:
    """In a mount namespace of its own, since the journal's socket is at a fixed path below /run."""
    command = [*namespaces(), "sh", "-c", 'mount -t tmpfs run /run && exec "$@"', "sh"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(FOLDER), str(ROOT)])}
    done = subprocess.run(
        [*command, sys.executable, "-c", JOURNAL], env=environ, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["lost"], told["stderr"]) == (0, "")
    lost, connected = (entry.encode("latin-1") for entry in told["received"])
    # A value with a line break goes as name, length in 8 bytes, value; see systemd's Native Journal Protocol.
    assert b"PLANTGATE_WHY\n\x0c\0\0\0\0\0\0\0first\nsecond\n" in lost
    assert {b"PRIORITY=4", b"PLANTGATE_EVENT=device_lost", b"PLANTGATE_DEVICE=boiler"} <= set(lost.split(b"\n"))
    assert "PLANTGATE_DEVICE=Kessel-Süd\n".encode() in connected
    assert b"MESSAGE=device_connected device=Kessel-S\xc3\xbcd\n" in connected
