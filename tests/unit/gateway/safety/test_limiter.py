"""The sliding window, and RATE_LIMIT upon it."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from drivers.values import Seconds
from gateway.safety.kinds.rate_limit import RateLimit, RateLimitRule
from gateway.safety.limiter import SlidingWindow
from gateway.safety.operation import Operation, Write
from gateway.safety.verdict import SafetyLevel
from tests.unit.gateway.safety.plant import NOW, FakePlant, operation


def test_the_limit_is_reached_and_the_next_is_refused() -> None:
    window = SlidingWindow(3, 10.0)
    assert [window.take(NOW + second) for second in (0, 1, 2, 3)] == [True, True, True, False]
    assert window.take(NOW + 4) is False
    assert window.refused == 2


def test_room_comes_back_when_the_oldest_is_a_whole_window_old() -> None:
    window = SlidingWindow(2, 10.0)
    window.take(NOW)
    window.take(NOW + 5)
    assert window.free_at() == NOW + 10
    assert not window.has_room(NOW + 9.999)
    assert window.take(NOW + 10)
    assert not window.has_room(NOW + 14.9)


def test_asking_and_being_refused_take_nothing() -> None:
    window = SlidingWindow(1, 10.0)
    assert window.free_at() == float("-inf")
    window.take(NOW)
    for second in range(1, 10):
        assert not window.has_room(NOW + second)
        assert not window.take(NOW + second)
    assert window.take(NOW + 10)


@given(st.integers(1, 5), st.lists(st.floats(0, 3), max_size=60))
def test_no_window_of_that_length_ever_holds_more(limit: int, pauses: list[float]) -> None:
    window, now, taken = SlidingWindow(limit, 5.0), NOW, []
    for pause in pauses:
        now += pause
        if window.take(now):
            taken.append(now)
    for start in taken:
        assert sum(start <= each < start + 5.0 for each in taken) <= limit


def rule() -> RateLimitRule:
    return RateLimitRule(RateLimit(name="calm", level=SafetyLevel.HIGH, key="boiler", max=2, window=Seconds(60)))


def test_operations_on_the_device_of_the_key_are_counted() -> None:
    calm, plant = rule(), FakePlant()
    for second in range(2):
        wanted = operation("boiler.setpoint", 1.0)
        assert calm.object(wanted.writes[0], wanted, plant, NOW + second) is None
        calm.take(wanted, NOW + second)
    refusal = calm.object(wanted.writes[0], wanted, plant, NOW + 2)
    assert refusal is not None
    assert (refusal.code, refusal.limit) == ("rate_limited", 2.0)
    other = operation("turbine.load", 1.0)
    assert calm.object(other.writes[0], other, plant, NOW + 2) is None


def test_an_operation_is_counted_by_the_key_that_it_names_and_by_its_devices() -> None:
    for asked in (
        Operation("me", (Write("turbine.load", 1.0),), key="boiler"),
        Operation("me", (Write("boiler.setpoint", 1.0),), key="other"),  # which is no way around the limit
    ):
        calm, plant = rule(), FakePlant()
        for _ in range(2):
            calm.take(replace(asked), NOW)
        assert calm.object(asked.writes[0], asked, plant, NOW) is not None


def test_it_objects_to_the_writes_of_any_tag() -> None:
    assert rule().proposes is None


def test_an_asked_of_several_writes_is_one_and_finds_room_for_each_of_them() -> None:
    calm, plant = rule(), FakePlant()
    writes = (Write("boiler.setpoint", 1.0), Write("boiler.burner", value=True), Write("turbine.load", 1.0))
    first, second, third = (Operation("me", writes) for _ in range(3))
    calm.take(first, NOW)
    calm.take(second, NOW)
    for one in (second, first, second, first):  # their writes alternate on the wire
        assert calm.object(writes[1], one, plant, NOW) is None
        calm.take(one, NOW)
    refused = [calm.object(writes[0], one, plant, NOW) is not None for one in (first, second, third)]
    assert refused == [True, True, True]
    calm.take(third, NOW)
    assert calm.object(writes[1], third, plant, NOW) is not None, "what was not counted has nothing under way"
    assert calm.object(writes[0], third, plant, NOW + 60) is None


def test_one_that_was_pushed_out_by_newer_ones_counts_anew() -> None:
    calm, plant = rule(), FakePlant()
    writes = (Write("boiler.setpoint", 1.0), Write("boiler.burner", value=True))
    slow, *newer = (Operation("me", writes) for _ in range(3))
    calm.take(slow, NOW)
    for one in newer:
        calm.take(one, NOW + 60)
    assert calm.object(writes[1], slow, plant, NOW + 60) is not None


def test_a_window_is_over_when_its_newest_event_is_a_whole_window_old() -> None:
    window = SlidingWindow(2, 10.0)
    assert window.is_over(NOW)
    window.take(NOW)
    window.take(NOW + 5)
    assert not window.is_over(NOW + 14.9)
    assert window.is_over(NOW + 15)


def test_a_window_with_room_left_is_free_now() -> None:
    window = SlidingWindow(2, 10.0)
    window.take(NOW)
    assert window.free_at() == float("-inf")
