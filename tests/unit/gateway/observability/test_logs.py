"""Logs as they reach a terminal or the journal, and how they behave when something is wrong with them."""

import io
import logging
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

import pytest

from gateway.clock import SystemClock
from gateway.observability.events import Event
from gateway.observability.logs import EventHandler, choose_sink, journal_sink, logs, prefix_sink, terminal_sink
from gateway.observability.settings import LoggingSettings

Level: TypeAlias = Literal["debug", "info", "warning", "error"]
LOST = Event(logging.WARNING, "device_lost", {"device": "boiler", "why": "no answer\nfor 3 s"}, 1_767_225_600.25)


@pytest.fixture(autouse=True)
def untouched_logging() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level, threading.excepthook
    yield
    assert (root.handlers, root.level, threading.excepthook) == before


def logged(level: Level, say: Callable[[], None], environ: Mapping[str, str] | None = None) -> list[str]:
    stream = io.StringIO()
    with logs(LoggingSettings(level), SystemClock(), environ or {}, stream):
        say()
    return stream.getvalue().splitlines()


def test_a_terminal_gets_time_level_and_event_on_one_line() -> None:
    stream = io.StringIO()
    terminal_sink(stream, colour=False)(LOST)
    assert stream.getvalue() == (
        '2026-01-01T00:00:00.250Z WARNING device_lost device=boiler why="no answer\\nfor 3 s"\n'
    )


def test_colour_is_around_the_level_alone() -> None:
    stream = io.StringIO()
    terminal_sink(stream, colour=True)(LOST)
    assert " \x1b[33mWARNING\x1b[0m device_lost" in stream.getvalue()
    terminal_sink(stream, colour=True)(LOST._replace(level=logging.INFO))
    assert "\x1b" not in stream.getvalue().splitlines()[1]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colour_only_on_a_terminal_and_only_where_it_is_wanted() -> None:
    for stream, environ, coloured in (
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (io.StringIO(), {}, False),
    ):
        choose_sink(environ, stream)(LOST)
        assert ("\x1b" in stream.getvalue()) is coloured


@pytest.mark.parametrize(
    ("level", "priority"),
    [(logging.DEBUG, 7), (logging.INFO, 6), (logging.WARNING, 4), (logging.ERROR, 3), (logging.CRITICAL, 2)],
)
def test_the_journal_reads_the_priority_before_every_line(level: int, priority: int) -> None:
    stream = io.StringIO()
    prefix_sink(stream)(LOST._replace(level=level, traceback="Traceback:\n  line"))
    assert stream.getvalue() == (
        f'<{priority}>device_lost device=boiler why="no answer\\nfor 3 s"\n<{priority}>Traceback:\n<{priority}>  line\n'
    )


def test_journal_fields_carry_the_values_and_cannot_be_mistaken_for_the_journal_s_own() -> None:
    sent: list[bytes] = []
    fields = {"device": "boiler", "_pid": 1, "a-b.c": 1.5, "event": "other", "x" * 100: 1, "why": "first\nPRIORITY=0"}
    journal_sink(lambda *entries: sent.extend(entries))(LOST._replace(fields=fields))
    names = [entry.partition(b"=")[0].decode() for entry in sent]
    assert len(names) == len(set(names))
    assert {b"PRIORITY=4", b"SYSLOG_IDENTIFIER=plantgate", b"PLANTGATE_EVENT=device_lost", b"PLANTGATE_DEVICE=boiler",
            b"PLANTGATE__PID=1", b"PLANTGATE_A_B_C=1.5", b"PLANTGATE_WHY=first\nPRIORITY=0"} <= set(sent)  # fmt: skip
    assert sent[0].startswith(b"MESSAGE=device_lost device=boiler _pid=1 ")
    assert all(len(name) <= 64 and name.replace("_", "").isalnum() and name.isascii() for name in names)


