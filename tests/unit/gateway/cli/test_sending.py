"""Command lines that are wrong: told in one line, before anything is sent."""

import pytest

from gateway.cli import main

WRONG = [
    (["write", "boiler.setpoint"], "plantgate write: 'boiler.setpoint' is no TAG=VALUE"),
    (["write", "a.b=nan"], "plantgate write: a.b: 'nan' is no value"),
    (["write", "a.b=99999999999999999999"], "plantgate write: 99999999999999999999... has more than 64 bit"),
    (["write", "a.b=1", "--id", "a b"], "plantgate write: id: 1 to 64 letters"),
    (["write", "a.b=1", "--reason", "x" * 513], "plantgate write: reason: a text of at most 512 characters"),
    (["write", "a.b=1", "--as", "ann/x"], "--as: 'ann/x' does not fit"),
    (["write", "a.b=1", "--gateway", "+"], "--gateway: '+' does not fit"),
    (["write", "a.b=1", "--key", "nowhere"], "--key needs --as beside it"),
    (["write", "a.b=1", "--key", "nowhere", "--as", "ann"], "--key: nowhere cannot be read: No such file"),
    (["write", "a.b=1", "--password-file", "nowhere"], "--password-file: nowhere cannot be read: No such file"),
    (["write", "a.b=1", "--mqtt", "http://x"], "--mqtt and the options beside it: url: 'http://x' is no broker"),
]


@pytest.mark.parametrize(("arguments", "why"), WRONG, ids=range(len(WRONG)))
def test_what_cannot_be_sent_is_told_in_one_line(
    arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(why)
    assert told.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["bypass", "hot", "--for", "0s", "--reason", "x"], "'0s' is no time at all"),
        (["bypass", "hot", "--for", "30", "--reason", "x"], "'30' is no duration"),
        (["bypass", "hot", "--reason", "x"], "the following arguments are required: --for"),
        (["shelve", "hot", "--for", "5m"], "the following arguments are required: --reason"),
        (["reset"], "the following arguments are required: --reason"),
        (["bypass", "--for", "5m", "--reason", "x"], "the following arguments are required: NAME"),
        (["write"], "the following arguments are required: TAG=VALUE"),
        (["write", "a.b=1", "--priority", "urgent"], "invalid choice: 'urgent'"),
    ],
    ids=range(8),
)
def test_what_is_missing_is_named(arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert why in capsys.readouterr().err
