from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, NamedTuple

import pytest

from gateway.audit.canonical import EXACT, canonical


class Word(StrEnum):
    GOOD = "good"


class Pair(NamedTuple):
    one: int
    other: float


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (EXACT, "9007199254740991"),
        (EXACT + 1, '"9007199254740992"'),
        (-EXACT - 1, '"-9007199254740992"'),
        (2**64 - 1, '"18446744073709551615"'),
        (True, "true"),
        (None, "null"),
        (1.0, "1"),
        (-0.0, "0"),
        (1e21, "1e+21"),
        (1e-7, "1e-7"),
        (333333333.33333329, "333333333.3333333"),
        (float("nan"), '"nan"'),
        (float("-inf"), '"-inf"'),
        (b"\x00\xff", '"AP8="'),
        (Word.GOOD, '"good"'),
        (Pair(1, 0.5), "[1,0.5]"),
        ({"b": 1, "a": 2}, '{"a":2,"b":1}'),
        (frozenset({"z", "a"}), '["a","z"]'),
        ('\u20ac\n\x0f\x7f"', '"\u20ac\\n\\u000f\x7f\\""'),
        (datetime(2026, 1, 2, 3, 4, 5, 678901, UTC), '"2026-01-02T03:04:05.678901Z"'),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=1))), '"2026-01-02T02:04:05.000000Z"'),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))), '"9999-12-31T23:59:59.999999Z"'),
    ],
)
def test_every_value_has_one_text(value: Any, text: str) -> None:
    assert canonical({"v": value}) == f'{{"v":{text}}}'.encode()


def test_keys_are_ordered_as_utf_16_so_that_other_programs_agree() -> None:
    assert canonical({"\ufb33": 1, "\U0001f600": 2, "1": 3}).decode() == '{"1":3,"\U0001f600":2,"\ufb33":1}'


@pytest.mark.parametrize(
    "value",
    [object(), "\ud800", {1: 2}, datetime(2026, 1, 2), 1j, {"a": {1, object()}}],  # noqa: DTZ001  (the point)
)
def test_what_has_no_text_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        canonical({"v": value})


def test_endless_nesting_is_refused_and_not_a_crash() -> None:
    deep: Any = 0
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueError, match="too deeply"):
        canonical({"v": deep})
