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
