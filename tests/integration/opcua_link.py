"""What the tests of the OPC UA driver share: an open connection with one prepared reader, and a listener."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from drivers.base import Block, Change, Connection, Plan, Reader, Surroundings
from drivers.opcua import DRIVER
from drivers.opcua.settings import OpcUaDevice, OpcUaPoint
from drivers.values import Quality, Sample, Seconds

SCAN = Seconds(0.1)


class Told:
    """A listener that remembers what it was told."""

    def __init__(self) -> None:
        self.samples: dict[int, Sample] = {}
        self.history: list[Change] = []
        self.answers = 0
        self.period = 0.0
        """How long the server may keep silent."""
        self._news = asyncio.Event()

    def granted(self, block: Block, period: float) -> None:
        self.period = period

    def received(self, block: Block, changes: Sequence[Change]) -> None:
        assert {point for point, _ in changes} <= set(block.points)
        self.samples.update(changes)
        self.history += changes
        self.answers += 1
        self._news.set()

    def failed(self, block: Block, reason: str) -> None:
        raise AssertionError(reason)

    async def until(self, condition: Callable[[], bool], seconds: float = 5) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                self._news.clear()
                await self._news.wait()

    def value(self, point: int) -> object:
        return self.samples[point].value if point in self.samples else None

    def verdict(self, point: int) -> tuple[Quality, str]:
        return self.samples[point].quality, self.samples[point].reason


class Link:
    """An open connection with one prepared reader."""

    def __init__(self, connection: Connection, reader: Reader, plan: Plan) -> None:
        self.connection = connection
        self.reader = reader
        self.plan = plan
        self.told = Told()

    async def subscribe(self) -> Told:
        """Subscribe, and return once every point has a sample."""
        await self.reader.subscribe(self.told)
        points = {point for block in self.plan.subscribed for point in block.points}
        await self.told.until(lambda: points <= set(self.told.samples))
        return self.told

    async def read(self) -> dict[int, Sample]:
        return {point: sample for block in self.plan.subscribed for point, sample in await self.reader.read(block)}

    async def lost(self, within: float) -> str:
        async with asyncio.timeout(within):
            return await self.connection.lost()


@asynccontextmanager
async def connected(
    device: OpcUaDevice, *points: OpcUaPoint, around: Surroundings | None = None
) -> AsyncIterator[Link]:
    connection = DRIVER.connect(device)
    try:
        await connection.open()
        reader = connection.reader(device, points, around)
        yield Link(connection, reader, await reader.prepare())
    finally:
        await connection.close()


def node(name: str) -> OpcUaPoint:
    return OpcUaPoint(node=f"nsu=urn:boiler-house;s={name}")
