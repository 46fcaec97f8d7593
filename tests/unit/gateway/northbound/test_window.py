"""What is on its way: bounded, in order, and none lost without a word."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.northbound.window import MOST_BYTES, MOST_MESSAGES, Window


def opened(receive_maximum: int = 65_535) -> Window[object]:
    window: Window[object] = Window()
    window.open(receive_maximum)
    return window


def test_there_is_room_for_as_many_messages_as_the_broker_wants() -> None:
    window = opened(3)
    ids = [window.add(f"m{index}", 10, 0.0) for index in range(3)]
    assert not window.has_room
    assert window.acknowledge(ids[1]) == "m1"
    assert window.has_room


def test_there_is_a_limit_even_where_the_broker_names_none() -> None:
    window = opened()
    for _ in range(MOST_MESSAGES):
        assert window.has_room
        window.add("m", 1, 0.0)
    assert not window.has_room


def test_one_message_may_be_of_any_size_and_then_there_is_no_room() -> None:
    window = opened()
    packet_id = window.add("large", 10 * MOST_BYTES, 0.0)
    assert not window.has_room
    window.acknowledge(packet_id)
    assert window.has_room


def test_nothing_may_be_handed_over_before_a_connection() -> None:
    assert not opened(0).has_room


def test_what_a_connection_left_comes_back_in_its_order() -> None:
    window = opened()
    ids = [window.add(name, 1, 5.0) for name in "abcd"]
    window.acknowledge(ids[1])
    before, left, after = window.oldest, window.open(10), window.oldest
    assert left == ["a", "c", "d"]
    assert (before, after) == (5.0, None)
    assert not len(window)
    assert window.acknowledge(ids[0]) is None


@given(st.lists(st.booleans(), max_size=300))
def test_packet_identifiers_are_never_used_twice_at_a_time_and_stay_out_of_pahos_range(adds: list[bool]) -> None:
    window = opened()
    window._last_id = 65_500  # near the end of the range
    on_their_way: list[int] = []
    for add in adds:
        if add and window.has_room:
            packet_id = window.add("m", 1, 0.0)
            assert packet_id not in on_their_way
            assert 1024 <= packet_id <= 65_535
            on_their_way.append(packet_id)
        elif on_their_way:
            assert window.acknowledge(on_their_way.pop(0)) == "m"
    assert len(window) == len(on_their_way)
