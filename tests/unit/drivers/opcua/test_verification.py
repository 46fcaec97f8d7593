"""What was told against what is read: table by table, on a clock of the test's own."""

import pytest

from drivers.opcua.retries import Retries
from drivers.opcua.verification import MISSES, Finding, Verification, is_same
from drivers.values import Quality, Sample, Value, bad

GRACE = 4.0
NAN = float("nan")
GOOD = Sample(1.0)


def verification(tolerance: float = 0.0, told: Sample | None = GOOD) -> Verification:
    found = Verification({0: tolerance, 1: tolerance}, Retries())
    for point in (0, 1):
        found.expect(point)
        found.allow(point, GRACE)
    if told is not None:
        found.note([(0, told)])
    return found


@pytest.mark.parametrize(
    ("told", "read", "tolerance", "same"),
    [
        (1.0, 1.0, 0.0, True),
        (1.0, 1.5, 0.5, True),
        (1.0, 1.51, 0.5, False),
        (1.0, NAN, 0.5, False),
        (NAN, NAN, 0.0, True),
        (float("inf"), float("inf"), 0.0, True),
        (float("inf"), 1.0, 5.0, False),
        (True, False, 5.0, False),
        (1, True, 5.0, False),
        (2**63, 2**63 + 1, 0.0, False),
        ("a", "a", 0.0, True),
        ("a", "b", 5.0, False),
        (b"a", b"b", 5.0, False),
        ((1.0, NAN), (1.0, NAN), 0.0, True),
        ((1.0, 2.0), (1.0, 2.4), 0.5, True),
        ((1.0, 2.0), (1.0,), 0.5, False),
        ({"a": NAN, "b": (1,)}, {"a": NAN, "b": (1,)}, 0.0, True),
        ({"a": 1}, {"a": 2}, 0.0, False),
        ({"a": 1}, {"b": 1}, 0.0, False),
        (None, None, 0.0, True),
        (None, 1.0, 0.0, False),
    ],
)
def test_values_are_alike_within_the_deadband(told: Value, read: Value, tolerance: float, *, same: bool) -> None:
    assert is_same(told, read, tolerance) is same
    assert is_same(read, told, tolerance) is same


@pytest.mark.parametrize(
    ("told", "read", "agrees"),
    [
        (GOOD, GOOD, True),
        (GOOD, Sample(1.0, source_time=5.0), True),
        (GOOD, bad("communication_error"), False),
        (bad("communication_error"), GOOD, False),
        (bad("communication_error"), bad("sensor_failure"), True),
        (GOOD, Sample(1.0, Quality.UNCERTAIN, "sub_normal"), False),
        (Sample(1.0, Quality.UNCERTAIN, "overflow"), GOOD, True),
        (Sample(1.0, Quality.UNCERTAIN, "overflow"), Sample(2.0), False),
    ],
)
def test_a_status_is_compared_as_well(told: Sample, read: Sample, *, agrees: bool) -> None:
    assert (verification(told=told).check(0, read, 10.0) is Finding.AGREES) is agrees


def test_two_readings_that_differ_with_nothing_told_between_them_prove_a_loss() -> None:
    found = verification()
    assert found.check(0, Sample(2.0), 10.0) is Finding.SUSPECT
    assert found.suspects == [0]
    assert found.check(0, Sample(3.0), 15.0) is Finding.LOST


def test_a_change_may_take_as_long_as_the_server_was_granted() -> None:
    found = verification()
    assert found.check(0, Sample(2.0), 10.0) is Finding.SUSPECT
    assert found.check(0, Sample(2.0), 10.0 + GRACE) is Finding.SUSPECT
    assert found.check(0, Sample(2.0), 10.1 + GRACE) is Finding.LOST


def test_a_notification_between_two_readings_clears_the_suspicion_whatever_it_says() -> None:
    found = verification()
    assert found.check(0, Sample(2.0), 10.0) is Finding.SUSPECT
    found.note([(0, Sample(5.0))])
    assert found.suspects == []
    assert found.check(0, Sample(3.0), 15.0) is Finding.SUSPECT


def test_a_notification_of_another_point_clears_nothing() -> None:
    found = verification()
    found.check(0, Sample(2.0), 10.0)
    found.note([(1, Sample(5.0))])
    assert found.check(0, Sample(2.0), 15.0) is Finding.LOST


def test_a_reading_that_agrees_clears_the_suspicion() -> None:
    found = verification()
    found.check(0, Sample(2.0), 10.0)
    assert found.check(0, GOOD, 15.0) is Finding.AGREES
    assert found.check(0, Sample(2.0), 20.0) is Finding.SUSPECT


def test_an_item_that_never_told_anything_is_lost_too() -> None:
    found = verification(told=None)
    assert found.check(0, GOOD, 10.0) is Finding.SUSPECT
    assert found.check(0, GOOD, 15.0) is Finding.LOST


def test_an_item_that_is_not_granted_yet_has_all_the_time() -> None:
    found = verification()
    found.expect(0)
    assert found.check(0, GOOD, 10.0) is Finding.SUSPECT
    assert found.check(0, GOOD, 1e9) is Finding.SUSPECT


@pytest.mark.parametrize("reason", ["node_unknown", "node_invalid"])
def test_a_node_that_is_gone_needs_no_second_reading(reason: str) -> None:
    assert verification().check(0, bad(reason), 10.0) is Finding.GONE
    assert verification(told=bad(reason)).check(0, bad(reason), 10.0) is Finding.AGREES


def test_a_time_that_is_no_number_proves_no_loss() -> None:
    found = verification()
    assert found.check(0, Sample(2.0), NAN) is Finding.SUSPECT
    assert found.check(0, Sample(2.0), 15.0) is Finding.SUSPECT


def test_only_a_notification_makes_a_lost_point_good() -> None:
    found = verification()
    assert found.spoil(0, "subscription_lost") == (0, bad("subscription_lost"))
    assert found.amend([(0, Sample(2.0)), (1, Sample(3.0))]) == [(0, bad("subscription_lost")), (1, Sample(3.0))]
    assert found.is_spoiled(0)
    assert found.absolve(0) == []
    found.note([(0, Sample(2.0))])
    assert not found.is_spoiled(0)
    assert found.amend([(0, Sample(2.0))]) == [(0, Sample(2.0))]


def test_what_was_read_for_a_lost_message_is_what_later_readings_are_held_against() -> None:
    found = verification()
    found.amend([(0, Sample(2.0))])
    assert found.check(0, Sample(2.0), 10.0) is Finding.AGREES


def test_a_point_that_cannot_be_read_is_doubted_until_a_reading_agrees() -> None:
    found = verification()
    assert [found.miss(0) for _ in range(MISSES)] == [False] * (MISSES - 1) + [True]
    found.spoil(0, "unverified")
    assert not found.is_spoiled(0)
    assert found.check(0, GOOD, 10.0) is Finding.AGREES
    assert found.absolve(0) == [(0, GOOD)]
    assert found.absolve(0) == []


def test_a_notification_is_as_good_as_a_reading() -> None:
    found = verification()
    for _ in range(MISSES - 1):
        found.miss(0)
    found.note([(0, GOOD)])
    assert not found.miss(0)


def test_a_point_that_is_told_of_again_starts_from_the_shortest_pause() -> None:
    retries = Retries()
    found = Verification({0: 0.0}, retries)
    found.spoil(0, "node_unknown")
    retries.postpone(0, 0.0)
    found.note([(0, GOOD)])
    assert retries.next_due == float("inf")
