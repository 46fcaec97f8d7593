"""What a change of an OPC UA node costs on its way into the process image, beside a bare asyncua subscription.

`python -m benchmarks.endpoints.opcua_changes` lets one server, in a process of its own, report the same changes to
asyncua's own subscription (as async iterator) and to the driver with the process image behind it, in turns; then
10,000 items once a second to the driver alone, every change counted.
"""

import asyncio
import gc
import os
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncua
from asyncua.client.client import Client

from drivers.base import Block, Care, Change, Surroundings
from drivers.opcua import DRIVER
from drivers.opcua.settings import OpcUaDevice, OpcUaPoint
from drivers.values import Seconds
from gateway.clock import SystemClock
from gateway.tags.image import Answer, Batch, Freshness, ProcessImage
from gateway.tags.tag import Tag, TagSettings
from tests.integration.opcua_server import URI, OpcUaServer, ServerSpec, opcua_server

NODES = 1000
"""Of the server, to which adding more takes it minutes: of 10,000 items ten watch the same one."""
ua: Any = asyncua.ua  # its types refuse the plain values that it documents

ITEMS, BURSTS, PERIOD = 1000, 20, 0.2
ROUNDS = 3
MANY, MANY_BURSTS, MANY_PERIOD = 10_000, 20, 1.0
LONGEST_RATIO = 1.5
LONGEST_CALL_MS = 5.0


class Bare:
    """A subscription of asyncua's, read as its documentation says."""

    def __init__(self) -> None:
        self.seen = 0

    @asynccontextmanager
    async def running(self, url: str, count: int, period: float) -> AsyncIterator[None]:
        """Subscribe to so many nodes, and count what comes."""
        async with Client(url) as client:
            index = await client.get_namespace_index(URI)
            subscription = await client.create_subscription(period * 1000, queue_maxsize=10 * count)
            async with subscription:
                nodes = [client.get_node(ua.NodeId(f"N{number % NODES}", index)) for number in range(count)]
                await subscription.subscribe_data_change(nodes)
                task = asyncio.create_task(self._count(subscription))
                yield
                task.cancel()
                await asyncio.wait([task])

    async def _count(self, subscription: object) -> None:
        async for _ in subscription:  # type: ignore[attr-defined]  # an async iterator of any kind
            self.seen += 1


class Ours:
    """The driver, and the process image behind it."""

    def __init__(self) -> None:
        self.seen = 0
        self.newest: dict[int, object] = {}
        self.events: list[str] = []

    @asynccontextmanager
    async def running(self, url: str, count: int, period: float) -> AsyncIterator[None]:
        """Subscribe to so many nodes, and count what the image tells."""
        device = OpcUaDevice(url, scan=Seconds(period))
        points = [OpcUaPoint(f"nsu={URI};s=N{number % NODES}") for number in range(count)]
        tags = [Tag(number, "plc", f"N{number}", TagSettings(), Seconds(60.0)) for number in range(count)]
        self._clock, self._tags = SystemClock(), tags
        self._image = ProcessImage(tags, self._clock)
        self._image.listen(self._take)
        connection = DRIVER.connect(device)
        try:
            await connection.open()
            reader = connection.reader(device, points, Surroundings([Care()] * count, count=self.events.append))
            plan = await reader.prepare()
            blocks = [[tags[place] for place in block.points] for block in plan.subscribed]
            self._blocks = dict(zip(plan.subscribed, self._image.regroup("plc", blocks), strict=True))
            await reader.subscribe(self)
            yield
        finally:
            await connection.close()

    def granted(self, block: Block, period: float) -> None:
        """Take the period that the server grants."""

    def received(self, block: Block, changes: Sequence[Change]) -> None:
        """Hand on what came, as the gateway's own listener does."""
        news = [(self._tags[place], sample) for place, sample in changes]
        freshness: Freshness = self._blocks[block]
        self._image.receive("plc", [Answer(freshness, self._clock.monotonic(), news)])

    def failed(self, block: Block, reason: str) -> None:
        """Stop: nothing fails here."""
        raise AssertionError(f"{block.label}: {reason}")

    def _take(self, batch: Batch) -> None:
        self.seen += len(batch.changes)
        self.newest.update((tag.index, sample.value) for tag, sample in batch.changes)


