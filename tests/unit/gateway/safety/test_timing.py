"""TIMING: minimum times on and off, between writes, and hours of the day."""

from datetime import UTC, datetime
from math import inf, nan

import pytest

from drivers.values import Quality, Sample, Seconds, bad
from gateway.safety.constraint import Setting
from gateway.safety.kinds.timing import Timing, TimingRule
from gateway.safety.rule import Objection
from gateway.safety.verdict import SafetyLevel, Verdict
from tests.unit.gateway.safety.plant import MAX_AGE, NOW, FakePlant, operation

TAG = "boiler.burner"


def rule(**keys: object) -> TimingRule:
    limits = keys or {"min_off": Seconds(30), "min_on": Seconds(10)}
    return TimingRule(Timing(name="rest", level=SafetyLevel.HIGH, tag=TAG, **limits))  # type: ignore[arg-type]


def show(judging: TimingRule, plant: FakePlant, at: float, value: object) -> None:
    plant.set(TAG, value, at=at)  # type: ignore[arg-type]
    judging.live(plant, at)


def propose(judging: TimingRule, plant: FakePlant, at: float, value: object) -> Objection | None:
    wanted = operation(TAG, value)  # type: ignore[arg-type]
    return judging.object(wanted.writes[0], wanted, plant, at)


def test_it_is_not_switched_on_before_its_rest_is_over() -> None:
    judging, plant = rule(), FakePlant()
    show(judging, plant, NOW, value=False)
    assert propose(judging, plant, NOW + 29.9, value=True) == Objection("violation", "too_soon", None, 30.0)
    assert propose(judging, plant, NOW + 30, value=True) is None


def test_it_is_not_switched_off_before_it_ran_long_enough() -> None:
    judging, plant = rule(), FakePlant()
    show(judging, plant, NOW, value=True)
    assert propose(judging, plant, NOW + 9.9, value=False) is not None
    assert propose(judging, plant, NOW + 10, value=False) is None


def test_staying_as_it_is_needs_no_rest() -> None:
    judging, plant = rule(), FakePlant()
    show(judging, plant, NOW, value=False)
    assert propose(judging, plant, NOW, value=False) is None


def test_its_time_begins_anew_with_each_change_and_with_each_doubt() -> None:
    judging, plant = rule(), FakePlant()
    show(judging, plant, NOW, value=False)
    show(judging, plant, NOW + 20, value=True)
    show(judging, plant, NOW + 25, value=False)
    assert propose(judging, plant, NOW + 54, value=True) is not None
    assert propose(judging, plant, NOW + 55, value=True) is None
    show(judging, plant, NOW + 56, bad("timeout"))
    show(judging, plant, NOW + 57, value=False)
    assert propose(judging, plant, NOW + 60, value=True) is not None


def test_before_the_first_good_sample_nothing_may_be_switched() -> None:
    assert propose(rule(), FakePlant(), NOW, value=True) is not None
    assert propose(rule(), FakePlant(), NOW, value=False) is not None


def test_without_a_minimum_one_way_that_way_is_free() -> None:
    judging = rule(min_off=Seconds(30))
    assert propose(judging, FakePlant(), NOW, value=False) is None


def test_two_writes_keep_their_distance() -> None:
    judging, plant = rule(min_interval=Seconds(5)), FakePlant()
    assert propose(judging, plant, NOW, 1.0) is None
    plant.written[TAG] = NOW
    assert propose(judging, plant, NOW + 4.9, 1.0) == Objection("violation", "too_soon", None, 5.0)
    assert propose(judging, plant, NOW + 5, 1.0) is None


@pytest.mark.parametrize(
    ("first", "last", "hour", "permitted"),
    [("06:00", "22:00", 6, True), ("06:00", "22:00", 5, False), ("06:00", "22:00", 23, False),
     ("22:00", "06:00", 23, True), ("22:00", "06:00", 5, True), ("22:00", "06:00", 12, False)],
)  # fmt: skip
def test_writes_keep_to_their_hours(first: str, last: str, hour: int, *, permitted: bool) -> None:
    judging, plant = rule(not_before=first, not_after=last), FakePlant()
    plant.clock = datetime(2026, 1, 2, hour, tzinfo=UTC)
    expected = None if permitted else Objection("violation", "out_of_hours")
    assert propose(judging, plant, NOW, 1.0) == expected


def test_hours_deny_while_the_clock_is_not_trusted() -> None:
    judging = rule(not_before="06:00", not_after="22:00")
    assert propose(judging, FakePlant(), NOW, 1.0) == Objection("time_untrusted", "time_untrusted")


