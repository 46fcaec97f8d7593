"""A gateway's northbound side on its own, and a client that watches it. `python -m` makes it a process to kill."""

import asyncio
import json
import random
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

from drivers.values import Sample, Seconds
from gateway.clock import SystemClock
from gateway.counters import MqttCounters
from gateway.northbound.link import Link
from gateway.northbound.publisher import Publisher
from gateway.northbound.reader import subscribed
from gateway.northbound.settings import MqttSettings
from gateway.tags.image import Batch
from gateway.tags.tag import Tag, TagSettings


async def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Return once it is true; fail after ten times the time that is to be expected."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110  (what is waited for is no event)
            await asyncio.sleep(0.01)


class Gateway:
    """One device `boiler` with tags t0, t1, ...; as `async with` it stops cleanly."""

    def __init__(self, settings: MqttSettings, tags: int = 3, deadband: float = 0.0) -> None:
        metadata = TagSettings(unit="degC", deadband=deadband)
        self.tags = [Tag(index, "boiler", f"t{index}", metadata, Seconds(2)) for index in range(tags)]
        self.counters = MqttCounters()
        clock = SystemClock()
        self.link = Link(settings, "gw", clock, random.Random(1), self.counters)
        self.publisher = Publisher(settings, "gw", self.tags, self.link, clock, self.counters)
        self.running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self.publisher.status("online")
        self.running = asyncio.create_task(self.publisher.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.running is not None
        if not self.running.done():
            await self.publisher.stop()
        async with asyncio.timeout(10):
            await self.running

    def take(self, *values: float) -> None:
        """New good samples of t0, t1, ..."""
        self.take_samples([Sample(value) for value in values])

    def take_samples(self, samples: Sequence[Sample]) -> None:
        self.publisher.batch(Batch("boiler", time.time(), list(zip(self.tags, samples, strict=False))))

    async def connected(self) -> None:
        """Wait until a connection stands and everything that was taken is acknowledged."""
        await asyncio.sleep(0)  # batches are digested in the loop's next turn
        await until(lambda: self.counters.connected and not self.counters.pending)


class Watcher:
    """What a client saw: every message in order, and the newest of each topic."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any]] = []
        self.newest: dict[str, Any] = {}

    def of(self, topic: str) -> list[Any]:
        return [payload for seen, payload in self.seen if seen == topic]

    def value(self, tag: str) -> Any:
        return self.newest.get(f"agent/gw/tag/boiler/{tag}", {}).get("value")

    def state(self) -> Any:
        return self.newest.get("agent/gw/status", {}).get("state")


@asynccontextmanager
async def watching(settings: MqttSettings, *patterns: str) -> AsyncIterator[Watcher]:
    watcher = Watcher()

    async def watch(messages: Any) -> None:
        async for topic, payload in messages:
            watcher.seen.append((topic, json.loads(payload)))
            watcher.newest[topic] = watcher.seen[-1][1]

    async with subscribed(settings, patterns or ["agent/#"]) as messages:
        task = asyncio.create_task(watch(messages))
        try:
            yield watcher
        finally:
            task.cancel()
            await asyncio.wait((task,))


async def _run(url: str) -> None:
    async with Gateway(MqttSettings(url=url)) as gateway:
        gateway.take(1.0, 2.0, 3.0)
        await gateway.connected()
        sys.stdout.write("connected\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1]))
