"""One device whose blocks each answer, are late or refuse as a test says, on virtual time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from drivers.base import Block, Change, Listener, Plan
from drivers.errors import DeviceFault
from drivers.values import DataType, Sample, Seconds
from gateway.counters import DeviceCounters
from gateway.endpoints.device import Device
from gateway.endpoints.intake import Intake
from gateway.endpoints.lane import Lane
from gateway.endpoints.neighbours import Neighbours
from gateway.endpoints.poller import Poller
from gateway.endpoints.settings import DeviceSettings
from gateway.tags.image import Batch, ProcessImage
from gateway.tags.tag import Tag, TagSettings
from tests.virtual_time import VirtualClock, run_virtual


class BlockReader:
    """Each block is one point, with its place as its value; it takes its own time to answer, or to fail."""

    def __init__(self, seconds: Sequence[float]) -> None:
        self.blocks = [Block((place,), f"block {place}") for place in range(len(seconds))]
        self.values: dict[int, float] = {}
        """By point, where it is another than its place."""
        self.faults: dict[int, DeviceFault] = {}
        """By the first point of a block."""
        self.asked: list[tuple[int, ...]] = []
        self._seconds = seconds
        self._last: dict[int, float] = {}

    async def prepare(self) -> Plan:
        return Plan(self.blocks)

    def data_type(self, point: int) -> DataType | None:
        return DataType.FLOAT64

    async def read(self, block: Block) -> Sequence[Change]:
        self.asked.append(block.points)
        await asyncio.sleep(self._seconds[block.points[0]])
        if block.points[0] in self.faults:
            raise self.faults[block.points[0]]
        values = {point: self.values.get(point, float(point)) for point in block.points}
        changes = [(point, Sample(value)) for point, value in values.items() if self._last.get(point) != value]
        self._last |= values
        return changes

    async def probe(self, within: Seconds) -> None:
        await asyncio.sleep(0)

    async def subscribe(self, listener: Listener) -> None:
        """Nothing reports by itself."""

    def forget(self, points: Sequence[int]) -> None:
        for point in points:
            self._last.pop(point, None)

    def asked_since(self) -> list[tuple[int, ...]]:
        """Return the points of what was asked for since the last call."""
        asked, self.asked = self.asked, []
        return asked


class Scan:
    """One device of one tag a block, and so many neighbours that are only there."""

    def __init__(
        self,
        seconds: Sequence[float],
        blocks: Sequence[Block] = (),
        neighbours: int = 0,
        judged: Sequence[int] = (),
        **keys: Any,
    ) -> None:
        clock = VirtualClock()
        settings = DeviceSettings(scan=Seconds(10), probe_max=Seconds(30), **keys)
        tags = [Tag(place, "plc", f"t{place}", TagSettings(), settings.stale_after) for place in range(len(seconds))]
        self.image = ProcessImage(tags, clock)
        self.batches: list[tuple[float, Batch]] = []
        self.image.listen(lambda batch: self.batches.append((round(clock.monotonic() - 1000.0, 3), batch)))
        self.device = Device("plc", settings, None, tags, [None] * len(tags), DeviceCounters(), clock)
        others = [Device(f"n{place}", settings, None, [], [], DeviceCounters(), clock) for place in range(neighbours)]
        self.answered = 0
        self.reader = BlockReader(seconds)
        self.reader.blocks = list(blocks) or self.reader.blocks
        grouped = [[tags[point] for point in block.points] for block in self.reader.blocks]
        fresh = list(zip(self.reader.blocks, self.image.regroup("plc", grouped), strict=True))
        self.lane = Lane("test")
        self.intake = intake = Intake(self.device, self.image, clock, self.count)
        beside = Neighbours(self.device, [self.device, *others])
        self.poller = Poller(self.device, self.reader, fresh, self.lane, self.image, clock, intake, beside, judged)

    def count(self) -> None:
        self.answered += 1

    async def scans(self, times: int) -> list[list[tuple[int, ...]]]:
        """Scan so many times; return what was asked for in each."""
        asked = []
        for _ in range(times):
            await self.poller.scan()
            asked.append(self.reader.asked_since())
        return asked

    def samples(self) -> list[Sample]:
        """Return the samples of now."""
        return [self.image.sample(tag, asyncio.get_running_loop().time()) for tag in self.device.tags]

    @property
    def told(self) -> list[tuple[float, list[tuple[str, Sample]]]]:
        return [(at, [(tag.name, sample) for tag, sample in batch.changes]) for at, batch in self.batches]


def timeout() -> DeviceFault:
    """Return what a silent block raises."""
    return DeviceFault("timeout", "no answer")


def play(story: Callable[[Scan], Awaitable[None]], seconds: Sequence[float], **options: Any) -> None:
    """Tell a story of one device on virtual time."""

    async def main() -> None:
        scan = Scan(seconds, **options)
        worker = asyncio.create_task(scan.lane.run())
        await story(scan)
        scan.lane.close()
        await worker

    run_virtual(main())
