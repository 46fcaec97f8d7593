"""THRESHOLD as a table: what was seen, and what may be said of it."""

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.values import Quality, Sample, Value, bad
from gateway.safety.constraint import Threshold
from gateway.safety.kinds.threshold import Held, Input, judge
from gateway.safety.verdict import SafetyLevel, Verdict

NOW = 1000.0
BAND = Threshold(name="steam", level=SafetyLevel.CRITICAL, tag="boiler.steam", min=100, max=580, hysteresis=5)


def verdict(sample: Sample, *, held: Held = Held.NONE, age: float = 0.5) -> tuple[Verdict, str, Held]:
    judgement, held = judge(BAND, Input(sample, NOW - age, max_age=2.0), held, NOW)
    return judgement.verdict, judgement.reason, held


@pytest.mark.parametrize("value", [100, 580, 340.5])
def test_the_limits_themselves_are_permitted(value: float) -> None:
    assert verdict(Sample(value)) == (Verdict.OK, "", Held.NONE)


@pytest.mark.parametrize(
    ("value", "held"), [(580.001, Held.ABOVE), (1e30, Held.ABOVE), (99.999, Held.BELOW), (-1e30, Held.BELOW)]
)
def test_a_fresh_good_value_outside_violates(value: float, held: Held) -> None:
    assert verdict(Sample(value)) == (Verdict.VIOLATED, held.value, held)


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        (bad("timeout"), "timeout"),
        (bad("no_data"), "no_data"),
        (Sample(900.0, Quality.UNCERTAIN, "last_usable"), "last_usable"),
        (Sample(900.0, Quality.UNCERTAIN, "future"), "future"),
        (Sample(value=True), "wrong_type"),
        (Sample("900"), "wrong_type"),
        (Sample(900.0, Quality.UNCERTAIN), "uncertain"),
        (Sample(900.0, Quality.BAD), "bad"),
        (Sample(None), "wrong_type"),
        (Sample((900.0,)), "wrong_type"),
        (Sample(nan), "not_finite"),
        (Sample(inf), "not_finite"),
        (Sample(-inf), "not_finite"),
    ],
)
def test_any_doubt_is_unknown_and_never_violates(sample: Sample, reason: str) -> None:
    assert verdict(sample) == (Verdict.UNKNOWN, reason, Held.NONE)


@pytest.mark.parametrize("age", [2.001, 1e9, inf, -0.001, nan])
def test_an_age_that_is_not_surely_within_the_limit_is_stale(age: float) -> None:
    assert verdict(Sample(900.0), age=age) == (Verdict.UNKNOWN, "stale", Held.NONE)


def test_out_of_range_violates_where_it_passes_the_limit_and_is_a_doubt_where_not() -> None:
    assert verdict(Sample(700.0, Quality.UNCERTAIN, "out_of_range"))[0] is Verdict.VIOLATED
    assert verdict(Sample(300.0, Quality.UNCERTAIN, "out_of_range")) == (Verdict.UNKNOWN, "out_of_range", Held.NONE)


def test_hysteresis_counts_on_the_way_back_only() -> None:
    assert verdict(Sample(578.0))[0] is Verdict.OK
    assert verdict(Sample(578.0), held=Held.ABOVE) == (Verdict.VIOLATED, "above_max", Held.ABOVE)
    assert verdict(Sample(575.0), held=Held.ABOVE) == (Verdict.OK, "", Held.NONE)
    assert verdict(Sample(103.0), held=Held.BELOW) == (Verdict.VIOLATED, "below_min", Held.BELOW)
    assert verdict(Sample(105.0), held=Held.BELOW) == (Verdict.OK, "", Held.NONE)


def test_a_doubt_does_not_let_go_of_a_held_limit() -> None:
    assert verdict(bad("timeout"), held=Held.ABOVE) == (Verdict.UNKNOWN, "timeout", Held.ABOVE)


def test_a_doubtful_value_inside_is_no_return_from_beyond_the_limit() -> None:
    doubtful = Sample(300.0, Quality.UNCERTAIN, "out_of_range")
    assert verdict(doubtful, held=Held.ABOVE) == (Verdict.UNKNOWN, "out_of_range", Held.ABOVE)
    assert verdict(Sample(578.0), held=Held.ABOVE)[0] is Verdict.VIOLATED


def test_a_value_that_leaps_from_one_limit_to_the_other_violates_the_other() -> None:
    assert verdict(Sample(0.0), held=Held.ABOVE)[2] is Held.BELOW


def test_a_verdict_holds_until_its_sample_grows_too_old() -> None:
    judgement, _ = judge(BAND, Input(Sample(300.0), NOW - 0.5, max_age=2.0), Held.NONE, NOW)
    assert judgement.holds_until == NOW + 1.5


values: st.SearchStrategy[Value] = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64), st.floats(), st.text(max_size=3), st.binary(max_size=3)
)


@given(value=values, quality=st.sampled_from(Quality), age=st.floats(), held=st.sampled_from(Held))
def test_ok_is_said_only_of_a_fresh_good_finite_number_inside(
    value: Value, quality: Quality, age: float, held: Held
) -> None:
    judgement, _ = judge(BAND, Input(Sample(value, quality, "why"), NOW - age, max_age=2.0), held, NOW)
    inside = not isinstance(value, bool) and isinstance(value, (int, float)) and 100 <= value <= 580
    if judgement.verdict is Verdict.OK:
        assert inside
        assert quality is Quality.GOOD
        assert NOW - (NOW - age) <= 2.0
    if judgement.verdict is Verdict.VIOLATED:
        assert quality is Quality.GOOD
        assert judgement.reason in {"above_max", "below_min"}
