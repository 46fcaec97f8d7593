"""JSON text of values: valid whatever the value, and short where that loses nothing."""

import base64
import json
import struct
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drivers.values import Value
from gateway.northbound.json_text import flaw_of, float32_text, time_text, value_text

values: st.SearchStrategy[Value] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.binary(max_size=20)
    | st.datetimes(timezones=st.none() | st.just(UTC) | st.just(timezone(timedelta(hours=14)))),
    lambda inner: st.lists(inner, max_size=4).map(tuple) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


def float32(bits: int) -> float:
    return float(struct.unpack("<f", struct.pack("<I", bits))[0])


@given(values)
def test_every_value_becomes_valid_json(value: Value) -> None:
    json.loads(value_text(value, float32_text).encode("utf-8", "replace"), parse_constant=pytest.fail)


@given(st.integers(-(2**63), 2**64 - 1))
def test_integers_are_exact_to_64_bits(value: int) -> None:
    assert json.loads(value_text(value)) == value
    assert value_text(value) == str(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_reads_back_as_itself(value: float) -> None:
    read = json.loads(value_text(value))
    assert isinstance(read, float)
    assert struct.pack("<d", read) == struct.pack("<d", value)


@given(st.integers(0, 2**32 - 1).map(float32).filter(lambda value: value - value == 0.0))
@example(451.20001220703125)
@example(float32(0x7F7FFFFF))
@example(float32(1))
@example(-0.0)
def test_a_float32_reads_back_as_itself_and_no_shorter_decimal_does(value: float) -> None:
    text = float32_text(value)
    assert struct.pack("<f", float(text)) == struct.pack("<f", value)
    digits = len(text.split("e")[0].strip("-").replace(".", "").strip("0"))
    if abs(value) >= 2**-126 and digits > 6:  # below, and with six digits, there may be a shorter one: nobody minds
        shorter = float(f"{value:.{digits - 1}g}")
        assert struct.pack("<f", shorter) != struct.pack("<f", value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_that_is_called_a_float32_loses_nothing(value: float) -> None:
    assert float(float32_text(value)) == value or struct.pack("<f", float(float32_text(value))) == struct.pack(
        "<f", value
    )


def test_the_shortest_text_of_common_values() -> None:
    assert float32_text(451.20001220703125) == "451.2"
    assert float32_text(450.0) == "450.0"
    assert float32_text(float32(0x4B800000)) == "16777216.0"
    assert float32_text(0.10000000149011612) == "0.1"
    assert value_text(450.0) == "450.0"
    assert value_text(451.20001220703125) == "451.20001220703125"


def test_bytes_are_base64_and_arrays_are_lists() -> None:
    assert json.loads(value_text((True, 1, b"\x00\xff", ("a", None)))) == [
        True,
        1,
        base64.b64encode(b"\x00\xff").decode(),
        ["a", None],
    ]


def test_a_subclass_counts_as_what_it_is() -> None:
    class Mode(IntEnum):
        AUTO = 2

    class Text(str):
        __slots__ = ()

    assert value_text(Mode.AUTO) == "2"
    assert value_text(Text('a"b')) == '"a\\"b"'


def test_a_lone_surrogate_becomes_a_question_mark() -> None:
    assert value_text("a\udcffb").encode("utf-8", "replace") == b'"a?b"'


def test_the_flaw_of_an_array_is_found_at_any_depth() -> None:
    assert flaw_of((1.0, (2.0, float("nan")))) == "nan"
    assert flaw_of(float("-inf")) == "inf"
    assert flaw_of((1.0, "nan", None, 2)) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1_767_323_045.678, "2026-01-02T03:04:05.678Z"),
        (1_767_323_045.9996, "2026-01-02T03:04:06.000Z"),
        (0.0, "1970-01-01T00:00:00.000Z"),
        (-1.5, "1969-12-31T23:59:58.500Z"),
        (float("nan"), "1970-01-01T00:00:00.000Z"),
        (1e300, "1970-01-01T00:00:00.000Z"),
    ],
)
def test_times_have_milliseconds_and_say_utc(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


@given(st.floats(-62_135_596_800, 253_402_300_799))
def test_every_time_of_the_calendar_reads_back(seconds: float) -> None:
    assert abs(datetime.fromisoformat(time_text(seconds)).timestamp() - seconds) <= 0.000_6


def test_a_datetime_is_told_in_utc() -> None:
    assert value_text(datetime(2026, 1, 2, 5, 4, 5, 678_900, timezone(timedelta(hours=2)))) == (
        '"2026-01-02T03:04:05.678Z"'
    )
    assert value_text(datetime(1601, 1, 1)) == '"1601-01-01T00:00:00.000Z"'  # noqa: DTZ001  (as some drivers give it)
    assert value_text(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=2)))) == '"0001-01-01T00:00:00.000Z"'


def test_a_structure_is_an_object_whose_holes_and_infinities_are_null() -> None:
    value: Value = {"Name": "P-101", "Speed": 451.20001220703125, "Spare": None, "In": ({"x": float("nan")},)}
    assert value_text(value, float32_text) == '{"Name":"P-101","Speed":451.2,"Spare":null,"In":[{"x":null}]}'
    assert flaw_of(value) == "nan"
    assert flaw_of({"x": (1.0, {"y": float("-inf")})}) == "inf"
    assert flaw_of({"x": (1.0, {"y": None})}) == ""