def test_its_live_verdict_is_about_being_seen() -> None:
    judging, plant = rule(), FakePlant()
    assert judging.live(plant, NOW).verdict is Verdict.UNKNOWN
    plant.set(TAG, Sample(True))  # noqa: FBT003  (a value, not a flag)
    assert judging.live(plant, NOW).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"min_on": Seconds(0)}, "min_on: 0 is not a number above 0"),
        ({"not_before": "06:00"}, "not_before and not_after: one needs the other"),
        ({"not_before": "6", "not_after": "22:00"}, "not_before: '6' is no time of the day; write it as '06:00'"),
        ({"not_before": "06:00", "not_after": "1Z"}, "not_after: '1Z' is no time of the day; write it as '06:00'"),
        (
            {"not_before": "06:00+02:00", "not_after": "22:00"},
            "not_before: '06:00+02:00' is no time of the day; write it as '06:00'",
        ),
        ({"tag": TAG}, "no limit is set; give min_on, min_off, min_interval, or not_before and not_after"),
    ],
)
def test_a_declaration_that_can_never_be_judged_is_refused(keys: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        Timing(**{"name": "rest", "level": SafetyLevel.HIGH, "tag": TAG, **keys})  # type: ignore[arg-type]
    assert str(refused.value) == message


@pytest.mark.parametrize("value", [5.0, 1, 0, "on"])
def test_what_is_neither_on_nor_off_is_refused_where_that_is_limited(value: Setting) -> None:
    wrong = Objection("violation", "wrong_type")
    assert propose(rule(min_off=Seconds(30)), FakePlant(), NOW, value) == wrong
    assert propose(rule(min_on=Seconds(30)), FakePlant(), NOW, value) == wrong
    assert propose(rule(min_interval=Seconds(30)), FakePlant(), NOW, value) is None


def test_a_number_is_another_state_than_the_bool_that_equals_it() -> None:
    judging, plant = rule(), FakePlant()
    show(judging, plant, NOW, value=True)
    show(judging, plant, NOW + 8, value=True)
    assert propose(judging, plant, NOW + 10, value=False) is None
    show(judging, plant, NOW + 9, value=1)
    show(judging, plant, NOW + 9.5, value=True)
    assert propose(judging, plant, NOW + 11, value=False) is not None
    assert propose(judging, plant, NOW + 19.5, value=False) is None


def test_it_holds_as_long_as_its_sample_and_is_judged_all_the_time() -> None:
    judging, plant = rule(), FakePlant()
    plant.set(TAG, True, at=NOW - 1)  # noqa: FBT003  (a value, not a flag)
    assert judging.live(plant, NOW).holds_until == NOW - 1 + MAX_AGE
    assert judging.restless
    assert judging.proposes == (TAG,)


@pytest.mark.parametrize(
    ("keys", "value", "reason"),
    [
        ({"min_on": Seconds(1)}, 1, "wrong_type"),
        ({"min_off": Seconds(1)}, "on", "wrong_type"),
        ({"min_off": Seconds(1)}, None, "wrong_type"),
        ({"min_interval": Seconds(1)}, None, "wrong_type"),
        ({"min_interval": Seconds(1)}, inf, "not_finite"),
        ({"min_interval": Seconds(1)}, nan, "not_finite"),
        ({"min_interval": Seconds(1)}, 1.5, ""),
        ({"min_interval": Seconds(1)}, "on", ""),
        ({"min_off": Seconds(1)}, True, ""),
    ],
)
def test_a_state_that_nobody_can_name_is_a_doubt(keys: dict[str, object], value: object, reason: str) -> None:
    judging, plant = rule(**keys), FakePlant()
    plant.set(TAG, Sample(value))  # type: ignore[arg-type]
    judgement = judging.live(plant, NOW)
    assert (judgement.verdict is Verdict.OK, judgement.reason) == (not reason, reason)


def test_without_a_minimum_between_writes_there_is_none() -> None:
    judging, plant = rule(min_on=Seconds(1)), FakePlant()
    show(judging, plant, NOW, value=True)
    plant.written[TAG] = NOW + 5
    assert propose(judging, plant, NOW + 5, value=False) is None


def test_a_state_outside_its_range_is_a_doubt() -> None:
    judging, plant = rule(), FakePlant()
    plant.set(TAG, Sample(True, Quality.UNCERTAIN, "out_of_range"))  # noqa: FBT003  (a value, not a flag)
    assert judging.live(plant, NOW).reason == "out_of_range"


def test_before_it_is_seen_its_state_is_unknown_and_an_unlimited_way_is_free() -> None:
    assert propose(rule(), FakePlant(), NOW, value=True) == Objection("stale_input", "state_unknown")
    assert propose(rule(min_on=Seconds(1)), FakePlant(), NOW, value=True) is None


@pytest.mark.parametrize(
    ("first", "last", "at", "permitted"),
    [
        ("06:00", "22:00", (6, 0), True),
        ("06:00", "22:00", (22, 0), True),
        ("06:00", "22:00", (22, 1), False),
        ("06:00", "22:00", (5, 59), False),
        ("22:00", "06:00", (22, 0), True),
        ("22:00", "06:00", (6, 0), True),
        ("22:00", "06:00", (6, 1), False),
        ("22:00", "06:00", (21, 59), False),
        ("06:00", "06:00", (6, 0), True),
        ("06:00", "06:00", (6, 1), False),
        ("06:00", "06:00", (5, 59), False),
    ],
)
def test_the_first_and_the_last_minute_belong_to_the_hours(
    first: str, last: str, at: tuple[int, int], *, permitted: bool
) -> None:
    judging, plant = rule(not_before=first, not_after=last), FakePlant()
    plant.clock = datetime(2026, 1, 2, *at, tzinfo=UTC)
    assert (propose(judging, plant, NOW, 1.0) is None) is permitted
