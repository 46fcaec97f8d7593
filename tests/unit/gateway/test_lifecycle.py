"""What systemd is told and when, without a systemd."""

import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import SystemClock
from gateway.errors import SettingsError
from gateway.lifecycle import Notifier, connect_systemd, watchdog_limit


class HandClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return 0.0


class Systemd:
    def __init__(self, watchdog: float = 0.0) -> None:
        self.told: list[str] = []
        self.clock = HandClock()
        self.notifier = Notifier(self.told.append, watchdog, self.clock)


def test_ready_and_stopping_are_told() -> None:
    systemd = Systemd()
    systemd.notifier.ready()
    systemd.notifier.stopping()
    assert systemd.told == ["READY=1", "STOPPING=1"]


def test_a_status_is_told_once_until_it_changes() -> None:
    systemd = Systemd()
    for text in ("1 of 2 devices up", "1 of 2 devices up", "2 of 2 devices up"):
        systemd.notifier.status(text)
    assert systemd.told == ["STATUS=1 of 2 devices up", "STATUS=2 of 2 devices up"]


@given(st.text(max_size=40))
def test_no_status_can_smuggle_in_another_state(text: str) -> None:
    systemd = Systemd()
    systemd.notifier.status(f"down: {text}\nWATCHDOG=1\rREADY=1")
    assert len(systemd.told) == 1
    assert systemd.told[0].startswith("STATUS=down:")
    assert systemd.told[0].splitlines() == systemd.told


def test_the_watchdog_is_fed_three_times_within_its_limit_however_often_the_guard_asks() -> None:
    systemd = Systemd(watchdog=9.0)
    for tenth in range(91):
        systemd.clock.now = 1000.0 + tenth / 10
        systemd.notifier.watchdog_ping()
    assert systemd.told == ["WATCHDOG=1"] * 4  # at 0, 3, 6 and 9 s


def test_without_a_watchdog_nothing_is_fed() -> None:
    systemd = Systemd()
    systemd.notifier.watchdog_ping()
    assert systemd.told == []


def test_a_systemd_that_does_not_listen_costs_a_line_in_the_log_only(caplog: pytest.LogCaptureFixture) -> None:
    def send(_: str) -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    Notifier(send, 9.0, HandClock()).watchdog_ping()
    assert [record.getMessage() for record in caplog.records] == ["systemd_not_told"]
    assert caplog.records[0].__dict__["state"] == "WATCHDOG"


@pytest.mark.parametrize(
    ("environ", "limit"),
    [
        ({"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "77"}, 10.0),
        ({"WATCHDOG_USEC": "10000000"}, 10.0),
        ({"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "78"}, 0.0),
        ({"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": ""}, 0.0),
        ({"WATCHDOG_USEC": "0"}, 0.0),
        ({"WATCHDOG_USEC": "-5"}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
        ({}, 0.0),
    ],
)
def test_the_watchdog_is_ours_only_where_its_limit_and_its_process_say_so(
    environ: dict[str, str], limit: float
) -> None:
    assert watchdog_limit(environ, 77) == limit


def test_where_systemd_did_not_ask_nothing_is_needed_and_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "systemd.daemon", None)  # as where systemd-python is not installed
    notifier = connect_systemd({"WATCHDOG_USEC": "1", "WATCHDOG_PID": str(os.getpid())}, SystemClock())
    notifier.ready()
    notifier.watchdog_ping()


def test_a_systemd_that_waits_and_a_missing_library_are_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "systemd.daemon", None)
    with pytest.raises(SettingsError) as refusal:
        connect_systemd({"NOTIFY_SOCKET": "/run/systemd/notify"}, SystemClock())
    assert "\n" not in str(refusal.value)
    assert "systemd-python is missing: pip install 'plantgate[systemd]'" in str(refusal.value)
