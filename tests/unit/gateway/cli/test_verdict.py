"""A reply as a person reads it, and as an exit code."""

from typing import Any

import pytest

from gateway.cli.verdict import exit_code, verdict_lines
from gateway.control.reply import Outcome

RESULT = {"requested": 450, "read_back": 450.0, "outcome": "applied", "code": ""}


def reply(outcome: str, **members: Any) -> dict[str, Any]:
    return {"id": "a-1", "outcome": outcome, "code": "", "message": "", "violations": [], "results": {}, **members}


@pytest.mark.parametrize(
    ("outcome", "code"),
    [("applied", 0), ("unverified", 3), ("refused", 1), ("failed", 1), ("mismatch", 3), ("unknown", 3), ("novel", 3)],
)
def test_the_exit_code_is_the_contract_s_and_any_doubt_is_a_doubt(outcome: str, code: int) -> None:
    assert exit_code(reply(outcome)) == code


def test_every_outcome_was_tried() -> None:
    assert {exit_code(reply(each)) for each in Outcome} == {0, 1, 3}


def test_what_was_applied_is_told_with_what_was_read_back() -> None:
    lines = verdict_lines(reply("applied", results={"boiler.setpoint": RESULT}))
    assert lines == ["applied", "  boiler.setpoint: 450, read back 450: applied"]


def test_what_was_refused_is_told_with_the_limits() -> None:
    hot = {"code": "violation", "name": "hot", "reason": "above_max", "value": 590.5, "limit": 580, "tag": "boiler.x"}
    halted = {"code": "halted", "name": "hot", "reason": "latched"}
    lines = verdict_lines(reply("refused", code="violation", message="hot: above max", violations=[hot, halted]))
    assert lines == [
        "refused (violation): hot: above max",
        "  violation: hot above_max value 590.5 limit 580 (boiler.x)",
        "  halted: hot latched",
    ]


def test_a_doubt_says_what_to_do() -> None:
    result = {**RESULT, "read_back": None, "outcome": "unknown", "code": "timeout", "message": "no answer"}
    lines = verdict_lines(reply("unknown", code="timeout", results={"boiler.setpoint": result}))
    assert lines[1] == "  boiler.setpoint: 450, nothing read back: unknown (timeout); no answer"
    assert lines[2].endswith("look at the plant before you write again")


def test_an_answer_of_before_says_so() -> None:
    assert verdict_lines(reply("applied", repeated=True)) == [
        "applied; this is the answer of before, nothing was done again"
    ]


@pytest.mark.parametrize(
    "odd",
    [
        {"outcome": "applied"},
        {"outcome": "\x1b[2J", "code": 5, "message": None, "violations": 7, "results": []},
        {"outcome": "refused", "message": "a\nb", "violations": [1, {}], "results": {"a\x07": None}},
    ],
    ids=["little", "wrong", "hostile"],
)
def test_no_reply_whatever_steers_the_terminal(odd: dict[str, Any]) -> None:
    assert all(line.isprintable() for line in verdict_lines(odd))
