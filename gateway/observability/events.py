"""What a log record says, as an event: one name and fields, on one line. Pure.

The plain form is `log.info("device_connected", extra={"device": "boiler"})`, on a logger below `plantgate`.
A sentence in place of a name becomes the event `message`, and what libraries log `library_message`.
"""

import json
import logging
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

OURS = ("plantgate", "gateway", "drivers")
"""The loggers of this program, with all below them."""
MAX_TEXT = 500
"""Characters of one value; the rest is cut off."""
_STANDARD = {*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName"}


class Event(NamedTuple):
    """One thing that happened."""

    level: int
    """As in `logging`."""
    name: str
    """Stable, lower case: programs may look for it."""
    fields: Mapping[str, object]
    wall: float
    """Seconds since 1970 UTC."""
    traceback: str = ""
    """Lines for whoever hunts a fault; only at level debug."""


def read_event(record: logging.LogRecord, *, with_traceback: bool = False) -> Event:
    """Return what a record says. An error becomes the field `error`, never a traceback unless asked for."""
    fields = {key: value for key, value in record.__dict__.items() if key not in _STANDARD}
    name, text = "message", record.getMessage()
    if record.name.partition(".")[0] not in OURS:
        name, fields = "library_message", {"logger": record.name, "text": text, **fields}
    elif text.replace("_", "").isalnum():
        name = text
    else:
        fields = {"text": text, **fields}
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return Event(record.levelno, name, fields, record.created)
    fields.setdefault("error", describe_error(error))
    lines = "".join(traceback.format_exception(error)).rstrip() if with_traceback else ""
    return Event(record.levelno, name, fields, record.created, lines)


def describe_error(error: BaseException) -> str:
    """Return `Type: text` of an error; of a group, that of its first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def format_line(event: Event) -> str:
    """Return the event as `name key=value key="two words"`: always one line, whatever the values hold."""
    return " ".join([event.name, *(f"{key}={_quote(format_value(value))}" for key, value in event.fields.items())])


def format_value(value: object) -> str:
    """Return a field's value as text: floats with six digits, long texts cut."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}..."


def format_time(wall: float) -> str:
    """Return a time as RFC 3339 in UTC, with milliseconds."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _quote(text: str) -> str:
    # What a device or a client sent must neither begin a line of its own nor steer a terminal.
    if text and text.isprintable() and not any(character in text for character in ' "='):
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())
