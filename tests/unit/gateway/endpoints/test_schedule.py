"""The scan grid and the pauses between attempts to connect."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.endpoints.backoff import FIRST, Backoff
from gateway.endpoints.schedule import begin_grid, next_due, phase_of


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


@given(now=st.floats(0, 1e6), period=st.floats(0.01, 3600), place=st.integers(0, 99))
def test_after_a_scan_off_the_grid_the_next_one_is_on_it_and_comes_within_eleven_tenths(
    now: float, period: float, place: int
) -> None:
    phase = phase_of(place, 100, period)
    upcoming, missed = next_due(begin_grid(now, period, phase), period, now)
    assert missed == 0
    assert 0.1 * period - 1e-6 <= upcoming - now <= 1.1 * period + 1e-6
    turns = (upcoming - phase) / period
    assert turns == pytest.approx(round(turns), abs=1e-6 * max(1.0, 1 / period))


def test_the_grids_of_many_devices_are_spread_over_their_period_and_a_second_at_most() -> None:
    assert [phase_of(place, 4, 0.2) for place in range(4)] == pytest.approx([0, 0.05, 0.1, 0.15])
    assert [phase_of(place, 4, 60.0) for place in range(4)] == pytest.approx([0, 0.25, 0.5, 0.75])
