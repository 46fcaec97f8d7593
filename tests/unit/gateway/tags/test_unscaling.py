"""From engineering units to those of the device."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.values import DataType, Sample
from gateway.tags.conditioning import condition
from gateway.tags.tag import TagSettings, TagValue
from gateway.tags.unscaling import unscale


def tag(**keys: object) -> TagSettings:
    return TagSettings(writable=True, **keys)  # type: ignore[arg-type]  # as the test says


@pytest.mark.parametrize(
    ("value", "scale", "offset", "count"),
    [
        (23.4, 0.1, 0.0, 234),
        (0.3, 0.1, 0.0, 3),
        (4.35, 0.01, 0.0, 435),
        (1.1, 0.001, 0.0, 1100),
        (20.0, 0.1, -40.0, 600),
        (-40.0, 0.1, -40.0, 0),
        (23.44, 0.1, 0.0, 234),
        (23.46, 0.1, 0.0, 235),
        (0.25, 0.1, 0.0, 2),
        (100, -0.5, 0.0, -200),
        (9_007_199_254_740_993, 0.5, 0.0, 18_014_398_509_481_986),
    ],
)
def test_a_scaled_whole_number_is_the_nearest_step(value: float, scale: float, offset: float, count: int) -> None:
    found = unscale(value, tag(scale=scale, offset=offset), DataType.INT64)
    assert (type(found), found) == (int, count)


@pytest.mark.parametrize("data_type", [DataType.FLOAT32, DataType.FLOAT64, None])
def test_a_scaled_float_is_not_rounded_and_has_no_dirt_at_its_end(data_type: DataType | None) -> None:
    assert unscale(23.4, tag(scale=0.1), data_type) == 234.0
    assert unscale(23.44, tag(scale=0.1), data_type) == 234.4


@pytest.mark.parametrize("value", [7, 7.5, True, "on", 2**63])
@pytest.mark.parametrize("data_type", [DataType.INT16, DataType.FLOAT32, None])
def test_what_is_not_scaled_stays_as_it_is(value: TagValue, data_type: DataType | None) -> None:
    found = unscale(value, tag(), data_type)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize("value", [True, False, "on"])
def test_what_is_no_number_stays_as_it_is(value: TagValue) -> None:
    assert unscale(value, tag(scale=0.1, offset=3), DataType.INT16) is value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="is not finite"):
        unscale(value, tag(scale=0.1), DataType.INT16)


def test_what_would_be_rounded_out_of_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"100 would be 100\.1 in steps of 0\.7, which is out of range"):
        unscale(100, tag(scale=0.7, range=(0, 100)), DataType.INT16)
    assert unscale(0.3, tag(scale=0.1, range=(0, 0.3)), DataType.INT16) == 3


@given(
    st.integers(-(2**31), 2**31),
    st.sampled_from([0.1, 0.01, 0.001, 0.5, 0.25, 2.0, 10.0, -0.1, 0.3, 1 / 3]),
    st.sampled_from([0.0, -40.0, 273.15, 0.05, 1e6]),
)
def test_what_a_device_shows_is_written_as_the_same_count(count: int, scale: float, offset: float) -> None:
    settings = tag(scale=scale, offset=offset)
    shown = condition(Sample(count), settings, 0.0).value
    assert isinstance(shown, float)
    assert unscale(shown, settings, DataType.INT32) == count
