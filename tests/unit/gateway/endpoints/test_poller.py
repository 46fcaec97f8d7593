"""A scan on virtual time: what is handed over when, and what a failing block costs its neighbours."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from drivers.base import Block, Change, Listener, Plan
from drivers.errors import DeviceFault
from drivers.values import DataType, Sample, Seconds, bad
from gateway.counters import DeviceCounters
from gateway.endpoints.device import Device
from gateway.endpoints.lane import Lane
from gateway.endpoints.poller import HOLD, Poller
from gateway.endpoints.settings import DeviceSettings
from gateway.tags.image import Batch, ProcessImage
from gateway.tags.tag import Tag, TagSettings
from tests.virtual_time import VirtualClock, run_virtual


class SlowReader:
    """Each block is one point, and takes its own time to answer, or to fail."""

    def __init__(self, seconds: Sequence[float], fails: Sequence[int]) -> None:
        self.blocks = [Block((place,), f"block {place}") for place in range(len(seconds))]
        self._seconds = seconds
        self._fails = fails

    async def prepare(self) -> Plan:
        return Plan(self.blocks)

    def data_type(self, point: int) -> DataType | None:
        return DataType.FLOAT64

    async def read(self, block: Block) -> Sequence[Change]:
        (place,) = block.points
        await asyncio.sleep(self._seconds[place])
        if place in self._fails:
            raise DeviceFault("timeout", "no answer")
        return [(place, Sample(float(place)))]

    async def probe(self, within: Seconds) -> None:
        raise NotImplementedError

    async def subscribe(self, listener: Listener) -> None:
        """Nothing reports by itself."""


class Scan:
    """One device of one tag a block, scanned once."""

    def __init__(self, seconds: Sequence[float], fails: Sequence[int] = ()) -> None:
        clock = VirtualClock()
        settings = DeviceSettings(scan=Seconds(10))
        tags = [Tag(place, "plc", f"t{place}", TagSettings(), settings.stale_after) for place in range(len(seconds))]
        self.image = ProcessImage(tags, clock)
        self.batches: list[tuple[float, Batch]] = []
        self.image.listen(lambda batch: self.batches.append((round(clock.monotonic() - 1000.0, 3), batch)))
        self.device = Device("plc", settings, None, tags, [None] * len(tags), DeviceCounters(), clock)
        self.answered = 0
        reader = SlowReader(seconds, fails)
        blocks = list(zip(reader.blocks, self.image.regroup("plc", [[tag] for tag in tags]), strict=True))
        self.lane = Lane("test")
        self.poller = Poller(self.device, reader, blocks, self.lane, self.image, clock, self.count)

    def count(self) -> None:
        self.answered += 1

    @property
    def told(self) -> list[tuple[float, list[tuple[str, Sample]]]]:
        return [(at, [(tag.name, sample) for tag, sample in batch.changes]) for at, batch in self.batches]


def play(story: Callable[[Scan], Awaitable[None]], seconds: Sequence[float], fails: Sequence[int] = ()) -> None:
    async def main() -> None:
        scan = Scan(seconds, fails)
        worker = asyncio.create_task(scan.lane.run())
        await story(scan)
        scan.lane.close()
        await worker

    run_virtual(main())


def test_the_answers_of_a_quick_scan_are_one_batch() -> None:
    async def story(scan: Scan) -> None:
        await scan.poller.scan()
        assert scan.told == [(0.03, [("t0", Sample(0.0)), ("t1", Sample(1.0)), ("t2", Sample(2.0))])]
        await asyncio.sleep(1)
        assert len(scan.batches) == 1

    play(story, [0.01, 0.01, 0.01])


def test_an_answer_does_not_wait_for_the_timeout_of_the_next_block() -> None:
    async def story(scan: Scan) -> None:
        await scan.poller.scan()
        assert scan.told == [
            (0.01 + HOLD, [("t0", Sample(0.0))]),
            (1.01, [("t1", bad("timeout"))]),
            (1.02, [("t2", Sample(2.0))]),
        ]
        assert scan.device.state.connected
        assert scan.device.counters.updates == 2

    play(story, [0.01, 1.0, 0.01], fails=[1])


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
        await scan.poller.scan()
        assert scan.answered == 0
        assert scan.device.state.reason == "timeout"

    play(story, [0.2, 0.2], fails=[0, 1])
