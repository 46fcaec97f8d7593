"""Scaling, range, finiteness and time, one rule at a time."""

from math import inf, nan

import pytest

from drivers.values import Quality, Sample, Value
from gateway.tags.conditioning import EARLIEST, MAX_AHEAD, condition
from gateway.tags.tag import TagSettings

NOW = 1_790_000_000.0
PLAIN = TagSettings()
RANGED = TagSettings(range=(0, 700))


def test_a_good_value_passes_as_it_is() -> None:
    sample = Sample(451.2, source_time=NOW - 1)
    assert condition(sample, PLAIN, NOW) is sample


def test_a_value_is_scaled_into_engineering_units() -> None:
    assert condition(Sample(4512), TagSettings(scale=0.1, offset=-40), NOW).value == pytest.approx(411.2)


def test_a_64_bit_integer_without_scaling_stays_exact() -> None:
    assert condition(Sample(2**63 - 1), RANGED, NOW).value == 2**63 - 1


@pytest.mark.parametrize("value", [0, 700, 350.5])
def test_the_ends_of_the_range_belong_to_it(value: float) -> None:
    assert condition(Sample(value), RANGED, NOW).quality is Quality.GOOD


@pytest.mark.parametrize("value", [-0.001, 700.001])
def test_a_good_value_outside_its_range_is_uncertain(value: float) -> None:
    assert condition(Sample(value), RANGED, NOW) == Sample(value, Quality.UNCERTAIN, "out_of_range")


@pytest.mark.parametrize(("value", "reason"), [(nan, "nan"), (inf, "inf"), (-inf, "inf")])
def test_what_is_no_number_is_bad_and_has_no_value(value: float, reason: str) -> None:
    assert condition(Sample(value), RANGED, NOW) == Sample(None, Quality.BAD, reason)


def test_a_value_that_overflows_by_scaling_is_bad() -> None:
    assert condition(Sample(1e308), TagSettings(scale=10), NOW) == Sample(None, Quality.BAD, "inf")


def test_an_integer_wider_than_any_protocol_has_is_bad() -> None:
    assert condition(Sample(10**400), RANGED, NOW) == Sample(None, Quality.BAD, "too_large")


def test_a_bad_sample_never_carries_a_value() -> None:
    assert condition(Sample(1, Quality.BAD, "sensor"), PLAIN, NOW) == Sample(None, Quality.BAD, "sensor")


def test_a_bool_is_not_scaled_and_has_no_range() -> None:
    assert condition(Sample(value=True), TagSettings(scale=2, range=(5, 6)), NOW) == Sample(value=True)


def test_an_uncertain_value_keeps_its_own_reason() -> None:
    raw = Sample(900.0, Quality.UNCERTAIN, "last_usable")
    assert condition(raw, RANGED, NOW) == raw


def test_a_source_time_ahead_of_us_is_doubted_and_not_passed_on() -> None:
    late = NOW + MAX_AHEAD + 0.1
    assert condition(Sample(1.0, source_time=late), PLAIN, NOW) == Sample(1.0, Quality.UNCERTAIN, "future")
    assert condition(Sample(1.0, source_time=NOW + MAX_AHEAD), PLAIN, NOW).quality is Quality.GOOD


@pytest.mark.parametrize("never_set", [-11_644_473_600.0, 0.0, 946_684_800.0])
def test_the_time_of_a_clock_that_was_never_set_is_doubted(never_set: float) -> None:
    assert never_set < EARLIEST
    assert condition(Sample(1.0, source_time=never_set), PLAIN, NOW) == Sample(1.0, Quality.UNCERTAIN, "source_time")


def test_a_doubted_time_does_not_hide_that_the_value_is_bad() -> None:
    assert condition(Sample(nan, source_time=0.0), PLAIN, NOW).reason == "nan"


@pytest.mark.parametrize("wrong", [{"range": (5, 5)}, {"deadband": -1.0}, {"deadband": nan}, {"scale": 0.0}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        TagSettings(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sample", "reason"), [(Sample(None), "null"), (Sample(None, Quality.UNCERTAIN, "initial_value"), "initial_value")]
)
def test_a_sample_without_a_value_is_bad_whatever_the_driver_says(sample: Sample, reason: str) -> None:
    assert condition(sample, PLAIN, NOW) == Sample(None, Quality.BAD, reason)


@pytest.mark.parametrize("source_time", [-11_644_473_600.0, NOW + 86_400, nan])
def test_a_bad_sample_passes_on_no_time_that_nobody_can_believe(source_time: float) -> None:
    sample = Sample(None, Quality.BAD, "no_data", source_time)
    assert condition(sample, PLAIN, NOW) == Sample(None, Quality.BAD, "no_data")


@pytest.mark.parametrize(
    ("word", "bit", "is_set"),
    [(0b1000, 3, True), (0b1000, 2, False), (2**63, 63, True), (0, 0, False), (1, 63, False)],
)
def test_a_bit_of_a_word_is_true_where_it_is_set(word: int, bit: int, *, is_set: bool) -> None:
    sample = Sample(word, source_time=NOW - 1)
    assert condition(sample, TagSettings(bit=bit), NOW) == Sample(is_set, source_time=NOW - 1)


def test_a_negative_word_is_read_in_twos_complement() -> None:
    assert condition(Sample(-32768), TagSettings(bit=15), NOW) == Sample(value=True)
    assert condition(Sample(-32768), TagSettings(bit=14), NOW) == Sample(value=False)
    assert condition(Sample(-1), TagSettings(bit=0), NOW) == Sample(value=True)


@pytest.mark.parametrize("value", [1.0, True, "1", b"1", (1, 2)])
def test_a_bit_of_what_is_no_integer_is_bad(value: Value) -> None:
    assert condition(Sample(value), TagSettings(bit=0), NOW) == Sample(None, Quality.BAD, "wrong_type")


def test_a_bit_of_a_word_that_no_protocol_has_is_bad() -> None:
    assert condition(Sample(2**65), TagSettings(bit=0), NOW) == Sample(None, Quality.BAD, "too_large")


def test_a_bit_of_a_bad_or_doubtful_word_is_no_better_than_the_word() -> None:
    assert condition(Sample(1, Quality.BAD, "sensor"), TagSettings(bit=0), NOW) == Sample(None, Quality.BAD, "sensor")
    doubtful = condition(Sample(1, Quality.UNCERTAIN, "frozen"), TagSettings(bit=0), NOW)
    assert doubtful == Sample(True, Quality.UNCERTAIN, "frozen")  # noqa: FBT003  (a value)
    assert condition(Sample(None), TagSettings(bit=0), NOW) == Sample(None, Quality.BAD, "null")
