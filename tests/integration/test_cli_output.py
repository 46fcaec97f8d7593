"""What the command line does when nobody reads its output to the end."""

import os
import subprocess
import sys

import pytest

from tests.servers import ROOT

pytestmark = pytest.mark.real


@pytest.mark.parametrize("command", [["schema"], ["check", "config/minimal.yaml"]], ids=["much", "little"])
def test_a_reader_that_has_gone_is_no_reason_to_complain(command: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        # Buffered, as a user's shell starts it: what is little is written only at the end.
        environ = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
        ended = subprocess.run(
            [sys.executable, "-m", "gateway", *command],
            cwd=ROOT, env=environ, stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False,
        )  # fmt: skip
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (1, b"")
