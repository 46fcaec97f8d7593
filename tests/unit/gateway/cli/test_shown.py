"""How values look on a terminal."""

import pytest

from gateway.cli.shown import columns, shown, titled


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (450.0, "450"),
        (2999.1917595575806, "2999.192"),
        (1e-12, "1e-12"),
        ("rolling", "rolling"),
        ([1, 2.5], "[1, 2.5]"),
        ({"a": 1}, '{"a": 1}'),
    ],
)
def test_a_value_is_shown_as_a_person_reads_it(value: object, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize("text", ["\x1b[2J", "a\nb", "\r", "\x9b31m", "\u202eabc", "\x00"])
def test_a_text_of_a_device_cannot_steer_the_terminal(text: str) -> None:
    assert shown(text).isprintable()
    assert shown({text: text}).isprintable()


def test_columns_stand_under_one_another_without_blanks_at_the_end() -> None:
    assert columns([("a", "1", ""), ("bcd", "22", "x")]) == ["a    1", "bcd  22  x"]


def test_a_value_with_a_text_is_shown_as_both() -> None:
    assert titled(2, "tripped") == "tripped (2)"
    assert titled(value=True, text="open") == "open (true)"
    assert titled(2.5, "") == "2.5"
