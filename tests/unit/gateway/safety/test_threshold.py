"""THRESHOLD as a table: what was seen, what is proposed, and what may be said of it."""

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.values import Quality, Sample
from gateway.safety.constraint import Setting
from gateway.safety.kinds.threshold import Threshold, ThresholdRule
from gateway.safety.operation import Write
from gateway.safety.rule import Objection
from gateway.safety.verdict import SafetyLevel, Verdict
from tests.unit.gateway.safety.plant import DOUBTS, MAX_AGE, NOW, FakePlant, operation

TAG = "boiler.steam"


def rule(**keys: float) -> ThresholdRule:
    limits = keys or {"min": 100.0, "max": 580.0, "hysteresis": 5.0}
    return ThresholdRule(Threshold(name="steam", level=SafetyLevel.CRITICAL, tag=TAG, **limits))  # type: ignore[arg-type]


def verdicts(*values: float | Sample, of: ThresholdRule | None = None) -> list[tuple[Verdict, str]]:
    judging, plant = of or rule(), FakePlant()
    found = []
    for value in values:
        plant.set(TAG, value)
        judgement = judging.live(plant, NOW)
        found.append((judgement.verdict, judgement.reason))
    return found


@pytest.mark.parametrize("value", [100, 580, 340.5])
def test_the_limits_themselves_are_permitted(value: float) -> None:
    assert verdicts(value) == [(Verdict.OK, "")]


@pytest.mark.parametrize(("value", "reason"), [(580.001, "above_max"), (99.999, "below_min"), (-1e30, "below_min")])
def test_a_fresh_good_value_outside_violates(value: float, reason: str) -> None:
    assert verdicts(value) == [(Verdict.VIOLATED, reason)]


@pytest.mark.parametrize("doubt", DOUBTS)
def test_any_doubt_is_unknown_and_never_violates(doubt: str) -> None:
    sample, age, reason = DOUBTS[doubt]
    plant = FakePlant()
    plant.set(TAG, sample, at=NOW - age)
    judgement = rule(max=10.0).live(plant, NOW)
    assert (judgement.verdict, judgement.reason) == (Verdict.UNKNOWN, reason)


def test_a_verdict_holds_until_the_sample_is_stale() -> None:
    plant = FakePlant()
    plant.set(TAG, 300.0, at=NOW - 1)
    assert rule().live(plant, NOW).holds_until == NOW - 1 + MAX_AGE


def test_a_value_outside_its_range_violates_beyond_the_limit_and_is_a_doubt_within() -> None:
    beyond = Sample(900.0, Quality.UNCERTAIN, "out_of_range")
    within = Sample(300.0, Quality.UNCERTAIN, "out_of_range")
    assert verdicts(beyond, within) == [(Verdict.VIOLATED, "above_max"), (Verdict.UNKNOWN, "out_of_range")]


def test_a_violation_ends_only_inside_by_the_hysteresis() -> None:
    ok, above, below = (Verdict.OK, ""), (Verdict.VIOLATED, "above_max"), (Verdict.VIOLATED, "below_min")
    assert verdicts(581, 580, 575.1, 575) == [above, above, above, ok]
    assert verdicts(99, 100, 104.9, 105) == [below, below, below, ok]
    assert verdicts(581, 90, 300) == [above, below, ok]


def test_a_doubt_lets_no_violation_end() -> None:
    stale = Sample(None, Quality.BAD, "timeout")
    doubtful = Sample(300.0, Quality.UNCERTAIN, "out_of_range")
    assert verdicts(581, stale, 578)[-1] == (Verdict.VIOLATED, "above_max")
    assert verdicts(581, doubtful, 578)[-1] == (Verdict.VIOLATED, "above_max")


def propose(value: Setting, **limits: float) -> Objection | None:
    judging = rule(**limits)
    return judging.object(Write(TAG, value), operation(TAG, value), FakePlant(), NOW)


@pytest.mark.parametrize("value", [100, 580.0, 300])
def test_a_proposal_within_the_limits_is_permitted(value: float) -> None:
    assert propose(value) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (580.1, "above_max"),
        (99.9, "below_min"),
        (nan, "not_finite"),
        (inf, "not_finite"),
        (-inf, "not_finite"),
        (True, "wrong_type"),
        ("300", "wrong_type"),
    ],
)
def test_a_proposal_that_is_not_surely_within_is_refused(value: Setting, reason: str) -> None:
    found = propose(value)
    assert found is not None
    assert (found.code, found.reason) == ("violation", reason)


def test_a_refusal_names_the_value_and_the_limit() -> None:
    assert propose(600.0) == Objection("violation", "above_max", 600.0, 580.0)
    assert propose(50.0) == Objection("violation", "below_min", 50.0, 100.0)


def test_hysteresis_is_for_live_values_alone() -> None:
    judging, plant = rule(), FakePlant()
    plant.set(TAG, 590.0)
    judging.live(plant, NOW)
    assert judging.object(Write(TAG, 579.0), operation(TAG, 579.0), plant, NOW) is None


def test_it_judges_proposals_to_its_tag_and_to_those_that_it_limits_also() -> None:
    declared = Threshold(name="x", level=SafetyLevel.HIGH, tag=TAG, max=1, limits_also=("boiler.setpoint",))
    assert ThresholdRule(declared).proposes == (TAG, "boiler.setpoint")


@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_nothing_is_permitted_that_does_not_lie_within(value: float, low: float, width: float) -> None:
    high = low + width
    permitted = propose(value, min=low, max=high) is None
    assert permitted == (low <= value <= high)


def test_it_says_what_it_watches_and_within_which_limits() -> None:
    declared = rule().constraint
    assert declared.bounds == (100.0, 580.0)
    assert list(declared.watched) == [TAG]
    assert declared.limited == ()


def test_it_shows_what_it_judged() -> None:
    judging, plant = rule(), FakePlant()
    shown = []
    for value in (300.0, 600.0, Sample(400.0, Quality.UNCERTAIN, "out_of_range"), Sample(None, Quality.BAD, "timeout")):
        plant.set(TAG, value)
        shown.append(judging.live(plant, NOW).value)
    assert shown == [300.0, 600.0, 400.0, None]


def test_once_it_is_ok_there_is_no_dead_zone() -> None:
    ok = (Verdict.OK, "")
    assert verdicts(300, 101, 579, 100, 580) == [ok] * 5
    assert verdicts(581, 300, 101, 579)[1:] == [ok] * 3
    assert verdicts(99, 300, 101, 579)[1:] == [ok] * 3
