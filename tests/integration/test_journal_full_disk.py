"""P4: a full and a read-only state directory. Everything is refused with its reason, trips are still taken.

It gets back into order by itself.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT

pytestmark = pytest.mark.real

OWN_MOUNTS = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--map-root-user", "--mount")
CHILD = (sys.executable, "-m", "tests.integration.journal_disk_child")


def words(*command: str) -> list[str]:
    """Run a child; return what it proved."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split()


def can_mount() -> bool:
    command = (*OWN_MOUNTS, "mount", "-t", "tmpfs", "none", "/mnt")
    try:
        return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 0
    except OSError:
        return False


def test_a_journal_that_cannot_grow_refuses_and_recovers_by_itself(tmp_path: Path) -> None:
    assert words(*CHILD, "limit", str(tmp_path)) == ["refused", "recovered", "proved"]


def test_on_a_full_disk_trips_are_taken_and_on_a_read_only_one_nothing_is(tmp_path: Path) -> None:
    if not can_mount():
        pytest.skip("no file system can be mounted here, not even in a user namespace")
    script = 'mount -t tmpfs -o size=4m none "$0" && exec "$@"'
    proved = words(*OWN_MOUNTS, "sh", "-c", script, str(tmp_path), *CHILD, "tmpfs", str(tmp_path))
    assert proved == ["refused", "tripped", "recovered", "writable", "proved"]
    assert not list(tmp_path.iterdir()), "it was mounted for the child alone"
