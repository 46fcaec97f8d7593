"""Texts for values: which keys mean what, and what is found for a value."""

from math import nan

import pytest

from drivers.values import Value
from gateway.tags.tag import TagSettings
from gateway.tags.texts import LONGEST, MOST, by_value, text_of

STATES = by_value({"0": "stopped", "1": "running", "-1": "tripped"})
OPEN = by_value({"true": "open", "false": "closed"})


@pytest.mark.parametrize(
    ("value", "text"), [(0, "stopped"), (1, "running"), (-1, "tripped"), (1.0, "running"), (True, "running")]
)
def test_a_value_finds_its_text_as_whole_number_float_and_bool(value: Value, text: str) -> None:
    assert text_of(value, STATES) == text


def test_true_and_false_are_found_as_bools_and_as_numbers() -> None:
    assert [text_of(value, OPEN) for value in (True, False, 1, 0)] == ["open", "closed", "open", "closed"]


@pytest.mark.parametrize("value", [2, 0.5, nan, None, "1", b"1", (1,)])
def test_a_value_without_a_text_finds_none(value: Value) -> None:
    assert text_of(value, STATES) == ""


@pytest.mark.parametrize("key", ["on", "1.0", "01", "+1", "0x1", "1_0", "", "True", " 1", "9" * 30])
def test_a_key_that_is_no_plain_number_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=r"texts: .* is neither a whole number nor true or false"):
        TagSettings(texts={key: "text"})


def test_two_texts_for_one_value_are_refused() -> None:
    with pytest.raises(ValueError, match="texts: 1 and true are the same value"):
        TagSettings(texts={"1": "on", "true": "on"})


@pytest.mark.parametrize("text", ["", "x" * (LONGEST + 1), "two\nlines"])
def test_a_text_that_cannot_be_shown_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="texts: the text of 1 needs 1 to 64 printable characters"):
        TagSettings(texts={"1": text})


def test_the_number_of_texts_is_bounded() -> None:
    with pytest.raises(ValueError, match="texts: there are 1001, more than 1000"):
        TagSettings(texts={str(number): "text" for number in range(MOST + 1)})
