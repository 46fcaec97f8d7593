"""Events that repeat themselves are held back and counted, never lost without a word."""

import logging

from hypothesis import given
from hypothesis import strategies as st

from gateway.observability.events import Event
from gateway.observability.repeats import Repeats


def lost(device: str = "boiler", **fields: object) -> Event:
    return Event(logging.WARNING, "device_lost", {"device": device, **fields}, 0.0)


def test_the_first_few_pass_and_the_rest_of_the_window_is_held_back() -> None:
    repeats = Repeats(burst=3, window=60.0)
    shown = [repeats.admit(lost(), now) for now in range(10)]
    assert shown == [[lost()]] * 3 + [[]] * 7
    assert repeats.suppressed == 7


def test_after_the_window_one_event_tells_how_many_were_held_back() -> None:
    repeats = Repeats(burst=1, window=60.0)
    for now in range(5):
        repeats.admit(lost(), now)
    assert repeats.admit(lost(), 60.0) == [lost(repeated=4), lost()]


def test_any_other_event_brings_the_summary_out_once_the_window_ended() -> None:
    repeats = Repeats(burst=1, window=60.0)
    for now in range(3):
        repeats.admit(lost(), now)
    assert repeats.admit(lost("turbine"), 59.9) == [lost("turbine")]
    assert repeats.admit(lost("mill"), 60.1) == [lost(repeated=2), lost("mill")]
    assert repeats.admit(lost("mill"), 60.2) == []


def test_nothing_held_back_needs_no_summary() -> None:
    repeats = Repeats(burst=1, window=60.0)
    repeats.admit(lost(), 0.0)
    assert repeats.admit(lost("turbine"), 100.0) == [lost("turbine")]
    assert repeats.flush() == []


def test_another_device_or_another_level_is_another_event() -> None:
    repeats = Repeats(burst=1)
    assert repeats.admit(lost("boiler"), 0.0)
    assert repeats.admit(lost("turbine"), 0.0)
    assert repeats.admit(lost("boiler")._replace(level=logging.ERROR), 0.0)


def test_figures_that_differ_do_not_make_another_event() -> None:
    repeats = Repeats(burst=1)
    assert repeats.admit(lost(after=0.51), 0.0)
    assert repeats.admit(lost(after=0.52), 0.0) == []


def test_the_summary_shows_the_last_of_them_without_its_traceback() -> None:
    repeats = Repeats(burst=1)
    repeats.admit(lost(after=1), 0.0)
    repeats.admit(lost(after=2)._replace(traceback="Traceback"), 0.0)
    assert repeats.flush() == [lost(after=2, repeated=1)]


def test_ever_new_events_do_not_fill_the_memory_and_what_is_given_up_is_still_told() -> None:
    repeats = Repeats(burst=1, window=60.0, capacity=2)
    repeats.admit(lost("a"), 0.0)
    repeats.admit(lost("a"), 0.0)
    repeats.admit(lost("b"), 0.0)
    assert repeats.admit(lost("c"), 0.0) == [lost("a", repeated=1), lost("c")]
    for number in range(1000):
        repeats.admit(lost(str(number)), 0.0)
    assert len(repeats.flush()) == 0


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 40)), max_size=60))
def test_every_event_is_either_shown_or_counted_in_a_summary(happened: list[tuple[str, float]]) -> None:
    repeats = Repeats(burst=2, window=50.0, capacity=3)
    now, shown = 0.0, list[Event]()
    for device, pause in happened:
        now += pause
        shown += repeats.admit(lost(device), now)
    shown += repeats.flush()
    told = sum(1 for event in shown if "repeated" not in event.fields)
    counted = sum(int(str(event.fields.get("repeated", 0))) for event in shown)
    assert told + counted == len(happened)
    assert counted == repeats.suppressed
