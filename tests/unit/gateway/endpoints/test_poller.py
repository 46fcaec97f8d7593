"""A scan on virtual time: what is handed over when, and what a failing block costs the others."""

import asyncio

from drivers.base import Block, Split
from drivers.errors import DeviceFault
from drivers.values import Sample, bad
from gateway.endpoints.fair_queue import Priority
from gateway.endpoints.held import HOLD
from gateway.endpoints.subscriber import Subscriber
from tests.unit.gateway.endpoints.blocks import Scan, play, timeout
from tests.virtual_time import VirtualClock


def refused() -> DeviceFault:
    return DeviceFault("exception_2", "no such register")


def test_the_answers_of_a_quick_scan_are_one_batch() -> None:
    async def story(scan: Scan) -> None:
        await scan.poller.scan()
        assert scan.told == [(0.03, [("t0", Sample(0.0)), ("t1", Sample(1.0)), ("t2", Sample(2.0))])]
        await asyncio.sleep(1)
        assert len(scan.batches) == 1

    play(story, [0.01, 0.01, 0.01])


def test_an_answer_does_not_wait_for_the_timeout_of_the_next_block() -> None:
    async def story(scan: Scan) -> None:
        scan.reader.faults[1] = timeout()
        await scan.poller.scan()
        assert scan.told == [
            (0.01 + HOLD, [("t0", Sample(0.0))]),
            (1.01, [("t1", bad("timeout"))]),
            (1.02, [("t2", Sample(2.0))]),
        ]
        assert scan.device.state.connected
        assert scan.device.counters.updates == 2

    play(story, [0.01, 1.0, 0.01])


def test_what_is_judged_waits_for_no_other_block() -> None:
    async def story(scan: Scan) -> None:
        await scan.poller.scan()
        told = [(at, [name for name, _ in news]) for at, news in scan.told]
        assert told == [(0.03, ["t0", "t1"]), (0.06, ["t2"])]

    play(story, [0.01, 0.02, 0.03], judged=[1])


def test_what_was_held_when_the_scan_is_given_up_is_never_handed_over() -> None:
    async def story(scan: Scan) -> None:
        task = asyncio.create_task(scan.poller.scan())
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(1)
        assert scan.told == []
        assert scan.answered == 0

    play(story, [0.01, 0.5])


def test_a_device_is_down_only_where_no_block_answered_in_the_whole_scan() -> None:
    async def story(scan: Scan) -> None:
        scan.reader.faults = {0: timeout(), 1: timeout()}
        await scan.poller.scan()
        assert scan.answered == 0
        assert scan.device.state.reason == "timeout"

    play(story, [0.2, 0.2])


def test_a_unit_with_neighbours_that_falls_silent_is_asked_no_further_in_that_scan() -> None:
    async def story(scan: Scan) -> None:
        await scan.poller.scan()
        scan.reader.asked_since()
        scan.reader.faults = {place: timeout() for place in range(3)}
        assert await scan.scans(1) == [[(0,)]]
        assert scan.samples() == [bad("timeout")] * 3
        assert scan.device.state.reason == "timeout"
        assert scan.device.demotion.misses == 1

    play(story, [0.01] * 3, neighbours=1)


def test_a_single_slow_block_starves_no_other_and_is_asked_ever_less_often() -> None:
    async def story(scan: Scan) -> None:
        scan.reader.faults[0] = timeout()
        first, second, third, fourth = await scan.scans(4)
        assert first == [(0,)]
        assert second == [(1,), (2,), (0,)]
        assert third == [(1,), (2,), (0,)]
        assert fourth == [(1,), (2,)]
        assert scan.samples() == [bad("timeout"), Sample(1.0), Sample(2.0)]
        assert scan.device.state.connected
        assert not scan.device.demotion.misses

    play(story, [0.01] * 3, neighbours=1)


def test_a_block_that_is_refused_again_and_again_is_asked_at_growing_intervals() -> None:
    async def story(scan: Scan) -> None:
        scan.reader.faults[1] = refused()
        asked = [(1,) in scan_asked for scan_asked in await scan.scans(30)]
        # At a scan period of 10 s, and 60 s at most: every seventh scan.
        assert [place for place, was_asked in enumerate(asked) if was_asked] == [0, 1, 3, 7, 14, 21, 28]
        assert scan.samples() == [Sample(0.0), bad("exception_2")]
        del scan.reader.faults[1]
        await scan.scans(7)
        assert scan.samples() == [Sample(0.0), Sample(1.0)]
        assert [(1,) in scan_asked for scan_asked in await scan.scans(3)] == [True] * 3

    play(story, [0.01] * 2)


