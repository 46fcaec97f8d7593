"""Sources that wait: once each, in order, and no more bytes than allowed."""

from gateway.northbound.names import Names
from gateway.northbound.sources import BatchMessage, Fact
from gateway.northbound.waiting import Waiting

NAMES = Names("agent", "gw")


def fact(name: str) -> Fact:
    return Fact(NAMES.constraint(name))


def batch(size: int) -> BatchMessage:
    message = BatchMessage(NAMES.batch("d"), 0.0, [])
    message.body, message.size = b"x" * size, size
    return message


def drain(waiting: Waiting) -> list[object]:
    return [waiting.take() for _ in range(len(waiting))]


def test_a_source_waits_once_at_its_first_place() -> None:
    waiting, a, b = Waiting(), fact("a"), fact("b")
    waiting.put(a, 1.0)
    waiting.put(b, 2.0)
    waiting.put(a, 3.0)
    assert waiting.oldest == 1.0
    assert drain(waiting) == [a, b]
    assert waiting.oldest is None


def test_the_oldest_message_is_dropped_and_counted_where_there_are_too_many_bytes() -> None:
    waiting, status = Waiting(100), fact("status")
    messages = [batch(40) for _ in range(4)]
    waiting.put(status, 0.0)
    for message in messages:
        waiting.put(message, 0.0)
    assert waiting.dropped == 2
    assert drain(waiting) == [status, *messages[2:]]


def test_a_message_that_is_larger_than_all_that_is_allowed_is_dropped_too() -> None:
    waiting = Waiting(100)
    waiting.put(batch(50), 0.0)
    waiting.put(batch(101), 0.0)
    assert (len(waiting), waiting.dropped) == (0, 2)


def test_what_is_put_back_comes_first_and_counts_its_bytes() -> None:
    waiting, first, second = Waiting(100), batch(60), batch(60)
    waiting.put(second, 2.0)
    waiting.put_back(first, 1.0)
    assert waiting.dropped == 1
    assert drain(waiting) == [second]


def test_what_is_taken_or_discarded_frees_its_bytes() -> None:
    waiting = Waiting(100)
    for _ in range(10):
        waiting.put(batch(90), 0.0)
        waiting.take()
        message = batch(90)
        waiting.put(message, 0.0)
        waiting.discard(message)
        waiting.discard(message)
    assert waiting.dropped == 0
