"""RATE_OF_CHANGE: measured between answers, by the source's clock where it has one."""

from math import inf

import pytest

from drivers.values import Quality, Sample, Seconds
from gateway.safety.constraint import Setting
from gateway.safety.kinds.rate_of_change import RateOfChange, RateOfChangeRule
from gateway.safety.operation import Write
from gateway.safety.rule import Objection
from gateway.safety.verdict import SafetyLevel, Verdict
from tests.unit.gateway.safety.plant import DOUBTS, MAX_AGE, NOW, FakePlant, operation

TAG = "boiler.steam"
SETPOINT = "boiler.setpoint"


def rule(**keys: float) -> RateOfChangeRule:
    limits = keys or {"max_per_second": 10.0}
    return RateOfChangeRule(RateOfChange(name="slow", level=SafetyLevel.HIGH, tag=TAG, **limits))  # type: ignore[arg-type]


def judge(*answers: tuple[float, float | Sample], of: RateOfChangeRule | None = None) -> list[tuple[Verdict, str]]:
    """Answers: seconds, value; each is judged as it comes."""
    judging, plant = of or rule(), FakePlant()
    found = []
    for seconds, value in answers:
        plant.set(TAG, value, at=NOW + seconds)
        judgement = judging.live(plant, NOW + seconds)
        found.append((judgement.verdict, judgement.reason))
    return found


def test_the_first_value_is_a_doubt() -> None:
    assert judge((0, 100.0)) == [(Verdict.UNKNOWN, "first_value")]


def test_a_change_within_the_rate_is_ok_and_a_faster_one_violates() -> None:
    ok, fast = (Verdict.OK, ""), (Verdict.VIOLATED, "too_fast")
    assert judge((0, 100.0), (1, 110.0), (2, 120.1), (3, 110.1), (4, 99.0))[1:] == [ok, fast, ok, fast]


def test_a_jump_after_a_long_rest_is_measured_from_the_last_answer() -> None:
    judging, plant = rule(), FakePlant()
    for second in range(60):
        plant.set(TAG, 100.0, at=NOW + second)
        judging.live(plant, NOW + second)
    plant.set(TAG, 115.0, at=NOW + 60)
    assert judging.live(plant, NOW + 60).verdict is Verdict.VIOLATED


def test_an_answer_between_two_evaluations_counts_as_rest() -> None:
    judging, plant = rule(), FakePlant()
    plant.set(TAG, 100.0, at=NOW)
    judging.live(plant, NOW)
    plant.set(TAG, 100.0, at=NOW + 1)
    plant.set(TAG, 100.0, at=NOW + 2)
    plant.set(TAG, 115.0, at=NOW + 3)
    assert judging.live(plant, NOW + 3).verdict is Verdict.VIOLATED


def test_a_violation_ends_with_the_next_answer_that_changes_little() -> None:
    judging, plant = rule(), FakePlant()
    for second, value in ((0, 100.0), (1, 150.0)):
        plant.set(TAG, value, at=NOW + second)
        judging.live(plant, NOW + second)
    assert judging.live(plant, NOW + 1.5).verdict is Verdict.VIOLATED, "no answer since"
    plant.set(TAG, 150.0, at=NOW + 2)
    assert judging.live(plant, NOW + 2).verdict is Verdict.OK


def stamped(value: float, source_time: float) -> Sample:
    return Sample(value, Quality.GOOD, "", source_time)


def test_the_source_s_clock_counts_where_it_has_one() -> None:
    # Two changes of one second that arrive together, as after a stall of the network.
    assert judge((0, stamped(100, 50)), (1.9, stamped(105, 51)), (1.901, stamped(110, 52)))[1:] == [
        (Verdict.OK, ""),
        (Verdict.OK, ""),
    ]


def test_a_stamped_value_that_stood_still_was_proved_one_scan_ago() -> None:
    assert judge((0, stamped(100, 50)), (60, stamped(115, 110)))[1] == (Verdict.VIOLATED, "too_fast")


