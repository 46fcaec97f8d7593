"""Long lists in calls that a server accepts."""

import asyncio
from collections.abc import Sequence

import pytest

from drivers.errors import DeviceFault
from drivers.opcua.calls import Portions


class Server:
    """Answers calls of up to so many items with their doubles."""

    def __init__(self, most: int, kind: str = "too_many_operations") -> None:
        self._most = most
        self._kind = kind
        self.calls: list[int] = []

    async def double(self, items: Sequence[int]) -> list[int]:
        self.calls.append(len(items))
        if len(items) > self._most:
            raise DeviceFault(self._kind, "too much")
        return [2 * item for item in items]


def run(portions: Portions, server: Server, count: int) -> list[int]:
    return asyncio.run(portions.run(range(count), server.double))


def test_answers_come_in_the_order_of_the_items() -> None:
    server = Server(4)
    assert run(Portions(4), server, 10) == list(range(0, 20, 2))
    assert server.calls == [4, 4, 2]


def test_nothing_is_asked_for_nothing() -> None:
    server = Server(4)
    assert run(Portions(4), server, 0) == []
    assert server.calls == []


def test_a_refusal_makes_this_and_all_later_calls_smaller() -> None:
    server, portions = Server(3), Portions(100)
    assert run(portions, server, 10) == list(range(0, 20, 2))
    assert server.calls == [10, 5, 2, 2, 2, 2, 2]
    server.calls.clear()
    run(portions, server, 4)
    assert server.calls == [2, 2]


def test_a_server_that_takes_not_even_one_item_is_given_up() -> None:
    with pytest.raises(DeviceFault) as caught:
        run(Portions(4), Server(0), 4)
    assert caught.value.kind == "too_many_operations"


def test_another_fault_is_not_cured_by_asking_for_less() -> None:
    server = Server(1, "timeout")
    with pytest.raises(DeviceFault):
        run(Portions(4), server, 4)
    assert server.calls == [4]


def test_an_answer_that_is_incomplete_is_not_used() -> None:
    async def forget_one(items: Sequence[int]) -> Sequence[int]:
        return items[1:]

    with pytest.raises(DeviceFault, match="3 answers came for 4"):
        asyncio.run(Portions(4).run(range(8), forget_one))
