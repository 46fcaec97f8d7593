"""The median and the vote over redundant sensors, with good, doubtful and bad ones."""

import pytest

from drivers.values import Quality, Sample, Value, bad
from gateway.tags.computed.redundant import Vote, take_median, take_vote

TAGS = ("t.a", "t.b", "t.c")
TOO_FAST = Vote(tags=TAGS, agree=2, above=3600)
CUT_OUT = Vote(tags=TAGS, agree=2, above=3600, bad="excluded")


def samples(*values: Value) -> list[Sample]:
    """Return good samples; a text is the reason of a bad one."""
    return [bad(value) if isinstance(value, str) else Sample(value) for value in values]


def test_of_three_the_one_between_the_others_counts() -> None:
    assert take_median(samples(3010.0, 2990.0, 3000.0), None) == Sample(3000.0)


def test_a_sensor_that_is_off_does_not_move_the_median_and_makes_it_uncertain() -> None:
    assert take_median(samples(3000, 3001, 0), 50) == Sample(3000.0, Quality.UNCERTAIN, "deviation")
    assert take_median(samples(3000, 3001, 2951), 50) == Sample(3000.0)


def test_of_three_with_one_bad_the_mean_of_the_others_counts_and_is_uncertain() -> None:
    assert take_median(samples(3000, "timeout", 3010), 50) == Sample(3005.0, Quality.UNCERTAIN, "degraded")


def test_with_half_of_the_sensors_bad_there_is_no_median() -> None:
    assert take_median(samples("timeout", "stale", 3010), None) == bad("timeout")
    assert take_median(samples(1, 2, "stale", "stale"), None) == bad("stale")


def test_a_doubtful_sensor_makes_the_median_doubtful_for_the_same_reason() -> None:
    three = [*samples(3000, 3001), Sample(3002, Quality.UNCERTAIN, "out_of_range")]
    assert take_median(three, 50) == Sample(3001.0, Quality.UNCERTAIN, "out_of_range")


@pytest.mark.parametrize("value", ["text", None, (1, 2), float("nan")])
def test_a_sensor_that_gives_no_number_leaves_no_median(value: Value) -> None:
    three = [*samples(1, 2), Sample(value)]
    assert take_median(three, None) == bad("computation")
    assert take_vote(three, TOO_FAST) == bad("computation")


def test_the_median_is_as_old_as_the_oldest_sensor_where_all_tell_their_time() -> None:
    timed = [Sample(1, source_time=30.0), Sample(2, source_time=10.0), Sample(3, source_time=20.0)]
    assert take_median(timed, None).source_time == 10.0
    assert take_median([*timed[:2], Sample(3)], None).source_time is None


@pytest.mark.parametrize(
    ("values", "outcome"),
    [((3601, 3599, 3599), False), ((3601, 3599, 3601), True), ((3600, 3600, 3600), False), ((3601,) * 3, True)],
)
def test_two_of_three_past_the_limit_decide(values: tuple[float, ...], *, outcome: bool) -> None:
    assert take_vote(samples(*values), TOO_FAST) == Sample(outcome)


@pytest.mark.parametrize(
    ("vote", "values", "outcome"),
    [
        (Vote(tags=TAGS, agree=2, below=10), (9, 9.9, 10), True),
        (Vote(tags=TAGS, agree=2, below=10), (9, 10, 10), False),
        (Vote(tags=TAGS, agree=2, equals=True), (True, False, True), True),
        (Vote(tags=TAGS, agree=3, equals=2), (2, 2, 3), False),
        (Vote(tags=TAGS, agree=1, equals=0), (1, 2, 0), True),
        (Vote(tags=TAGS, agree=2, above=0), (1, 2, 0), True),
    ],
)
def test_a_limit_is_above_below_or_equal(vote: Vote, values: tuple[Value, ...], *, outcome: bool) -> None:
    assert take_vote(samples(*values), vote).value is outcome


def test_a_bad_sensor_votes_so_one_of_the_others_is_enough() -> None:
    assert take_vote(samples("stale", 3601, 3599), TOO_FAST) == Sample(True, Quality.UNCERTAIN, "degraded")  # noqa: FBT003  (a value)
    assert take_vote(samples("stale", 3599, 3599), TOO_FAST) == Sample(False, Quality.UNCERTAIN, "degraded")  # noqa: FBT003  (a value)
    assert take_vote(samples("stale", "stale", 3599), TOO_FAST).value is True


def test_a_bad_sensor_that_is_excluded_leaves_two_that_have_to_agree() -> None:
    assert take_vote(samples("stale", 3601, 3599), CUT_OUT) == Sample(False, Quality.UNCERTAIN, "degraded")  # noqa: FBT003  (a value)
    assert take_vote(samples("stale", 3601, 3601), CUT_OUT).value is True


def test_without_sensors_enough_there_is_no_vote() -> None:
    assert take_vote(samples("stale", "timeout", "stale"), TOO_FAST) == bad("stale")
    assert take_vote(samples("stale", "timeout", 3601), CUT_OUT) == bad("stale")


def test_a_doubtful_sensor_votes_and_makes_the_outcome_doubtful() -> None:
    three = [*samples(3601, 3599), Sample(5000, Quality.UNCERTAIN, "out_of_range")]
    assert take_vote(three, TOO_FAST) == Sample(True, Quality.UNCERTAIN, "out_of_range")  # noqa: FBT003  (a value)