@pytest.mark.parametrize("source_time", [50.0, 49.0])
def test_time_that_does_not_pass_at_the_source_is_a_doubt(source_time: float) -> None:
    assert judge((0, stamped(100, 50)), (1, stamped(101, source_time)))[1] == (Verdict.UNKNOWN, "no_time_between")


@pytest.mark.parametrize("doubt", DOUBTS)
def test_any_doubt_is_unknown_and_begins_anew(doubt: str) -> None:
    sample, age, reason = DOUBTS[doubt]
    judging, plant = rule(), FakePlant()
    plant.set(TAG, 100.0, at=NOW - 10)
    judging.live(plant, NOW - 10)
    plant.set(TAG, sample, at=NOW - age)
    judgement = judging.live(plant, NOW)
    assert (judgement.verdict, judgement.reason) == (Verdict.UNKNOWN, reason)
    plant.set(TAG, 5000.0, at=NOW + 1)
    assert judging.live(plant, NOW + 1).reason == "first_value", "a spike of doubt moves no reference"


def test_a_value_outside_its_range_is_a_doubt() -> None:
    outside = Sample(105.0, Quality.UNCERTAIN, "out_of_range")
    assert judge((0, 100.0), (1, outside))[1] == (Verdict.UNKNOWN, "out_of_range")


def step(value: Setting, current: float | Sample = 450.0) -> Objection | None:
    plant = FakePlant()
    plant.set(SETPOINT, current)
    judging = rule(max_step=60.0)
    return judging.object(Write(SETPOINT, value), operation(SETPOINT, value), plant, NOW)


@pytest.mark.parametrize("value", [450, 510.0, 390])
def test_a_step_within_the_limit_is_permitted(value: float) -> None:
    assert step(value) is None


def test_a_larger_step_is_refused_with_its_size() -> None:
    assert step(511.0) == Objection("violation", "too_large_a_step", 61.0, 60.0)
    assert step(389.0) == Objection("violation", "too_large_a_step", 61.0, 60.0)


@pytest.mark.parametrize(
    ("value", "reason"), [(True, "wrong_type"), ("450", "wrong_type"), (float("nan"), "not_finite")]
)
def test_a_proposal_that_is_no_number_is_refused(value: Setting, reason: str) -> None:
    assert step(value) == Objection("violation", reason)


def test_a_step_from_where_nobody_knows_is_refused() -> None:
    assert step(450.0, Sample(None, Quality.BAD, "timeout")) == Objection("stale_input", "timeout")


def test_without_a_step_limit_it_judges_no_proposal() -> None:
    assert rule(max_per_second=1.0).proposes == ()
    assert rule(max_step=1.0).proposes == (TAG,)


def test_a_step_from_a_value_outside_its_range_is_refused() -> None:
    outside = Sample(450.0, Quality.UNCERTAIN, "out_of_range")
    assert step(450.0, outside) == Objection("stale_input", "out_of_range")


def test_a_constraint_that_wants_fresher_samples_measures_speed_as_before() -> None:
    def slow(max_age: float | None) -> RateOfChangeRule:
        age = None if max_age is None else Seconds(max_age)
        declared = RateOfChange(name="s", level=SafetyLevel.HIGH, tag=TAG, max_per_second=10.0, max_age=age)
        return RateOfChangeRule(declared)

    story = ((0, stamped(100, 50)), (1, stamped(110, 51)))
    assert judge(*story, of=slow(None))[1] == (Verdict.OK, "")
    assert judge(*story, of=slow(2))[1] == (Verdict.OK, "")
    judging, plant = slow(1), FakePlant()
    plant.set(TAG, 100.0)
    judging.live(plant, NOW + 1)
    assert judging.live(plant, NOW + 1.1).reason == "stale"