class Calls:
    """How much CPU each callback of the loop took, in ms: other processes hold up the clock, and not this."""

    def __init__(self) -> None:
        self.took_ms: list[float] = []

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Measure every callback in here."""
        run, took = asyncio.Handle._run, self.took_ms  # noqa: SLF001  (where the loop calls everything)

        def measured(handle: asyncio.Handle) -> None:
            began = time.thread_time()
            run(handle)
            took.append((time.thread_time() - began) * 1000)

        asyncio.Handle._run = measured  # type: ignore[method-assign, assignment]  # noqa: SLF001
        try:
            yield
        finally:
            asyncio.Handle._run = run  # type: ignore[method-assign]  # noqa: SLF001


async def drive(
    server: OpcUaServer, seen: Callable[[], int], count: int, bursts: int, period: float
) -> tuple[int, float]:
    """Have the server report bursts of changes; return how many were due and the CPU seconds until all were seen."""
    await settled(seen, count)
    due, before = seen(), time.process_time()
    first = due
    for burst in range(bursts):
        began = time.monotonic()
        due += await asyncio.to_thread(server.do, "report_many", count=NODES, value=float(burst))
        await asyncio.sleep(max(0.0, began + period - time.monotonic()))
    deadline = time.monotonic() + 10
    while seen() < due and time.monotonic() < deadline:  # noqa: ASYNC110  (looking costs less than being told)
        await asyncio.sleep(0.05)
    return due - first, time.process_time() - before


async def settled(seen: Callable[[], int], count: int) -> None:
    """Wait until every node was heard of once, and nothing more comes."""
    async with asyncio.timeout(60):
        while seen() < count:  # noqa: ASYNC110  (likewise)
            await asyncio.sleep(0.05)
    await asyncio.sleep(1)
    gc.collect()
    gc.freeze()


async def compare(server: OpcUaServer) -> None:
    """Measure both in turns."""
    costs: dict[str, list[float]] = {"asyncua": [], "plantgate": []}
    for _ in range(ROUNDS):
        for name, make in (("asyncua", Bare), ("plantgate", Ours)):
            subscriber = make()
            async with subscriber.running(server.url, ITEMS, PERIOD):
                found = await drive(server, lambda: subscriber.seen, ITEMS, BURSTS, PERIOD)  # noqa: B023  (awaited here)
            costs[name].append(found[1] / found[0] * 1e6)
    bare, ours = (statistics.median(costs[name]) for name in ("asyncua", "plantgate"))
    print(
        f"{ITEMS} items every {PERIOD:g} s, us of CPU a change, median of {ROUNDS}: asyncua {bare:.1f}, ours {ours:.1f}"
    )
    print(f"ratio {ours / bare:.2f} (wanted: at most {LONGEST_RATIO:g})", flush=True)


async def count_all(server: OpcUaServer) -> None:
    """Have many items change once a second, and count."""
    ours, calls = Ours(), Calls()
    async with ours.running(server.url, MANY, MANY_PERIOD):
        await settled(lambda: ours.seen, MANY)
        before = ours.seen
        with calls.watched():
            due, cpu = await drive(server, lambda: ours.seen, MANY, MANY_BURSTS, MANY_PERIOD)
    took = sorted(calls.took_ms)
    right = sum(value == MANY_BURSTS - 1 for value in ours.newest.values())
    print(
        f"{MANY} items every {MANY_PERIOD:g} s: {ours.seen - before} of {due} changes seen, {right} newest values right"
    )
    print(f"CPU {cpu / due * 1e6:.1f} us a change; the longest callback took {took[-1]:.1f} ms of it, ", end="")
    print(f"{sum(each > LONGEST_CALL_MS for each in took)} of {len(took)} over {LONGEST_CALL_MS:g} ms")
    print(f"events besides: {sorted(set(ours.events)) or 'none'}")


async def main() -> None:
    """Run both, and print."""
    with opcua_server(ServerSpec()) as server:
        await asyncio.to_thread(server.do, "add_many", count=NODES)
        print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        await compare(server)
        await count_all(server)
        print(f"load of the machine: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    asyncio.run(main())
