"""COMPLIANCE: a mean that is weighted by time, over a window that slides."""

import pytest

from drivers.values import Quality, Sample, Seconds
from gateway.safety.kinds.compliance import Compliance, ComplianceRule
from gateway.safety.verdict import SafetyLevel, Verdict
from tests.unit.gateway.safety.plant import DOUBTS, NOW, FakePlant

TAG = "boiler.nox"


def rule(**keys: float) -> ComplianceRule:
    declared = {"max": 150.0, "window": Seconds(60), "min_coverage": 0.75, **keys}
    return ComplianceRule(Compliance(name="nox", level=SafetyLevel.MEDIUM, tag=TAG, **declared))  # type: ignore[arg-type]


def run(judging: ComplianceRule, start: float, seconds: int, value: float | Sample) -> tuple[Verdict, str]:
    plant = FakePlant()
    for second in range(seconds + 1):
        plant.set(TAG, value, at=start + second)
        judgement = judging.live(plant, start + second)
    return judgement.verdict, judgement.reason


def test_too_little_of_the_window_is_a_doubt() -> None:
    assert run(rule(), NOW, 44, 100.0) == (Verdict.UNKNOWN, "coverage")
    assert run(rule(), NOW, 46, 100.0) == (Verdict.OK, "")


def test_the_mean_is_judged_and_not_the_value() -> None:
    judging = rule()
    assert run(judging, NOW, 60, 100.0) == (Verdict.OK, "")
    assert run(judging, NOW + 60, 20, 200.0) == (Verdict.OK, "")
    assert run(judging, NOW + 80, 20, 200.0) == (Verdict.VIOLATED, "above_max")


def test_what_left_the_window_counts_no_more() -> None:
    judging = rule()
    run(judging, NOW, 60, 500.0)
    assert run(judging, NOW + 60, 62, 100.0) == (Verdict.OK, "")


@pytest.mark.parametrize("doubt", DOUBTS)
def test_a_doubt_is_a_gap_and_not_a_value(doubt: str) -> None:
    sample, age, _ = DOUBTS[doubt]
    judging, plant = rule(max=10.0), FakePlant()
    for second in range(61):
        plant.set(TAG, sample, at=NOW + second - age)
        judgement = judging.live(plant, NOW + second)
    assert (judgement.verdict, judgement.reason, judgement.value) == (Verdict.UNKNOWN, "coverage", None)


def test_a_value_outside_its_range_is_a_gap() -> None:
    assert run(rule(), NOW, 60, Sample(9999.0, Quality.UNCERTAIN, "out_of_range"))[0] is Verdict.UNKNOWN


def test_what_is_not_fresh_violates_nothing_and_is_no_ok_either() -> None:
    judging, plant = rule(), FakePlant()
    for second in range(61):
        plant.set(TAG, 100.0 if second < 31 else 190.0, at=NOW + second)
        judgement = judging.live(plant, NOW + second)
    assert judgement.verdict is Verdict.OK
    verdicts = []
    for second in range(61, 70):  # a cable is pulled, and the low values leave the window
        plant.spoil(TAG, "timeout")
        judgement = judging.live(plant, NOW + second)
        verdicts.append(judgement.verdict)
    assert verdicts[0] is Verdict.OK
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.reason == "timeout"
    assert judgement.value is not None
    assert 150 < judgement.value < 160


def test_a_mean_with_a_gap_at_its_end_holds_for_now_and_no_longer() -> None:
    judging, plant = rule(), FakePlant()
    for second in range(61):
        plant.set(TAG, 100.0, at=NOW + second)
        judgement = judging.live(plant, NOW + second)
    assert judgement.holds_until == NOW + 63
    plant.spoil(TAG, "timeout")
    judgement = judging.live(plant, NOW + 61)
    assert (judgement.verdict, judgement.holds_until) == (Verdict.OK, NOW + 61)


def test_it_shows_the_mean_and_the_limit_that_it_passes() -> None:
    judging, plant = rule(min=50.0, max=150.0), FakePlant()
    for second in range(61):
        plant.set(TAG, 40.0, at=NOW + second)
        judgement = judging.live(plant, NOW + second)
    assert (judgement.verdict, judgement.reason, judgement.value) == (Verdict.VIOLATED, "below_min", 40.0)
    assert judgement.holds_until == NOW + 63
    assert judging.restless
    assert judging.constraint.bounds == (50.0, 150.0)
    assert list(judging.constraint.watched) == [TAG]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"window": Seconds(0)}, "window: 0 is not a number above 0"),
        ({"min_coverage": 0.0}, "min_coverage: 0 is not above 0 and at most 1"),
        ({"min_coverage": 1.01}, "min_coverage: 1.01 is not above 0 and at most 1"),
        ({"max": None}, "no limit is set; give min, max or both"),
        ({"min": 200.0}, "min: 200 is above max 150"),
    ],
)
def test_a_declaration_that_can_never_be_judged_is_refused(keys: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        rule(**keys)  # type: ignore[arg-type]
    assert str(refused.value) == message


def test_the_whole_window_may_be_wanted() -> None:
    assert run(rule(min_coverage=1.0), NOW, 60, 100.0) == (Verdict.OK, "")


def test_what_nobody_looked_at_counts_only_while_it_was_fresh() -> None:
    judging, plant = rule(), FakePlant()
    for second in (*range(31), 45, 46):
        plant.set(TAG, 100.0, at=NOW + second)
        judgement = judging.live(plant, NOW + second)
    assert judgement.verdict is Verdict.UNKNOWN
    for second in range(47, 58):
        plant.set(TAG, 100.0, at=NOW + second)
        judgement = judging.live(plant, NOW + second)
        assert judgement.verdict is (Verdict.OK if second >= 57 else Verdict.UNKNOWN), second


def test_it_shows_the_mean_also_where_it_says_little() -> None:
    judging, plant = rule(window=Seconds(1)), FakePlant()
    shown = []
    for tenth in range(11):
        plant.set(TAG, 100.0, at=NOW + tenth / 10)
        judgement = judging.live(plant, NOW + tenth / 10)
        shown.append((judgement.verdict, None if judgement.value is None else round(judgement.value, 6)))
    assert shown[0] == (Verdict.UNKNOWN, None)
    assert shown[5] == (Verdict.UNKNOWN, 100.0)
    assert shown[9] == (Verdict.OK, 100.0)
