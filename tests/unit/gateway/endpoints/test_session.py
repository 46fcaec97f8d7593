"""Sessions on virtual time, with devices in memory: what the plant does, and what the image says."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from random import Random
from typing import Any

from drivers.errors import DeviceFault
from drivers.memory import DRIVER, MemoryConnection, MemoryDevice, MemoryPlant, MemoryPoint, plant
from drivers.values import Sample, Seconds, bad
from gateway.counters import DeviceCounters
from gateway.endpoints.device import Device
from gateway.endpoints.session import Session
from gateway.endpoints.settings import DeviceSettings
from gateway.tags.image import Batch, ProcessImage
from gateway.tags.tag import Tag, TagSettings
from tests.virtual_time import VirtualClock, run_virtual

_urls = count()


class Gateway:
    """One endpoint with one device, tags `level` (polled) and `speed` (reported)."""

    def __init__(
        self, scan: float = 1.0, connect: Callable[[Any], Any] = DRIVER.connect, *, has_tags: bool = True
    ) -> None:
        clock = VirtualClock()
        url = f"memory://session-{next(_urls)}"
        self.plant: MemoryPlant = plant(url)
        settings = DeviceSettings(scan=Seconds(scan))
        points = [MemoryPoint("level", start=1.0), MemoryPoint("speed", start=3000, push=True)]
        self.tags = [
            Tag(0, "tank", "level", TagSettings(), settings.stale_after),
            Tag(1, "tank", "speed", TagSettings(), settings.stale_after),
        ]
        self.image = ProcessImage(self.tags, clock)
        self.batches: list[Batch] = []
        self.image.listen(self.batches.append)
        self.counters = DeviceCounters()
        device = MemoryDevice(url)
        tags, points = (self.tags, points) if has_tags else ([], [])
        self.device = Device("tank", settings, device, tags, points, self.counters, clock)
        self.session = Session(url, [self.device], lambda: connect(device), self.image, clock, Random(1))

    def sample(self, index: int) -> Sample:
        return self.image.sample(self.tags[index], asyncio.get_running_loop().time())


@asynccontextmanager
async def running(gateway: Gateway) -> Any:
    task = asyncio.create_task(gateway.session.run())
    try:
        yield gateway
    finally:
        gateway.session.stop()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test(story: Callable[[Gateway], Awaitable[None]], **options: Any) -> None:
    async def main() -> None:
        async with running(Gateway(**options)) as gateway:
            await story(gateway)

    run_virtual(main())


test.__test__ = False  # type: ignore[attr-defined]


def test_polled_and_reported_tags_are_good_after_the_connect() -> None:
    async def story(gateway: Gateway) -> None:
        await asyncio.sleep(0.1)
        assert gateway.sample(0) == Sample(1.0)
        assert gateway.sample(1) == Sample(3000)
        assert gateway.device.state.connected

    test(story)


def test_scans_keep_their_grid_whatever_an_answer_takes() -> None:
    async def story(gateway: Gateway) -> None:
        gateway.plant.latency = 0.3
        await asyncio.sleep(0.3 + 100 * 1.0 + 0.5)
        assert gateway.plant.requests == 101
        assert gateway.counters.overruns == 0

    test(story)


def test_a_device_slower_than_its_scan_period_is_counted_and_does_not_pile_up() -> None:
    async def story(gateway: Gateway) -> None:
        gateway.plant.latency = 2.5
        await asyncio.sleep(2.5 + 30.0)
        assert gateway.plant.requests <= 11
        assert gateway.counters.overruns >= 18

    test(story)


def test_a_cut_wire_makes_every_tag_bad_at_once_and_is_mended_within_the_back_off() -> None:
    async def story(gateway: Gateway) -> None:
        await asyncio.sleep(0.1)
        gateway.plant.cut()
        await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        assert {gateway.sample(0), gateway.sample(1)} == {bad("disconnected")}
        await asyncio.sleep(60)
        assert gateway.device.state.reason == "refused"
        gateway.plant.reachable = True
        await asyncio.sleep(gateway.device.settings.reconnect_max + 0.1)
        gateway.plant.beat()
        assert gateway.sample(0) == Sample(1.0)
        assert gateway.sample(1) == Sample(3000)
        assert gateway.counters.reconnects == 1

    test(story)


def test_an_absent_device_is_tried_for_ever_and_never_more_often_than_the_cap_allows() -> None:
    async def story(gateway: Gateway) -> None:
        gateway.plant.reachable = False
        await asyncio.sleep(3600)
        attempts = gateway.counters.errors["refused"]
        assert 3600 / 5.0 <= attempts <= 3600 / 2.5 + 10

    test(story)


def test_a_read_that_fails_costs_its_own_tags_and_not_the_connection() -> None:
    async def story(gateway: Gateway) -> None:
        await asyncio.sleep(0.1)
        gateway.plant.fault = DeviceFault("exception_2", "no such register")
        await asyncio.sleep(1.0)
        assert gateway.sample(0) == bad("exception_2")
        assert gateway.sample(1) == Sample(3000)
        gateway.plant.fault = None
        await asyncio.sleep(1.0)
        assert gateway.sample(0) == Sample(1.0)
        assert gateway.counters.reconnects == 0

    test(story)


def test_a_reported_tag_turns_stale_without_a_sign_of_life_and_recovers_with_one() -> None:
    async def story(gateway: Gateway) -> None:
        await asyncio.sleep(3.2)
        assert gateway.sample(1) == bad("stale")
        gateway.image.expire()
        gateway.plant.beat()
        assert gateway.sample(1) == Sample(3000)
        assert gateway.batches[-1].changes == [(gateway.tags[1], Sample(3000))]

    test(story)


def test_a_session_that_crashes_reports_it_and_starts_again() -> None:
    crashes: list[MemoryDevice] = []

    def connect(device: MemoryDevice) -> Any:
        if not crashes:
            crashes.append(device)
            raise ZeroDivisionError("a bug")
        return DRIVER.connect(device)

    async def story(gateway: Gateway) -> None:
        await asyncio.sleep(0.1)
        assert gateway.device.state.reason == "crash"
        await asyncio.sleep(1)
        assert gateway.sample(0) == Sample(1.0)

    test(story, connect=connect)


def test_the_samples_of_a_scan_arrive_as_one_batch() -> None:
    async def story(gateway: Gateway) -> None:
        await asyncio.sleep(0.1)
        gateway.batches.clear()
        gateway.plant.set("level", 2.0)
        await asyncio.sleep(1.0)
        assert [batch.changes for batch in gateway.batches] == [[(gateway.tags[0], Sample(2.0))]]

    test(story)


def test_a_device_without_tags_is_connected_while_its_endpoint_is() -> None:
    async def story(gateway: Gateway) -> None:
        await asyncio.sleep(0.1)
        assert gateway.device.state.connected
        gateway.plant.cut()
        await asyncio.sleep(0.1)
        assert not gateway.device.state.connected

    test(story, has_tags=False)


def test_a_driver_that_lets_out_a_cancellation_does_not_end_the_session() -> None:
    class Cancelling(MemoryConnection):
        attempts = 0

        async def open(self) -> None:
            Cancelling.attempts += 1
            if Cancelling.attempts == 1:
                raise asyncio.CancelledError
            await super().open()

    async def story(gateway: Gateway) -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert gateway.device.state.reason == "crash"
        await asyncio.sleep(gateway.device.settings.reconnect_max)
        assert gateway.device.state.connected

    test(story, connect=Cancelling)


def test_a_source_that_said_it_would_be_slow_is_not_taken_for_a_silent_one() -> None:
    async def story(gateway: Gateway) -> None:
        await asyncio.sleep(0.1)
        gateway.plant.grant(10.0)
        gateway.plant.beat()
        await asyncio.sleep(29.9)
        assert gateway.sample(1) == Sample(3000)
        await asyncio.sleep(0.2)
        assert gateway.sample(1) == bad("stale")

    test(story)
