"""Every cell of the matrix: principal, verb, tag."""

import pytest

from gateway.control.authority import ANONYMOUS, Authority, Grant, Verb
from gateway.control.priority import Slot

VERBS: tuple[Verb, ...] = (
    "write", "ack", "reset", "bypass", "shelve", "saga", "propose", "vote", "cancel", "relinquish",
)  # fmt: skip
MATRIX = {
    "ann": Grant("operator", ("write", "ack", "reset"), ("boiler.*",)),
    "optimizer": Grant("automatic", ("write",), ("boiler.setpoint", "turbine.load")),
    "viewer": Grant("guest", (), ("*",)),
    "nothing": Grant("operator", ("write",)),
}
TAGS = ("boiler.setpoint", "boiler.enable", "turbine.load")


@pytest.mark.parametrize("principal", [*MATRIX, ANONYMOUS, "stranger", "", "ANN"])
@pytest.mark.parametrize("verb", [*VERBS, "erase", ""])
@pytest.mark.parametrize("tag", TAGS)
def test_only_what_stands_in_a_row_is_granted(principal: str, verb: str, tag: str) -> None:
    granted = {
        ("ann", verb, tag): verb in {"write", "ack", "reset"} and tag.startswith("boiler."),
        ("optimizer", verb, tag): verb == "write" and tag in {"boiler.setpoint", "turbine.load"},
    }
    assert Authority(MATRIX).may(principal, verb, tag) is granted.get((principal, verb, tag), False)


@pytest.mark.parametrize("verb", VERBS)
def test_without_a_matrix_anonymous_writes_and_acknowledges_and_nobody_else_does_anything(verb: str) -> None:
    unwritten = Authority(None)
    assert unwritten.may(ANONYMOUS, verb, "a.b") is (verb in {"write", "ack"})
    assert not unwritten.may("ann", verb, "a.b")


@pytest.mark.parametrize("verb", VERBS)
def test_an_open_one_lets_everybody_do_everything_that_there_is(verb: str) -> None:
    assert Authority("open").may("whoever", verb, "a.b")
    assert not Authority("open").may("whoever", "erase", "a.b")


def test_an_empty_matrix_grants_nothing() -> None:
    assert not Authority({}).may(ANONYMOUS, "write", "a.b")


def test_a_constraint_is_theirs_whose_tags_are_all_theirs() -> None:
    matrix = Authority(MATRIX)
    assert matrix.may_name("ann", "reset", ("boiler.setpoint", "boiler.enable"))
    assert not matrix.may_name("ann", "reset", ("boiler.setpoint", "turbine.load"))
    assert not matrix.may_name("ann", "bypass", ("boiler.setpoint",))
    assert not matrix.may_name("stranger", "reset", ("boiler.setpoint",))


@pytest.mark.parametrize("verb", VERBS)
def test_a_constraint_without_tags_is_theirs_whose_tags_are_all_there_are(verb: Verb) -> None:
    matrix = Authority({**MATRIX, "chief": Grant("operator", ("bypass",), ("boiler.*", "*"))})
    assert matrix.may_name("chief", verb, ()) is (verb == "bypass")
    assert not any(matrix.may_name(name, verb, ()) for name in (*MATRIX, "stranger"))
    assert Authority("open").may_name("whoever", verb, ())
    assert Authority(None).may_name(ANONYMOUS, verb, ()) is (verb in {"write", "ack"})


def test_the_role_decides_the_place_among_the_writers() -> None:
    matrix = Authority(MATRIX)
    slots = [matrix.slot(principal) for principal in ("ann", "optimizer", "viewer", "stranger")]
    assert slots == [Slot.OPERATOR, Slot.AUTOMATIC, Slot.DEFAULT, Slot.DEFAULT]
    assert Authority(None).slot(ANONYMOUS) is Slot.DEFAULT
    assert Authority("open").slot("whoever") is Slot.OPERATOR
