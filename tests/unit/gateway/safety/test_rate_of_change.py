"""RATE_OF_CHANGE: measured between answers, by the source's clock where it has one."""

import pytest

from drivers.values import Quality, Sample
from gateway.safety.constraint import Setting
from gateway.safety.kinds.rate_of_change import RateOfChange, RateOfChangeRule
from gateway.safety.operation import Write
from gateway.safety.rule import Objection
from gateway.safety.verdict import SafetyLevel, Verdict
from tests.unit.gateway.safety.plant import DOUBTS, NOW, FakePlant, operation

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
