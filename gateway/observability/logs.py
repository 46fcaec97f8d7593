"""Where logged events go: to the journal with fields, else to stderr, one line each.

Logging never raises and never ends anything: an event that cannot be written is counted and lost.
"""

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TextIO, TypeAlias, TypeVar

from gateway.clock import Clock
from gateway.observability.events import OURS, Event, format_line, format_time, format_value, read_event
from gateway.observability.repeats import Repeats
from gateway.observability.settings import LoggingSettings

T = TypeVar("T")
Sink: TypeAlias = Callable[[Event], None]
"""Writes one event, or raises."""

_SILENT = logging.CRITICAL + 1
_LIBRARIES = {
    "asyncua": _SILENT,  # says the same fault many times, with tracebacks; the driver says it once
    "pymodbus": _SILENT,  # tells each timeout as an error; the driver has told it already
    "amqtt": logging.ERROR,
    "transitions": logging.ERROR,
    "mqtt": logging.ERROR,  # aiomqtt and, through it, paho
}
"""What libraries may say at all; where a person hunts a fault (level debug), every warning."""
_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_COLOURS = ((logging.ERROR, "\x1b[31m"), (logging.WARNING, "\x1b[33m"))


class EventHandler(logging.Handler):
    """Hands events to a sink, less those that repeat themselves."""

    def __init__(self, sink: Sink, clock: Clock, *, with_tracebacks: bool = False) -> None:
        super().__init__()
        self.lost = 0
        """Events that could not be written."""
        self.repeats = Repeats()
        self._sink = sink
        self._clock = clock
        self._with_tracebacks = with_tracebacks

    def emit(self, record: logging.LogRecord) -> None:
        try:
            event = read_event(record, with_traceback=self._with_tracebacks)
        except Exception:  # noqa: BLE001  (a message that cannot be put together must not hurt who logs it)
            self.lost += 1
        else:
            self._write(self.repeats.admit(event, self._clock.monotonic()))

    def close(self) -> None:
        self.acquire()
        try:
            self._write(self.repeats.flush())
        finally:
            self.release()
        super().close()

    def _write(self, events: Iterable[Event]) -> None:
        for event in events:
            try:
                self._sink(event)
            except Exception:  # noqa: BLE001  (a full disk or a closed terminal must not hurt who logs)
                self.lost += 1


@contextmanager
def logs(
    settings: LoggingSettings,
    clock: Clock,
    environ: Mapping[str, str] | None = None,
    stream: TextIO | None = None,
) -> Iterator[EventHandler]:
    """Log to the journal or to `stream`, by default stderr, until the block ends."""
    sink = choose_sink(os.environ if environ is None else environ, stream or sys.stderr)
    handler = EventHandler(sink, clock, with_tracebacks=settings.level == "debug")
    levels = _levels(logging.getLevelNamesMapping()[settings.level.upper()])
    before = {name: logging.getLogger(name).level for name in levels}
    hook, threading.excepthook = threading.excepthook, _log_crash
    root = logging.getLogger()
    root.addHandler(handler)
    _set_levels(levels)
    try:
        yield handler
    finally:
        _set_levels(before)
        root.removeHandler(handler)
        threading.excepthook = hook
        handler.close()


def choose_sink(environ: Mapping[str, str], stream: TextIO) -> Sink:
    """Return the sink for what stderr is: the journal, or a file or terminal."""
    if not _is_journal(environ, stream):
        return terminal_sink(stream, colour=stream.isatty() and not environ.get("NO_COLOR"))
    try:
        return journal_sink(import_module("systemd.journal").sendv)
    except ImportError:
        return prefix_sink(stream)


def terminal_sink(stream: TextIO, *, colour: bool) -> Sink:
    """Write time, level and event to a stream; a traceback on lines of its own."""

    def write(event: Event) -> None:
        level = f"{logging.getLevelName(event.level):<7}"
        begin = _by_level(event.level, _COLOURS, "") if colour else ""
        shown = f"{begin}{level}\x1b[0m" if begin else level
        lines = [f"{format_time(event.wall)} {shown} {format_line(event)}", *event.traceback.splitlines()]
        stream.write("\n".join(lines) + "\n")
        stream.flush()

    return write


def prefix_sink(stream: TextIO) -> Sink:
    """Write events to a stream that the journal reads line by line; `<N>` is the priority, sd-daemon(3)."""

    def write(event: Event) -> None:
        priority = _by_level(event.level, _PRIORITIES, 7)
        lines = [format_line(event), *event.traceback.splitlines()]
        stream.write("".join(f"<{priority}>{line}\n" for line in lines))
        stream.flush()

    return write


def journal_sink(send: Callable[..., object]) -> Sink:
    """Send events with their fields as PLANTGATE_*; `send` is systemd-python's `journal.sendv`."""

    def write(event: Event) -> None:
        lines = [format_line(event), *event.traceback.splitlines()]
        entries = {
            "MESSAGE": "\n".join(lines),
            "PRIORITY": str(_by_level(event.level, _PRIORITIES, 7)),
            "SYSLOG_IDENTIFIER": "plantgate",
            **{_journal_name(key): format_value(value) for key, value in event.fields.items()},
            "PLANTGATE_EVENT": event.name,
        }
        send(*(f"{name}={value}".encode(errors="backslashreplace") for name, value in entries.items()))

    return write


def _journal_name(key: str) -> str:
    # The journal takes A-Z, 0-9 and underscores, at most 64 of them; systemd.journal-fields(7).
    plain = "".join(character if character.isascii() and character.isalnum() else "_" for character in key)
    return f"PLANTGATE_{plain.upper()}"[:64]


def _is_journal(environ: Mapping[str, str], stream: TextIO) -> bool:
    # JOURNAL_STREAM is inherited by whoever we start, also with its stderr led elsewhere; systemd.exec(5).
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def _by_level(level: int, table: tuple[tuple[int, T], ...], otherwise: T) -> T:
    return next((entry for least, entry in table if level >= least), otherwise)


def _levels(own: int) -> dict[str, int]:
    libraries = dict.fromkeys(_LIBRARIES, logging.WARNING) if own <= logging.DEBUG else _LIBRARIES
    others = {"": logging.WARNING, **libraries}
    return {**dict.fromkeys(OURS, own), **{name: max(level, own) for name, level in others.items()}}


def _set_levels(levels: Mapping[str, int]) -> None:
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def _log_crash(args: threading.ExceptHookArgs) -> None:
    name = args.thread.name if args.thread else "unknown"
    logging.getLogger("plantgate").error("thread_crashed", extra={"thread_name": name}, exc_info=args.exc_value)