def test_a_device_that_is_only_busy_is_asked_at_every_scan() -> None:
    async def story(scan: Scan) -> None:
        scan.reader.faults[1] = DeviceFault("exception_6", "busy")
        assert await scan.scans(5) == [[(0,), (1,)]] * 5

    play(story, [0.01] * 2)


def test_a_device_that_refuses_everything_is_not_left_alone_for_long() -> None:
    async def story(scan: Scan) -> None:
        scan.reader.faults[0] = refused()
        assert await scan.scans(10) == [[(0,)]] * 10  # its reconnect_max is shorter than its scan period
        assert scan.device.state.reason == "exception_2"

    play(story, [0.01])


def test_the_parts_of_a_block_that_is_refused_as_a_whole_are_asked_for_in_the_same_scan() -> None:
    async def story(scan: Scan) -> None:
        await scan.poller.scan()
        scan.batches.clear()
        scan.reader.asked_since()
        parts = [Block((0,), "first"), Block((1, 2), "others")]
        scan.reader.faults[0] = Split("exception_2", "too much at once", parts)
        asked = asyncio.create_task(scan.scans(1))
        await asyncio.sleep(0.015)
        del scan.reader.faults[0]
        assert await asked == [[(0, 1, 2), (0,), (1, 2)]]
        assert scan.samples() == [Sample(0.0), Sample(1.0), Sample(2.0)]
        assert scan.told == []  # nothing changed, and nothing was BAD in between
        assert await scan.scans(1) == [[(0,), (1, 2)]]

    play(story, [0.01] * 3, blocks=[Block((0, 1, 2), "all")])


def test_a_split_that_loses_a_point_is_a_fault_like_any_other() -> None:
    async def story(scan: Scan) -> None:
        scan.reader.faults[0] = Split("exception_2", "too much at once", [Block((0,), "first")])
        assert await scan.scans(1) == [[(0, 1)]]
        assert scan.samples() == [bad("exception_2")] * 2

    play(story, [0.01] * 2, blocks=[Block((0, 1), "all")])


def test_a_driver_that_splits_without_end_does_not_hold_the_scan() -> None:
    async def story(scan: Scan) -> None:
        scan.reader.faults[0] = Split("exception_2", "again", [Block((0, 1), "all")])
        (asked,) = await scan.scans(1)
        assert len(asked) == 1 + 2 * 2
        assert scan.samples() == [bad("exception_2")] * 2

    play(story, [0.01] * 2, blocks=[Block((0, 1), "all")])


def test_what_the_driver_learned_by_being_refused_is_told_once() -> None:
    async def story(scan: Scan) -> None:
        told: list[str] = []
        scan.device.listen(lambda _, change: told.append(change))
        await scan.poller.scan()
        scan.reader.faults[1] = refused()
        scan.device.learned["holes"] = ["holding:1"]
        await scan.poller.scan()
        await scan.poller.scan()
        assert told == ["device_connected", ""]

    play(story, [0.01] * 2)


def test_a_device_that_reports_by_itself_is_not_lost_because_it_refuses_to_be_asked() -> None:
    async def story(scan: Scan) -> None:
        told: list[str] = []
        scan.device.listen(lambda state, change: told.append(change))
        block = Block((), "reported")
        (fresh,) = scan.image.regroup("other", [[]])
        subscriber = Subscriber(scan.device, {block: fresh}, scan.image, VirtualClock(), scan.intake)
        scan.reader.faults[0] = timeout()
        for _ in range(3):
            subscriber.received(block, [])
            await scan.scans(1)
        assert told == ["device_connected"]
        assert scan.samples() == [bad("timeout")]
        await asyncio.sleep(scan.device.settings.stale_after)
        await scan.scans(1)
        assert told == ["device_connected", "device_lost"]

    play(story, [0.01])


def test_an_answer_that_waited_while_its_tag_was_written_is_not_handed_over() -> None:
    async def story(scan: Scan) -> None:
        tag, loop = scan.device.tags[0], asyncio.get_running_loop()
        await scan.scans(1)
        scan.batches.clear()

        async def write() -> None:
            scan.image.hold(tag)
            scan.reader.values[0] = 9.0
            await asyncio.sleep(0.01)
            scan.image.settle(tag, loop.time())
            scan.reader.forget([0])

        scan.reader.values = {0: 5.0, 1: 6.0}
        scanning = asyncio.create_task(scan.poller.scan())
        await asyncio.sleep(0.02)  # the first block has answered, and its answer waits for those of the others
        await scan.lane.request(Priority.WRITE, "plc", write)
        await scanning
        assert [changes for _, changes in scan.told] == [[("t1", Sample(6.0))]]
        scan.batches.clear()
        await scan.scans(1)
        assert [changes for _, changes in scan.told] == [[("t0", Sample(9.0))]]

    play(story, [0.01, 0.05, 0.2])