def test_it_shows_the_rate_and_holds_as_long_as_its_sample() -> None:
    judging, plant = rule(), FakePlant()
    plant.set(TAG, 100.0)
    judging.live(plant, NOW)
    plant.set(TAG, 105.0, at=NOW + 1)
    judgement = judging.live(plant, NOW + 1)
    assert (judgement.value, judgement.holds_until) == (5.0, NOW + 1 + MAX_AGE)
    plant.set(TAG, 125.0, at=NOW + 2)
    judgement = judging.live(plant, NOW + 2)
    assert (judgement.verdict, judgement.value, judgement.holds_until) == (Verdict.VIOLATED, 20.0, NOW + 2 + MAX_AGE)
    assert judging.restless
    assert judging.constraint.bounds == (None, 10.0)
    assert list(judging.constraint.watched) == [TAG]


def test_it_judges_the_steps_of_its_tag_and_of_those_that_it_limits_also() -> None:
    declared = RateOfChange(name="x", level=SafetyLevel.HIGH, tag=TAG, max_step=1.0, limits_also=(SETPOINT,))
    assert RateOfChangeRule(declared).proposes == (TAG, SETPOINT)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({}, "no limit is set; give max_per_second or max_step"),
        ({"max_per_second": 0.0}, "max_per_second: 0 is not a number above 0"),
        ({"max_step": inf}, "max_step: inf is not a number above 0"),
    ],
)
def test_a_declaration_that_can_never_be_judged_is_refused(keys: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        RateOfChange(name="x", level=SafetyLevel.HIGH, tag=TAG, **keys)  # type: ignore[arg-type]
    assert str(refused.value) == message


def test_looking_twice_at_one_answer_proves_nothing() -> None:
    judging, plant = rule(), FakePlant()
    plant.set(TAG, 100.0)
    assert [judging.live(plant, NOW + second).reason for second in (0, 0.1, 1)] == ["first_value"] * 3
    plant.set(TAG, 100.0, at=NOW + 2)
    assert judging.live(plant, NOW + 2).verdict is Verdict.OK
    plant.set(TAG, 105.0, at=NOW + 2)
    assert [judging.live(plant, NOW + 2).reason for _ in range(2)] == ["no_time_between"] * 2


def test_without_a_limit_of_speed_none_is_too_fast() -> None:
    found = judge((0, 100.0), (1, 100.0), (2, 9999.0), of=rule(max_step=1.0))
    assert [verdict for verdict, _ in found[1:]] == [Verdict.OK, Verdict.OK]


def test_the_rate_is_the_change_over_the_time() -> None:
    judging, plant = rule(), FakePlant()
    rates = []
    for second, value in ((0, 100.0), (2, 110.0), (4, 110.0), (8, 90.0)):
        plant.set(TAG, value, at=NOW + second)
        rates.append(judging.live(plant, NOW + second).value)
    assert rates == [None, 5.0, 0.0, 5.0]


def test_a_change_between_a_stamped_and_an_unstamped_answer_is_timed_by_the_answers() -> None:
    assert judge((0, 100.0), (1, stamped(109, 50)))[1] == (Verdict.OK, "")
    assert judge((0, stamped(100, 50)), (1, 109.0))[1] == (Verdict.OK, "")


def test_the_speed_of_a_rest_is_measured_by_the_tag_s_own_age() -> None:
    judging, plant = rule(), FakePlant()
    plant.set(TAG, stamped(100, 50))
    judging.live(plant, NOW)
    plant.set(TAG, stamped(109, 60), at=NOW + 1, max_age=2.7)
    judgement = judging.live(plant, NOW + 1)
    assert judgement.value == pytest.approx(10.0)


def test_a_doubt_about_its_range_is_told_by_its_reason() -> None:
    outside = Sample(105.0, Quality.UNCERTAIN, "out_of_range")
    judging, plant = rule(), FakePlant()
    plant.set(TAG, outside)
    assert judging.live(plant, NOW).reason == "out_of_range"
    plant.set(TAG, 105.0, at=NOW + 1)
    assert judging.live(plant, NOW + 1).reason == "first_value"


def test_a_stamped_value_that_is_proved_again_stands_still() -> None:
    assert judge((0, stamped(100, 50)), (1, stamped(100, 50)), (2, stamped(100, 50)))[1:] == [(Verdict.OK, "")] * 2
