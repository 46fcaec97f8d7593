"""Whether what is read back is what was written."""

from math import inf, nan

import pytest

from drivers.values import DataType, Seconds, Value
from gateway.control.readback import is_equal, tolerance_of
from gateway.tags.tag import Tag, TagSettings


def tag(**keys: object) -> Tag:
    settings = TagSettings(writable=True, **keys)  # type: ignore[arg-type]  # as the test says
    return Tag(0, "boiler", "setpoint", settings, Seconds(3.0))


@pytest.mark.parametrize(
    ("wanted", "read", "tolerance"),
    [
        (7, 7, 0.0),
        (7, 7.0, 0.0),
        (23.4, 23.400000000000002, 0.1),
        (23.4, 23.3, 0.11),
        (-5, -6, 1.0),
        (True, True, 0.0),
        ("auto", "auto", 0.0),
        (b"\x01", b"\x01", 0.0),
        ((1, 2.0), (1, 2.0), 0.0),
        (2**63, 2**63, 0.0),
    ],
)
def test_these_are_the_same(wanted: Value, read: Value, tolerance: float) -> None:
    assert is_equal(wanted, read, tolerance)


@pytest.mark.parametrize(
    ("wanted", "read", "tolerance"),
    [
        (7, 8, 0.0),
        (7, 8, 0.9),
        (nan, nan, 1.0),
        (nan, 7.0, inf),
        (7.0, nan, inf),
        (inf, inf, 1.0),
        (7.0, 7.0, nan),
        (1, True, 1.0),
        (True, 1, 1.0),
        (False, 0, 1.0),
        ("7", 7, 1.0),
        ("auto", "Auto", 1.0),
        (7, None, inf),
        (None, 7, inf),
        ((1,), (True,), 1.0),
        ((1, 2), (1,), 1.0),
        ((nan,), (nan,), 1.0),
        (10**400, 1.0, 1.0),
        (2**63, 2**63 - 1, 0.0),
    ],
)
def test_these_are_not(wanted: Value, read: Value, tolerance: float) -> None:
    assert not is_equal(wanted, read, tolerance)


@pytest.mark.parametrize("data_type", list(DataType))
def test_what_the_tag_says_goes_before_all_else(data_type: DataType) -> None:
    assert tolerance_of(tag(readback_tolerance=2.5, scale=0.1), data_type, 7.0) == 2.5
    assert tolerance_of(tag(readback_tolerance=0.0), data_type, 7.0) == 0.0


@pytest.mark.parametrize("data_type", [DataType.INT16, DataType.UINT32, DataType.INT64, DataType.UINT8])
def test_a_scaled_whole_number_may_be_off_by_one_count(data_type: DataType) -> None:
    tolerance = tolerance_of(tag(scale=-0.1, offset=3), data_type, 23.4)
    assert tolerance == pytest.approx(0.1)
    assert is_equal(23.4, 235 * 0.1, tolerance)
    assert not is_equal(23.4, 236 * 0.1, tolerance)


@pytest.mark.parametrize("data_type", [DataType.INT16, DataType.UINT64])
def test_a_whole_number_that_is_not_scaled_has_to_be_the_same(data_type: DataType) -> None:
    assert tolerance_of(tag(), data_type, 1) == 0.0


@pytest.mark.parametrize("data_type", [DataType.FLOAT32, DataType.FLOAT64, None])
def test_a_float_may_be_off_by_one_step_of_a_float32(data_type: DataType | None) -> None:
    step = 2.0**-15  # of numbers between 256 and 512
    tolerance = tolerance_of(tag(), data_type, 450.1)
    assert tolerance == pytest.approx(step, rel=1e-6)
    assert is_equal(450.1, 450.1000061035156, tolerance)  # as a float32 holds it
    assert not is_equal(450.1, 450.1 + 2 * step, tolerance)


def test_the_step_of_a_scaled_float_is_the_devices_own() -> None:
    assert tolerance_of(tag(scale=0.001), DataType.FLOAT32, 0.45) == pytest.approx(2.0**-15 * 0.001, rel=1e-6)
    assert tolerance_of(tag(), DataType.FLOAT32, 0.0) > 0


@pytest.mark.parametrize("wanted", [True, "auto", None, b"\x01"])
def test_what_is_no_number_has_to_be_the_same(wanted: Value) -> None:
    assert tolerance_of(tag(scale=0.1), DataType.INT16, wanted) == 0.0
