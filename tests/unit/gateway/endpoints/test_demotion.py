"""When a unit is demoted, how often it is probed, and that one answer is enough."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.endpoints.demotion import (
    FIRST_INTERVAL,
    LONGEST_PROBE,
    SHORTEST_PROBE,
    Demotion,
    Standing,
    patience,
    probe_within,
)

scans = st.floats(0.01, 3600)


def miss(demotion: Demotion, times: int) -> list[float]:
    """Let every probe be in vain, each at the time it is due; return those times."""
    now, due = 1000.0, []
    for _ in range(times):
        demotion.missed(now)
        now = max(demotion.next_probe, now)
        due.append(now)
    return due


def test_one_miss_makes_a_suspect_and_three_in_a_row_demote() -> None:
    demotion = Demotion(scan=1.0, after=3, longest=30.0)
    assert demotion.standing is Standing.HEALTHY
    seen = []
    for _ in range(4):
        miss(demotion, 1)
        seen.append(demotion.standing)
    assert seen == [Standing.SUSPECT, Standing.SUSPECT, Standing.DEMOTED, Standing.DEMOTED]


def test_the_first_probe_comes_with_the_next_scan_and_then_at_doubled_intervals_up_to_the_longest() -> None:
    due = miss(Demotion(scan=0.5, after=3, longest=30.0), 9)
    assert due[0] == 1000.0
    assert [later - earlier for earlier, later in pairwise(due)] == [1, 2, 4, 8, 16, 30, 30, 30]


def test_an_answer_brings_a_unit_back_at_once() -> None:
    demotion = Demotion(scan=1.0, after=3, longest=30.0)
    miss(demotion, 20)
    demotion.answered()
    assert demotion.standing is Standing.HEALTHY
    assert demotion.next_probe < 0
    assert miss(demotion, 1) == [1000.0]


def test_a_new_connection_makes_the_next_probe_come_soon() -> None:
    demotion = Demotion(scan=1.0, after=3, longest=30.0)
    miss(demotion, 20)
    demotion.renewed(5.0)
    assert demotion.next_probe == 6.0
    demotion.renewed(5.5)
    assert demotion.next_probe == 6.0


def test_where_nobody_else_needs_the_wire_the_interval_stays_short() -> None:
    demotion = Demotion(scan=1.0, after=3, longest=30.0)
    for _ in range(20):
        demotion.missed(1000.0, longest=5.0)
    assert demotion.next_probe == 1005.0


@given(scan=scans, after=st.integers(1, 100), longest=st.floats(1, 3600), misses=st.integers(2, 200))
def test_intervals_never_shrink_and_stay_within_a_scan_and_the_longest(
    scan: float, after: int, longest: float, misses: int
) -> None:
    intervals = [later - earlier for earlier, later in pairwise(miss(Demotion(scan, after, longest), misses))]
    for shorter, longer in pairwise(intervals):
        assert longer >= shorter - 1e-6
    assert intervals[0] == pytest.approx(max(scan, FIRST_INTERVAL))
    assert intervals[-1] <= max(longest, scan, FIRST_INTERVAL) + 1e-6


@given(st.lists(st.booleans(), max_size=100))
def test_a_unit_is_healthy_exactly_after_an_answer(asked: list[bool]) -> None:
    demotion = Demotion(scan=1.0, after=3, longest=30.0)
    for has_answered in asked:
        if has_answered:
            demotion.answered()
        else:
            demotion.missed(1000.0)
        assert (demotion.standing is Standing.HEALTHY) is has_answered


@given(st.lists(scans, min_size=1))
def test_a_probe_takes_no_more_than_200_ms_and_no_scan_half_a_period_beside_it(periods: list[float]) -> None:
    within = probe_within(periods)
    assert SHORTEST_PROBE <= within <= LONGEST_PROBE == 0.2
    assert within <= max(0.4 * min(periods), SHORTEST_PROBE)


def test_only_a_shared_wire_makes_impatient() -> None:
    assert patience([1.0]) is None
    assert patience([1.0, 3.0]) == pytest.approx(1 / 3)
    assert patience([0.1, 3.0]) == 0.2
