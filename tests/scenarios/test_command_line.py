"""`plantgate` as a person calls it: exit codes and what is said."""

import socket
from pathlib import Path

import pytest

from tests.scenarios.boiler_house import run_command
from tests.servers import ROOT

pytestmark = pytest.mark.real


def test_the_shipped_boiler_house_is_in_order_with_notes() -> None:
    done = run_command("check", "config/boiler-house.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    *notes, verdict = done.stdout.splitlines()
    assert notes
    assert all(note.startswith("config/boiler-house.yaml:") and " note: " in note for note in notes)
    assert verdict.startswith("config/boiler-house.yaml is in order: devices 3, tags 44")


def test_a_wrong_configuration_is_one_line_for_each_problem_and_exit_code_2(tmp_path: Path) -> None:
    config = tmp_path / "wrong.yaml"
    right = (ROOT / "config" / "minimal.yaml").read_text()
    config.write_text(right.replace("mqtt:\n", "mqqt:\n").replace("unit: 1\n", "unit: 300\n").replace("0.2", "'x'"))
    done = run_command("run", str(config))
    assert (done.returncode, done.stdout) == (2, "")
    problems = done.stderr.splitlines()
    wrong = ("unknown key 'mqqt'", "devices.boiler.unit: ", "devices.boiler.tags.steam_temperature.deadband: ")
    assert len(problems) == len(wrong), done.stderr
    for line, what in zip(problems, wrong, strict=True):
        place, _, message = line.partition(": ")
        assert place.startswith(f"{config}:")
        assert message.startswith(what)


def test_a_configuration_that_is_not_there_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    done = run_command("run", str(tmp_path / "nowhere.yaml"))
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "nowhere.yaml" in done.stderr


def test_a_taken_http_port_is_one_line_behind_what_was_logged_and_exit_code_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        config = tmp_path / "taken.yaml"
        config.write_text(f"{(ROOT / 'config' / 'minimal.yaml').read_text()}\nhttp: {{listen: '{listen}'}}\n")
        done = run_command("run", str(config))
    assert (done.returncode, done.stdout) == (1, "")
    *logged, line = done.stderr.splitlines()
    assert all(" INFO " in each or " WARNING " in each for each in logged), done.stderr
    assert line.startswith(f"http.listen: cannot serve at {listen}: Address already in use; ")
