"""The scan grid and the pauses between attempts to connect."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.endpoints.backoff import FIRST, Backoff
from gateway.endpoints.schedule import next_due


def test_a_scan_that_ends_in_time_is_followed_one_period_later() -> None:
    assert next_due(due=10.0, period=1.0, now=10.4) == (11.0, 0)


def test_a_scan_that_takes_too_long_passes_over_the_grid_points_it_missed() -> None:
    assert next_due(due=10.0, period=1.0, now=12.5) == (13.0, 2)


@given(
    due=st.floats(0, 1e6),
    period=st.floats(0.01, 3600),
    late=st.floats(-1, 1e5),
)
def test_the_next_scan_is_never_past_and_never_more_than_a_period_ahead(due: float, period: float, late: float) -> None:
    now = due + late
    upcoming, missed = next_due(due, period, now)
    assert missed >= 0
    assert upcoming > now or upcoming == pytest.approx(now)
    assert upcoming - max(now, due) <= period * 1.000001 + 1e-6


def test_pauses_grow_to_the_cap_and_stay_there() -> None:
    backoff = Backoff(5.0, Random(1))
    pauses = [backoff.pause() for _ in range(20)]
    assert FIRST / 2 <= pauses[0] <= FIRST
    assert all(2.5 <= pause <= 5.0 for pause in pauses[5:])


def test_an_answer_brings_back_the_shortest_pause() -> None:
    backoff = Backoff(5.0, Random(1))
    for _ in range(10):
        backoff.pause()
    backoff.reset()
    assert backoff.pause() <= FIRST
