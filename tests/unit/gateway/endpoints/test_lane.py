"""The lane: who goes next, and what happens to a request whose asker has gone."""

import asyncio

import pytest

from drivers.errors import DeviceFault, LinkLost
from gateway.endpoints.lane import FairQueue, Lane, Priority
from tests.virtual_time import run_virtual


def drain(queue: FairQueue[str]) -> list[str]:
    return [queue.pop() for _ in range(len(queue))]


def test_safe_state_goes_before_writes_and_writes_before_reads() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.push(Priority.READ, "a", "read")
    queue.push(Priority.WRITE, "a", "write")
    queue.push(Priority.SAFE_STATE, "a", "safe state")
    assert drain(queue) == ["safe state", "write", "read"]


def test_devices_of_one_lane_take_turns() -> None:
    queue: FairQueue[str] = FairQueue()
    for item in ("a1", "a2", "a3"):
        queue.push(Priority.READ, "a", item)
    queue.push(Priority.READ, "b", "b1")
    assert drain(queue) == ["a1", "b1", "a2", "a3"]


def test_an_empty_queue_says_so() -> None:
    with pytest.raises(IndexError):
        FairQueue[str]().pop()


def test_one_request_is_on_the_wire_at_a_time() -> None:
    async def main() -> None:
        on_wire, most = 0, 0

        async def call() -> None:
            nonlocal on_wire, most
            on_wire += 1
            most = max(most, on_wire)
            await asyncio.sleep(0.01)
            on_wire -= 1

        lane = Lane("test")
        worker = asyncio.create_task(lane.run())
        await asyncio.gather(*(lane.request(Priority.READ, str(device), call) for device in range(5)))
        lane.close()
        await worker
        assert most == 1

    run_virtual(main())


def test_a_frame_on_the_wire_is_ended_though_its_asker_is_cancelled() -> None:
    async def main() -> None:
        ended = asyncio.Event()

        async def call() -> None:
            await asyncio.sleep(1)
            ended.set()

        lane = Lane("test")
        worker = asyncio.create_task(lane.run())
        asker = asyncio.create_task(lane.request(Priority.READ, "a", call))
        await asyncio.sleep(0.5)
        asker.cancel()
        lane.close()
        await worker
        assert ended.is_set()
        assert asker.cancelled()

    run_virtual(main())


def test_a_request_whose_asker_left_before_its_turn_is_never_sent() -> None:
    async def main() -> None:
        sent: list[str] = []

        async def call(name: str) -> None:
            sent.append(name)
            await asyncio.sleep(1)

        lane = Lane("test")
        worker = asyncio.create_task(lane.run())
        first = asyncio.create_task(lane.request(Priority.READ, "a", lambda: call("first")))
        second = asyncio.create_task(lane.request(Priority.READ, "a", lambda: call("second")))
        await asyncio.sleep(0.5)
        second.cancel()
        await first
        lane.close()
        await worker
        assert sent == ["first"]

    run_virtual(main())


def test_an_error_reaches_the_one_who_asked_and_the_lane_goes_on() -> None:
    async def main() -> None:
        async def fail() -> None:
            raise DeviceFault("timeout", "no answer")

        async def answer() -> int:
            return 7

        lane = Lane("test")
        worker = asyncio.create_task(lane.run())
        with pytest.raises(DeviceFault, match="no answer"):
            await lane.request(Priority.READ, "a", fail)
        assert await lane.request(Priority.READ, "a", answer) == 7
        lane.close()
        await worker

    run_virtual(main())


def test_a_closed_lane_refuses_what_waits_and_what_comes() -> None:
    async def main() -> None:
        async def slow() -> None:
            await asyncio.sleep(1)

        lane = Lane("test")
        worker = asyncio.create_task(lane.run())
        first = asyncio.create_task(lane.request(Priority.READ, "a", slow))
        second = asyncio.create_task(lane.request(Priority.READ, "a", slow))
        await asyncio.sleep(0.5)
        lane.close()
        await first
        with pytest.raises(LinkLost):
            await second
        with pytest.raises(LinkLost):
            await lane.request(Priority.READ, "a", slow)
        await worker

    run_virtual(main())


def test_a_full_lane_refuses_at_once() -> None:
    async def main() -> None:
        async def slow() -> None:
            await asyncio.sleep(1)

        lane = Lane("test", limit=1)
        waiting = asyncio.create_task(lane.request(Priority.READ, "a", slow))
        await asyncio.sleep(0)
        with pytest.raises(DeviceFault) as refused:
            await lane.request(Priority.READ, "a", slow)
        assert refused.value.kind == "lane_full"
        waiting.cancel()

    run_virtual(main())


def test_a_driver_that_lets_out_a_cancellation_does_not_end_the_lane() -> None:
    async def main() -> None:
        async def cancelled() -> None:
            raise asyncio.CancelledError

        async def answer() -> int:
            return 7

        lane = Lane("test")
        worker = asyncio.create_task(lane.run())
        with pytest.raises(RuntimeError, match="cancelled a request"):
            await lane.request(Priority.READ, "a", cancelled)
        assert await lane.request(Priority.READ, "a", answer) == 7
        lane.close()
        await worker

    run_virtual(main())


def test_a_lane_that_is_cancelled_itself_ends() -> None:
    async def main() -> None:
        async def slow() -> None:
            await asyncio.sleep(1)

        lane = Lane("test")
        worker = asyncio.create_task(lane.run())
        asker = asyncio.create_task(lane.request(Priority.READ, "a", slow))
        await asyncio.sleep(0.5)
        worker.cancel()
        await asyncio.wait([worker])
        assert worker.cancelled()
        asker.cancel()

    run_virtual(main())
