"""The latch: what trips it, what only delays it, and what alone clears it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.safety.trip import LATCHED, TRANSITIONS, Latch, TripDelays, TripEvent, TripState
from gateway.safety.verdict import Verdict
from tests.unit.gateway.safety.plant import NOW

OK, VIOLATED, UNKNOWN = Verdict.OK, Verdict.VIOLATED, Verdict.UNKNOWN


def run(latch: Latch, *story: tuple[float, Verdict]) -> list[float]:
    """Return the seconds at which it tripped."""
    return [second for second, verdict in story if latch.judge(verdict, NOW + second)]


def test_a_violation_trips_at_once_where_there_is_no_delay() -> None:
    latch = Latch(TripDelays())
    assert run(latch, (0, OK), (1, VIOLATED), (2, VIOLATED)) == [1]
    assert latch.is_latched


def test_a_violation_has_to_last_for_its_delay() -> None:
    latch = Latch(TripDelays(on_delay=2.0))
    assert run(latch, (0, VIOLATED), (1.9, VIOLATED), (2, VIOLATED)) == [2]


def test_an_ok_resets_the_delay() -> None:
    latch = Latch(TripDelays(on_delay=2.0))
    assert run(latch, (0, VIOLATED), (1.9, VIOLATED), (1.95, OK), (2, VIOLATED), (3.9, VIOLATED), (4, VIOLATED)) == [4]


def test_a_doubt_freezes_the_delay() -> None:
    latch = Latch(TripDelays(on_delay=2.0))
    story = [(0, VIOLATED), (1, UNKNOWN), (50, UNKNOWN), (100, VIOLATED), (100.9, VIOLATED), (101, VIOLATED)]
    assert run(latch, *story) == [101]


def test_a_delay_frozen_twice_keeps_what_had_passed() -> None:
    latch = Latch(TripDelays(on_delay=3.0))
    story = [
        (0, VIOLATED),
        (1, UNKNOWN),
        (10, VIOLATED),
        (11, UNKNOWN),
        (20, VIOLATED),
        (20.9, VIOLATED),
        (21, VIOLATED),
    ]
    assert run(latch, *story) == [21]


def test_a_doubt_alone_never_trips() -> None:
    assert run(Latch(TripDelays()), *[(float(second), UNKNOWN) for second in range(1000)]) == []


def test_a_doubt_trips_after_its_delay_where_that_is_declared() -> None:
    latch = Latch(TripDelays(unknown_delay=10.0))
    assert run(latch, (0, OK), (1, UNKNOWN), (10.9, UNKNOWN), (11, UNKNOWN), (12, UNKNOWN)) == [11]


def test_a_doubt_never_trips_before_the_first_good_sample() -> None:
    latch = Latch(TripDelays(unknown_delay=10.0))
    assert run(latch, *[(float(second), UNKNOWN) for second in range(100)]) == []


def test_a_doubt_that_ends_begins_anew() -> None:
    latch = Latch(TripDelays(unknown_delay=10.0))
    assert run(latch, (0, OK), (1, UNKNOWN), (10, OK), (11, UNKNOWN), (20.9, UNKNOWN)) == []


def test_only_a_reset_clears_it_and_only_when_the_cause_is_gone_for_long_enough() -> None:
    latch = Latch(TripDelays(off_delay=5.0))
    run(latch, (0, VIOLATED))
    assert not latch.reset(NOW)
    run(latch, (1, OK), (5.9, OK))
    assert not latch.reset(NOW + 5.9)
    run(latch, (6, OK))
    assert latch.is_latched
    assert latch.reset(NOW + 6)
    assert not latch.is_latched


@pytest.mark.parametrize("again", [VIOLATED, UNKNOWN])
def test_a_cause_that_comes_back_or_is_doubted_forbids_the_reset(again: Verdict) -> None:
    latch = Latch(TripDelays())
    run(latch, (0, VIOLATED), (1, OK), (2, again))
    assert not latch.reset(NOW + 2)
    run(latch, (3, OK))
    assert latch.reset(NOW + 3)


def test_a_cause_that_comes_back_while_latched_is_no_second_trip() -> None:
    assert run(Latch(TripDelays()), (0, VIOLATED), (1, OK), (2, VIOLATED)) == [0]


def test_a_latch_that_is_remembered_is_latched_and_needs_its_cause_gone() -> None:
    latch = Latch(TripDelays(), latched=True)
    assert latch.is_latched
    assert run(latch, (0, UNKNOWN), (1, VIOLATED)) == []
    assert not latch.reset(NOW + 1)
    run(latch, (2, OK))
    assert latch.reset(NOW + 2)


def test_a_reset_of_what_is_not_latched_does_nothing() -> None:
    latch = Latch(TripDelays(on_delay=1.0))
    assert not latch.reset(NOW)
    run(latch, (0, VIOLATED))
    assert not latch.reset(NOW)
    assert latch.state is TripState.PENDING


def test_force_clears_whatever_the_cause() -> None:
    for story in ([(0, VIOLATED)], [(0, VIOLATED), (1, OK)], [(0, VIOLATED), (1, OK), (6, OK)], [(0, UNKNOWN)]):
        latch = Latch(TripDelays(off_delay=5.0))
        run(latch, *story)
        latch.force(NOW + 7)
        assert latch.state is TripState.CLEAR


def test_one_that_is_held_trips_at_nothing_and_its_delays_run_on() -> None:
    latch = Latch(TripDelays(on_delay=2.0, unknown_delay=3.0))
    assert not latch.judge(VIOLATED, NOW, held=True)
    assert not latch.judge(VIOLATED, NOW + 5, held=True)
    assert latch.state is TripState.PENDING
    assert latch.judge(VIOLATED, NOW + 5)
    doubted = Latch(TripDelays(unknown_delay=3.0))
    doubted.judge(OK, NOW, held=True)
    assert not doubted.judge(UNKNOWN, NOW + 1, held=True)
    assert not doubted.judge(UNKNOWN, NOW + 9, held=True)
    assert doubted.judge(UNKNOWN, NOW + 9)


def test_one_that_is_latched_already_goes_its_way_while_it_is_held() -> None:
    latch = Latch(TripDelays(off_delay=2.0))
    run(latch, (0, VIOLATED))
    latch.judge(OK, NOW + 1, held=True)
    latch.judge(OK, NOW + 3, held=True)
    assert latch.state is TripState.RESETTABLE


def test_a_doubt_that_trips_does_so_from_a_pending_violation_too() -> None:
    latch = Latch(TripDelays(on_delay=60.0, unknown_delay=3.0))
    assert run(latch, (0, VIOLATED), (1, UNKNOWN), (3.9, UNKNOWN), (4, UNKNOWN)) == [4]


def test_a_doubt_is_timed_from_its_own_beginning_while_it_is_latched() -> None:
    latch = Latch(TripDelays(unknown_delay=3.0))
    assert run(latch, (0, VIOLATED), (1, UNKNOWN), (9, UNKNOWN)) == [0]
    run(latch, (10, OK))
    assert latch.reset(NOW + 10)
    assert run(latch, (11, UNKNOWN), (13.9, UNKNOWN), (14, UNKNOWN)) == [14]


def test_no_event_but_a_reset_leads_out_of_the_latch() -> None:
    for (state, event), following in TRANSITIONS.items():
        if state in LATCHED and following not in LATCHED:
            assert event in {TripEvent.RESET, TripEvent.RESET_BYPASSED}


@given(st.lists(st.tuples(st.sampled_from(list(Verdict)), st.floats(0, 3)), max_size=40), st.floats(0, 5))
def test_it_trips_only_while_violated_and_after_at_least_its_delay_of_violation(
    steps: list[tuple[Verdict, float]], on_delay: float
) -> None:
    latch, now, violated = Latch(TripDelays(on_delay=on_delay)), NOW, 0.0
    before = OK
    for verdict, pause in steps:
        now += pause
        violated = 0.0 if verdict is OK else violated + (pause if before is VIOLATED else 0.0)
        if latch.judge(verdict, now):
            assert verdict is VIOLATED
            assert violated >= on_delay - 1e-9
            return
        before = verdict
