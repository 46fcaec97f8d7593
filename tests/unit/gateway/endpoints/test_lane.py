"""The lane: one request at a time, and what happens to one whose asker has gone."""

import asyncio

import pytest

from drivers.errors import DeviceFault, LinkLost
from gateway.endpoints.fair_queue import Priority
from gateway.endpoints.lane import Lane
from tests.virtual_time import run_virtual


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


def test_after_a_probe_in_vain_the_next_waits_for_its_pause_and_reads_do_not() -> None:
    async def main() -> None:
        began = asyncio.get_running_loop().time()
        ended: list[tuple[str, float]] = []

        async def ask(name: str, *, answers: bool) -> None:
            await asyncio.sleep(0.1)
            ended.append((name, round(asyncio.get_running_loop().time() - began, 3)))
            if not answers:
                raise DeviceFault("timeout", "no answer")

        def request(priority: Priority, device: str, *, answers: bool) -> "asyncio.Task[None]":
            return asyncio.create_task(lane.request(priority, device, lambda: ask(device, answers=answers)))

        lane = Lane("test")
        worker = asyncio.create_task(lane.run())
        first = request(Priority.PROBE, "dead", answers=False)
        second = request(Priority.PROBE, "back", answers=True)
        await asyncio.sleep(0.25)
        third = request(Priority.READ, "live", answers=True)
        await asyncio.wait([first, second, third])
        assert isinstance(first.exception(), DeviceFault)
        assert ended == [("dead", 0.1), ("live", 0.35), ("back", 0.6)]
        lane.close()
        await worker

    run_virtual(main())


def test_whoever_asks_on_at_once_goes_before_a_probe() -> None:
    async def main() -> None:
        ended: list[str] = []

        async def ask(name: str) -> None:
            await asyncio.sleep(0.1)
            ended.append(name)

        async def scan() -> None:
            for block in ("1st", "2nd", "3rd"):
                await lane.request(Priority.READ, "live", lambda block=block: ask(block))  # type: ignore[misc]

        lane = Lane("test")
        worker = asyncio.create_task(lane.run())
        await asyncio.gather(scan(), lane.request(Priority.PROVE, "new", lambda: ask("probe")))
        assert ended == ["1st", "2nd", "3rd", "probe"]
        lane.close()
        await worker

    run_virtual(main())


def test_what_an_answer_sets_off_goes_before_all_that_waited_for_it_to_end() -> None:
    async def main() -> None:
        ended: list[str] = []

        async def ask(name: str) -> None:
            await asyncio.sleep(0.1)
            ended.append(name)

        async def judge() -> None:
            await lane.request(Priority.READ, "hot", lambda: ask("sample"))
            await lane.enqueue(Priority.SAFE_STATE, "hot", lambda: ask("safe state"))

        lane = Lane("test")
        worker = asyncio.create_task(lane.run())
        judging = asyncio.create_task(judge())
        await asyncio.sleep(0.05)
        write = lane.enqueue(Priority.WRITE, "hot", lambda: ask("write"))
        read = lane.enqueue(Priority.READ, "other", lambda: ask("read"))
        await asyncio.gather(judging, write, read)
        assert ended == ["sample", "safe state", "write", "read"]
        lane.close()
        await worker

    run_virtual(main())


def test_what_is_cancelled_before_its_turn_is_not_made() -> None:
    async def main() -> None:
        ended: list[str] = []

        async def ask(name: str) -> None:
            await asyncio.sleep(0.1)
            ended.append(name)

        lane = Lane("test")
        worker = asyncio.create_task(lane.run())
        first, second = (lane.enqueue(Priority.READ, "a", lambda name=name: ask(name)) for name in ("1st", "2nd"))  # type: ignore[misc]
        second.cancel()
        await first
        lane.close()
        await worker
        assert ended == ["1st"]

    run_virtual(main())
