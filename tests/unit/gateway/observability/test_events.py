"""A log record as an event: one line, whatever it holds."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.observability.events import MAX_TEXT, Event, format_line, format_time, read_event

WALL = 1_767_225_600.25


def event(**fields: object) -> Event:
    return Event(logging.INFO, "device_connected", fields, WALL)


def record(
    logger: str, text: str, *args: object, error: BaseException | None = None, **extra: object
) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord(logger, logging.WARNING, __file__, 1, text, args, info)
    made.__dict__.update(extra)
    return made


def test_an_event_is_its_name_and_its_fields_in_their_order() -> None:
    assert format_line(event(device="boiler", port=502, up=True, why=None)) == (
        "device_connected device=boiler port=502 up=true why=none"
    )


def test_a_figure_is_shown_with_six_digits_and_not_with_seventeen() -> None:
    assert format_line(event(age=0.1 + 0.2)) == "device_connected age=0.3"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("", '""'),
        ("two words", '"two words"'),
        ("a=b", '"a=b"'),
        ('say "no"', '"say \\"no\\""'),
        ("Kessel-Süd", "Kessel-Süd"),
        ("first\nERROR second", '"first\\nERROR second"'),
        ("\x1b[2Jgone", '"\\u001b[2Jgone"'),
        ("\x9b31mred", '"\\u009b31mred"'),
        ("\u202eright to left", '"\\u202eright to left"'),
    ],
)
def test_a_value_that_would_be_misread_is_quoted(value: str, shown: str) -> None:
    assert format_line(event(why=value)) == f"device_connected why={shown}"


@given(st.text(max_size=60))
def test_no_value_can_begin_a_second_line_or_steer_a_terminal(value: str) -> None:
    line = format_line(event(why=value, last=1))
    assert line.isprintable()
    assert line.splitlines() == [line]
    assert line.endswith(" last=1")


def test_a_long_value_is_cut() -> None:
    line = format_line(event(why="x" * 10_000))
    assert len(line) < MAX_TEXT + 50
    assert line.endswith("...")


def test_the_fields_of_an_event_are_those_given_as_extra() -> None:
    read = read_event(record("plantgate.endpoints", "device_lost", device="boiler", reason="timeout"))
    assert (read.level, read.name) == (logging.WARNING, "device_lost")
    assert read.fields == {"device": "boiler", "reason": "timeout"}


def test_what_a_library_says_is_told_apart_from_our_own_events() -> None:
    read = read_event(record("asyncua.client", "lost %s of %d", "node", 3))
    assert read.name == "library_message"
    assert read.fields == {"logger": "asyncua.client", "text": "lost node of 3"}


def test_a_logger_that_only_begins_like_ours_is_not_ours() -> None:
    assert read_event(record("plantgate_elsewhere", "hello")).name == "library_message"


@pytest.mark.parametrize("logger", ["plantgate", "gateway.northbound.link", "drivers.modbus.link"])
def test_a_sentence_of_our_own_becomes_a_field(logger: str) -> None:
    read = read_event(record(logger, "This is a %s.", "sentence"))
    assert (read.name, read.fields) == ("message", {"text": "This is a sentence."})


def raised(error: BaseException) -> BaseException:
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


def test_an_error_is_one_field_and_its_traceback_only_for_who_asks() -> None:
    error = raised(ValueError("no such\nregister"))
    read = read_event(record("plantgate", "session_crashed", error=error))
    assert read.fields["error"] == "ValueError: no such\nregister"
    assert read.traceback == ""
    asked = read_event(record("plantgate", "session_crashed", error=error), with_traceback=True)
    assert "Traceback (most recent call last)" in asked.traceback


def test_of_a_group_of_errors_the_first_is_named() -> None:
    group = raised(ExceptionGroup("unhandled", [ExceptionGroup("inner", [KeyError("boiler")]), OSError("later")]))
    assert read_event(record("plantgate", "session_crashed", error=group)).fields["error"] == "KeyError: 'boiler'"


def test_an_error_without_text_is_named_by_its_type() -> None:
    assert read_event(record("plantgate", "late", error=raised(TimeoutError()))).fields["error"] == "TimeoutError"


def test_times_are_utc_with_milliseconds() -> None:
    assert format_time(WALL) == "2026-01-01T00:00:00.250Z"
    assert format_time(0.0) == "1970-01-01T00:00:00.000Z"
