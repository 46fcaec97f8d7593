"""Each folder of `configuration` is a situation: an input, and to the letter what `plantgate check` says of it."""

import argparse
from pathlib import Path

import pytest

from gateway.cli import check
from gateway.errors import SettingsError

SITUATIONS = sorted((Path(__file__).parent / "configuration").iterdir())

ENVIRONMENT = {
    "MQTT_PASSWORD": "hunter2-and-more",
    "PLC_HOST": "10.0.0.7",
    "PLC_PORT": "502",
    "PLC_UNIT": "3",
    "PLC_SCAN": "250ms",
    "PLC_WRITABLE": "false",
}


def check_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.chdir(folder)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    parser = argparse.ArgumentParser()
    check.add(parser.add_subparsers())
    arguments = parser.parse_args(["check", "input.yaml"])
    return int(arguments.run(arguments))


@pytest.mark.parametrize("folder", SITUATIONS, ids=lambda folder: folder.name)
def test_check_says_exactly_this(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong, right = folder / "error.txt", folder / "expected.txt"
    assert wrong.exists() != right.exists(), "a situation is either wrong or right"
    if wrong.exists():
        with pytest.raises(SettingsError) as refused:
            check_in(folder, monkeypatch)
        assert str(refused.value) + "\n" == wrong.read_text()
        assert capsys.readouterr().out == ""
    else:
        assert check_in(folder, monkeypatch) == 0
        assert capsys.readouterr().out == right.read_text()


def test_no_message_ever_shows_what_a_reference_gave() -> None:
    told = [file.read_text() for folder in SITUATIONS for file in folder.glob("*.txt")]
    assert len(told) >= 50
    assert not [text for text in told if ENVIRONMENT["MQTT_PASSWORD"] in text]
