import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.values import Seconds
from gateway.settings.duration import parse_duration, write_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("250ms", 0.25), ("2s", 2.0), ("5m", 300.0), ("1h", 3600.0), ("1.5s", 1.5), ("0s", 0.0)]
)
def test_a_duration_carries_its_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "5", "5 s", "-5s", "5S", "5min", "1h30m", "1,5s", ".5s", "5.s", "nans", "infs", "\u0665s"]
)
def test_anything_else_is_refused_with_advice(text: str) -> None:
    with pytest.raises(ValueError, match="write it as 250ms, 2s, 5m or 1h"):
        parse_duration(text)


def test_no_duration_is_endless() -> None:
    with pytest.raises(ValueError, match="ten years"):
        parse_duration("9" * 400 + "h")


@given(st.integers(0, 10**9))
def test_what_is_written_is_read_back(milliseconds: int) -> None:
    seconds = Seconds(milliseconds / 1000)
    assert parse_duration(write_duration(seconds)) == seconds
