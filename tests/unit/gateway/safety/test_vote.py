"""VOTE: each sensor is compared, then the votes are counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.values import Quality, Sample, bad
from gateway.safety.kinds.vote import Vote, VoteRule
from gateway.safety.verdict import SafetyLevel, Verdict
from tests.unit.gateway.safety.plant import DOUBTS, MAX_AGE, NOW, FakePlant

TAGS = ("t.a", "t.b", "t.c")
OK, VIOLATED, UNKNOWN = Verdict.OK, Verdict.VIOLATED, Verdict.UNKNOWN


def rule(**keys: object) -> VoteRule:
    declared = {"agree": 2, "max": 3600.0, **keys}
    return VoteRule(Vote(name="overspeed", level=SafetyLevel.CRITICAL, tags=TAGS, **declared))  # type: ignore[arg-type]


def judge(judging: VoteRule, *values: float | Sample | None, at: float = NOW) -> tuple[Verdict, str]:
    """None: the sensor is bad."""
    plant = FakePlant()
    for tag, value in zip(TAGS, values, strict=True):
        plant.set(tag, bad("timeout") if value is None else value, at=at)
    judgement = judging.live(plant, at)
    return judgement.verdict, judgement.reason


def born(**keys: object) -> VoteRule:
    """Return a rule whose sensors were all good once."""
    judging = rule(**keys)
    judge(judging, 3000.0, 3000.0, 3000.0)
    return judging


def test_one_sensor_alone_decides_nothing() -> None:
    assert judge(born(), 9999.0, 3000.0, 3000.0) == (OK, "")


def test_two_of_three_violate() -> None:
    assert judge(born(), 3601.0, 3000.0, 3601.0) == (VIOLATED, "above_max")


def test_a_median_would_have_hidden_what_is_voted() -> None:
    low_and_high = rule(min=1000.0, max=3600.0)
    assert judge(low_and_high, 9999.0, 0.0, 3000.0)[0] is VIOLATED


def test_a_bad_sensor_votes_for_the_violation() -> None:
    assert judge(born(), 3601.0, None, 3000.0) == (VIOLATED, "above_max")
    assert judge(born(), 3000.0, None, 3000.0) == (OK, "")
    assert judge(born(), None, None, 3000.0) == (VIOLATED, "t.b:timeout")


def test_sensors_that_are_all_bad_prove_nothing() -> None:
    assert judge(born(), None, None, None) == (UNKNOWN, "t.c:timeout")


def test_before_its_first_good_sample_a_sensor_casts_no_vote() -> None:
    assert judge(rule(), None, None, 3000.0) == (UNKNOWN, "t.b:timeout")
    assert judge(rule(), 3000.0, None, 3000.0) == (OK, "")
    assert judge(rule(), 3601.0, None, 3000.0)[0] is UNKNOWN
    assert judge(rule(), 3601.0, None, 3601.0)[0] is VIOLATED


def test_a_declared_degradation_goes_before_the_vote_of_a_bad_one() -> None:
    one_of_two = {"degrade": (1,)}
    assert judge(born(**one_of_two), 3601.0, None, 3000.0)[0] is VIOLATED
    assert judge(born(**one_of_two), 3000.0, None, 3000.0)[0] is OK
    assert judge(born(**one_of_two), 3000.0, None, None) == (UNKNOWN, "t.c:timeout")
    two_of_two = {"degrade": (2, 1)}
    assert judge(born(**two_of_two), 3601.0, None, 3000.0)[0] is OK
    assert judge(born(**two_of_two), 3601.0, None, None)[0] is VIOLATED
    assert judge(born(**two_of_two), 9999.0, 3000.0, 3000.0)[0] is OK


@pytest.mark.parametrize("doubt", DOUBTS)
def test_any_doubt_makes_a_sensor_a_bad_one(doubt: str) -> None:
    sample, age, _ = DOUBTS[doubt]
    judging, plant = born(), FakePlant()
    plant.set("t.a", 3000.0)
    plant.set("t.b", sample, at=NOW - age)
    plant.set("t.c", 3601.0)
    assert judging.live(plant, NOW).verdict is VIOLATED


def test_a_value_outside_its_range_votes_beyond_the_limit_and_is_bad_within() -> None:
    beyond = Sample(9000.0, Quality.UNCERTAIN, "out_of_range")
    within = Sample(1.0, Quality.UNCERTAIN, "out_of_range")
    assert judge(born(), beyond, 3601.0, 3000.0)[0] is VIOLATED
    assert judge(born(), within, 3000.0, 3000.0)[0] is OK
    assert judge(born(), within, 3601.0, 3000.0)[0] is VIOLATED


def test_each_sensor_keeps_its_own_hysteresis() -> None:
    judging = rule(hysteresis=100.0)
    judge(judging, 3700.0, 3700.0, 3000.0)
    assert judge(judging, 3550.0, 3450.0, 3000.0)[0] is OK
    judge(judging, 3700.0, 3700.0, 3000.0)
    assert judge(judging, 3550.0, 3550.0, 3000.0)[0] is VIOLATED


def test_sensors_far_from_the_median_are_named() -> None:
    judging = rule(deviation=50.0)
    judge(judging, 3000.0, 3010.0, 3100.0)
    assert list(judging.deviating) == ["t.c"]
    judge(judging, 3000.0, 3010.0, 3060.0)
    assert list(judging.deviating) == []
    judge(judging, 3000.0, None, None)
    assert list(judging.deviating) == []


def test_it_shows_the_median_and_holds_as_long_as_the_oldest_sensor() -> None:
    judging, plant = rule(), FakePlant()
    for place, tag in enumerate(TAGS):
        plant.set(tag, 3000.0 + place, at=NOW - place)
    judgement = judging.live(plant, NOW)
    assert (judgement.value, judgement.holds_until) == (3001.0, NOW - 2 + MAX_AGE)


@given(st.lists(st.sampled_from([3000.0, 3601.0, None]), min_size=3, max_size=3), st.integers(1, 3))
def test_a_count_by_hand_agrees(values: list[float | None], agree: int) -> None:
    verdict, _ = judge(born(agree=agree), *values)
    against = sum(value is None or value > 3600 for value in values)
    if all(value is None for value in values):
        assert verdict is UNKNOWN
    else:
        assert verdict is (VIOLATED if against >= agree else OK)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"agree": 4}, "agree: 4 is not within 1 and the number of tags, 3"),
        ({"agree": 0}, "agree: 0 is not within 1 and the number of tags, 3"),
        ({"tags": ("t.a", "t.a"), "agree": 1}, "tags: one sensor has one vote; a tag is named twice"),
        ({"degrade": (3,)}, "degrade: 3 of the 2 that are left is not possible"),
        ({"hysteresis": -1.0}, "hysteresis: -1 is not a number from 0 upwards"),
        ({"min": 0.0, "hysteresis": 1.1}, "hysteresis: 1.1 is more than lies between min and max"),
        ({"degrade": (2, 0)}, "degrade: 0 of the 1 that are left is not possible"),
        ({"deviation": 0.0}, "deviation: 0 is not a number above 0"),
        ({"max": None}, "no limit is set; give min, max or both"),
        ({"min": 2.0}, "min: 2 is above max 1"),
    ],
)
def test_a_declaration_that_can_never_be_judged_is_refused(keys: dict[str, object], message: str) -> None:
    declared = {"name": "v", "level": SafetyLevel.HIGH, "tags": TAGS, "agree": 2, "max": 1.0, **keys}
    with pytest.raises(ValueError, match=r".") as refused:
        Vote(**declared)  # type: ignore[arg-type]
    assert str(refused.value) == message


def test_it_says_what_it_watches_and_within_which_limits() -> None:
    declared = rule(min=0.0).constraint
    assert declared.bounds == (0.0, 3600.0)
    assert declared.watched == TAGS


def whole(judging: VoteRule, *values: float | None) -> tuple[Verdict, str, float | None, float]:
    """Return all of a judgement; each sensor is a second older than the one before it, and the bad ones are oldest."""
    plant = FakePlant()
    for place, (tag, value) in enumerate(zip(TAGS, values, strict=True)):
        plant.set(tag, bad("timeout") if value is None else value, at=NOW - place)
    judgement = judging.live(plant, NOW)
    return judgement.verdict, judgement.reason, judgement.value, judgement.holds_until


def test_all_of_a_judgement() -> None:
    never = float("-inf")
    assert whole(born(), 3700.0, 3000.0, 3800.0) == (VIOLATED, "above_max", 3700.0, NOW - 2 + MAX_AGE)
    assert whole(born(), 3700.0, 3000.0, None) == (VIOLATED, "above_max", 3350.0, NOW - 1 + MAX_AGE)
    assert whole(rule(), 3700.0, 3000.0, None) == (UNKNOWN, "t.c:timeout", 3350.0, never)
    degraded = {"degrade": (1,)}
    assert whole(born(**degraded), 3700.0, 3000.0, None) == (VIOLATED, "above_max", 3350.0, NOW - 1 + MAX_AGE)
    assert whole(born(**degraded), 3100.0, 3000.0, None) == (OK, "", 3050.0, NOW - 1 + MAX_AGE)
    assert whole(born(**degraded), 3100.0, None, None) == (UNKNOWN, "t.c:timeout", 3100.0, never)
    assert whole(born(), None, None, None) == (UNKNOWN, "t.c:timeout", None, never)


def test_at_first_no_sensor_holds_a_limit() -> None:
    judging = rule(min=0.0, hysteresis=100.0)
    assert judging.deviating == ()
    assert judge(judging, 50.0, 50.0, 50.0) == (OK, "")


def test_two_sensors_that_are_far_apart_both_deviate() -> None:
    judging = rule(deviation=50.0)
    judge(judging, 3000.0, 3200.0, None)
    assert list(judging.deviating) == ["t.a", "t.b"]