def test_stderr_is_the_journal_only_where_systemd_says_so_of_this_very_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "systemd.journal", None)  # as where systemd-python is not installed
    with (tmp_path / "stderr").open("w+") as stream:
        status = (tmp_path / "stderr").stat()
        choose_sink({"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino + 1}"}, stream)(LOST)
        choose_sink({"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}, stream)(LOST)
        stream.seek(0)
        led_elsewhere, journal = stream.read().splitlines()
    assert led_elsewhere.startswith("2026-01-01T00:00:00.250Z WARNING device_lost")
    assert journal.startswith("<4>device_lost")


def test_our_events_are_shown_from_the_level_on_and_libraries_only_when_it_is_serious() -> None:
    def say() -> None:
        logging.getLogger("plantgate.endpoints").debug("scan_done")
        logging.getLogger("plantgate.endpoints").info("device_connected", extra={"device": "boiler"})
        logging.getLogger("asyncua.client").warning("stale")
        logging.getLogger("pymodbus.logging").error("No response received")
        logging.getLogger("asyncua.client").error("broken")
        logging.getLogger("amqtt.broker").error("broken")
        logging.getLogger("somebody").info("hello")

    shown = [line[25:] for line in logged("info", say)]
    assert shown == [
        "INFO    device_connected device=boiler",
        "ERROR   library_message logger=amqtt.broker text=broken",
    ]
    assert len(logged("debug", say)) == 6
    assert [line[25:] for line in logged("error", say)] == shown[1:]


def test_a_traceback_is_shown_at_level_debug_alone() -> None:
    def say() -> None:
        with pytest.raises(ZeroDivisionError) as caught:
            _ = 1 / 0
        logging.getLogger("plantgate").error("session_crashed", exc_info=caught.value)
        logging.getLogger("asyncio").error("never retrieved", exc_info=caught.value)

    assert [line[25:] for line in logged("info", say)] == [
        'ERROR   session_crashed error="ZeroDivisionError: division by zero"',
        'ERROR   library_message logger=asyncio text="never retrieved" error="ZeroDivisionError: division by zero"',
    ]
    assert "Traceback (most recent call last):" in logged("debug", say)


def test_a_flood_of_one_event_is_a_few_lines_and_a_count() -> None:
    def say() -> None:
        for attempt in range(1000):
            logging.getLogger("plantgate").warning("device_lost", extra={"device": "boiler", "attempt": attempt})

    lines = logged("info", say)
    assert len(lines) == 6
    assert lines[-1].endswith("device_lost device=boiler attempt=999 repeated=995")


def test_a_crashed_thread_is_one_line() -> None:
    def say() -> None:
        thread = threading.Thread(target=fail, name="http")
        thread.start()
        thread.join()

    def fail() -> None:
        raise RuntimeError("no more")

    assert [line[25:] for line in logged("info", say)] == [
        'ERROR   thread_crashed thread_name=http error="RuntimeError: no more"'
    ]


class Unspeakable:
    def __str__(self) -> str:
        raise RuntimeError("cannot be told")


def test_a_message_that_cannot_be_written_is_counted_and_hurts_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    with logs(LoggingSettings(), SystemClock(), {}, stream) as handler:
        logger = logging.getLogger("plantgate")
        handler.handle(logging.LogRecord("asyncua", logging.ERROR, __file__, 1, "%d nodes", ("x",), None))
        logger.error("device_lost", extra={"device": Unspeakable()})
        stream.close()
        logger.error("device_lost", extra={"device": "boiler"})
        assert handler.lost == 3
    assert capsys.readouterr() == ("", "")


def test_a_full_disk_under_the_log_hurts_nobody() -> None:
    def write(_: Event) -> None:
        raise OSError(28, "No space left on device")

    handler = EventHandler(write, SystemClock())
    record = logging.makeLogRecord({"name": "plantgate", "levelno": logging.ERROR, "msg": "device_lost"})
    for _ in range(10):
        handler.handle(record)
    handler.close()
    assert handler.lost == 5 + 1  # the first few, and the summary of the others
