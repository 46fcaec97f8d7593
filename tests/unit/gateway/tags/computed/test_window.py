"""The sliding window: mean, total and extremes of a value that holds until the next one."""

from math import isinf

import pytest

from gateway.tags.computed.window import BUCKETS, Window


def test_before_any_value_nothing_is_covered() -> None:
    summary = Window(100, 1000).summary()
    assert (summary.coverage, summary.integral, summary.seconds) == (0, 0, 0)
    assert isinf(summary.least)


def test_a_value_holds_until_the_next() -> None:
    window = Window(100, 1000)
    window.take(10.0, 1000)
    window.take(20.0, 1030)
    window.advance(1040)
    summary = window.summary()
    assert summary.integral == pytest.approx(30 * 10 + 10 * 20)
    assert summary.seconds == pytest.approx(40)
    assert summary.coverage == pytest.approx(0.4)
    assert (summary.least, summary.greatest) == (10, 20)


def test_while_there_is_no_value_nothing_is_counted() -> None:
    window = Window(100, 0)
    window.take(10.0, 0)
    window.take(None, 30)
    window.take(30.0, 70)
    window.advance(100)
    summary = window.summary()
    assert summary.integral / summary.seconds == pytest.approx(20)
    assert summary.coverage == pytest.approx(0.6)


def test_what_is_older_than_the_window_is_forgotten() -> None:
    window = Window(100, 0)
    window.take(50.0, 0)
    window.take(10.0, 100)
    window.advance(150)
    assert window.summary().integral == pytest.approx(50 * 50 + 50 * 10)
    assert window.summary().coverage == pytest.approx(1)
    window.advance(200)
    assert window.summary().integral == pytest.approx(100 * 10)
    window.advance(200 + 100 / BUCKETS)
    assert window.summary().greatest == 10


def test_an_extreme_counts_however_short_it_was() -> None:
    window = Window(100, 0)
    for value in (10.0, 99.0, -5.0, 10.0):
        window.take(value, 5)
    window.advance(50)
    assert (window.summary().least, window.summary().greatest) == (-5, 99)


def test_a_leap_over_many_windows_costs_no_more_than_one() -> None:
    window = Window(1, 0)
    window.take(7.0, 0)
    window.advance(1e9)
    summary = window.summary()
    assert summary.integral == pytest.approx(7)
    assert summary.coverage == pytest.approx(1)
    assert (summary.least, summary.greatest) == (7, 7)


def test_after_a_leap_without_a_value_the_window_is_empty() -> None:
    window = Window(10, 0)
    window.take(7.0, 0)
    window.take(None, 1)
    window.advance(1000)
    assert window.summary().coverage == 0
    assert isinf(window.summary().greatest)


def test_its_memory_is_bounded_however_often_the_value_changes() -> None:
    window = Window(1, 0)
    for step in range(10_000):
        window.take(float(step), step * 0.001)
    assert len(window._buckets) <= BUCKETS + 1
