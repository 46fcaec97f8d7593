"""The systemd unit, as systemd itself reads and rates it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers import ROOT

UNIT = ROOT / "systemd" / "plantgate@.service"

with_systemd = [
    pytest.mark.real,
    pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze: apt install systemd"),
]


def assignments() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text().splitlines():
        if line and line[0] not in "#[":
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def verify(folder: Path, text: str) -> str:
    """Return what `systemd-analyze verify` has to say; its exit code is 0 for mere warnings."""
    for program in ("/opt/plantgate/venv/bin/plantgate", "/bin/kill"):  # they need not be on this machine
        text = text.replace(program, shutil.which("true") or "/bin/true")
    unit = folder / UNIT.name
    unit.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout + done.stderr + ("" if done.returncode == 0 else f"exit code {done.returncode}")


class TestWithSystemd:
    pytestmark = with_systemd

    def test_systemd_has_nothing_to_say_about_the_unit(self, tmp_path: Path) -> None:
        assert verify(tmp_path, UNIT.read_text()) == ""

    @pytest.mark.parametrize("wrong", ["WatchdogSecond=10", "ProtectSystem=very", "Type=notified"])
    def test_systemd_would_have_something_to_say_about_a_mistake(self, tmp_path: Path, wrong: str) -> None:
        assert verify(tmp_path, UNIT.read_text().replace("[Install]", f"{wrong}\n[Install]")) != ""

    def test_the_sandbox_is_rated_ok(self) -> None:
        rated = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--threshold=10", "--no-pager", str(UNIT)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert rated.returncode == 0, rated.stdout

    def test_without_the_sandbox_it_would_not_be(self, tmp_path: Path) -> None:
        unit = tmp_path / UNIT.name
        unit.write_text(UNIT.read_text().replace("CapabilityBoundingSet=\n", ""))
        rated = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--threshold=10", "--no-pager", str(unit)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert rated.returncode != 0


def test_the_unit_says_what_the_contract_says() -> None:
    unit = assignments()
    assert unit["Type"] == ["notify"]
    assert unit["ExecStart"] == ["/opt/plantgate/venv/bin/plantgate run /etc/plantgate/%i.yaml"]
    assert unit["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert unit["DynamicUser"] == ["yes"]
    assert unit["StateDirectory"] == ["plantgate/%i"]
    assert unit["LoadCredential"] == ["plantgate:/etc/plantgate/credentials"]
    assert unit["SetCredential"] == ["plantgate:none"]  # the folder need not exist
    assert int(unit["WatchdogSec"][0]) > 0


def test_a_wrong_configuration_is_not_tried_again_and_everything_else_is() -> None:
    unit = assignments()
    assert unit["Restart"] == ["on-failure"]
    assert unit["RestartPreventExitStatus"] == ["2"]
    assert unit["StartLimitIntervalSec"] == ["0"]


def test_no_secret_is_handed_over_in_the_environment() -> None:
    assert not {"Environment", "EnvironmentFile", "PassEnvironment"} & set(assignments())
