"""Units behind one endpoint, in memory and on virtual time: who was asked when, and what the image says of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count, pairwise
from random import Random
from typing import Any

from drivers.base import Surroundings
from drivers.memory import DRIVER, MemoryDevice, MemoryPlant, MemoryPoint, plant
from drivers.values import Sample, Seconds
from gateway.counters import DeviceCounters
from gateway.endpoints.demotion import patience
from gateway.endpoints.device import Device, DeviceState
from gateway.endpoints.schedule import phase_of
from gateway.endpoints.session import Session
from gateway.endpoints.settings import DeviceSettings
from gateway.tags.image import ProcessImage
from gateway.tags.tag import Tag, TagSettings
from tests.virtual_time import VirtualClock, run_virtual

_urls = count()


class Units:
    """So many units, numbered from 1; each has the tag `level`, its own cell."""

    def __init__(
        self,
        units: int,
        scan: float = 1.0,
        latency: float = 0.005,
        connect: Callable[[Any], Any] = DRIVER.connect,
        **settings: Any,
    ) -> None:
        self.clock = clock = VirtualClock()
        self.scan = scan
        url = f"memory://units-{next(_urls)}"
        self.plant: MemoryPlant = plant(url)
        self.plant.latency = latency
        self.plant.asked = lambda unit, what: self.asked.append((clock.monotonic(), unit, what))
        self.asked: list[tuple[float, int, str]] = []
        keys = DeviceSettings(scan=Seconds(scan), **{"probe_max": Seconds(30), **settings})
        self.tags = [Tag(place, f"u{place + 1}", "level", TagSettings(), keys.stale_after) for place in range(units)]
        self.image = ProcessImage(self.tags, clock)
        self.counters = [DeviceCounters() for _ in range(units)]
        self.devices = [self._device(place, keys, url, phase_of(place, units, scan)) for place in range(units)]
        self.told: list[tuple[str, str]] = []
        """Devices, and what happened to them."""
        for device in self.devices:
            device.listen(self._note)
        self.session = Session(
            url,
            self.devices,
            lambda: connect(self.devices[0].driver_settings),
            self.image,
            clock,
            Random(1),
            self._around(),
        )

    def _device(self, place: int, keys: DeviceSettings, url: str, phase: float) -> Device:
        point = MemoryPoint(f"level-{place + 1}", start=float(place + 1))
        far = MemoryDevice(url, unit=place + 1)
        tags, counters = [self.tags[place]], self.counters[place]
        return Device(f"u{place + 1}", keys, far, tags, [point], counters, self.clock, phase)

    def _around(self) -> Mapping[str, Surroundings]:
        given = patience([self.scan] * len(self.devices))
        return {device.name: Surroundings(learned=device.learned, patience=given) for device in self.devices}

    def _note(self, state: DeviceState, change: str) -> None:
        if change:
            self.told.append((state.device, change))

    def silence(self, *units: int) -> None:
        """Let exactly these units be silent."""
        self.plant.silent = set(units)

    def device(self, unit: int) -> Device:
        """Return a unit's device."""
        return self.devices[unit - 1]

    def sample(self, unit: int) -> Sample:
        """Return a unit's sample of now."""
        return self.image.sample(self.tags[unit - 1], self.clock.monotonic())

    def scans(self, unit: int, since: float = 0.0) -> list[float]:
        """Return when a unit was scanned, monotonic."""
        return [at for at, asked, what in self.asked if asked == unit and what == "read" and at >= since]

    def probes(self, unit: int, since: float = 0.0) -> list[float]:
        """Return when a unit was probed, monotonic."""
        return [at for at, asked, what in self.asked if asked == unit and what == "probe" and at >= since]

    def longest_gap(self, units: Sequence[int], since: float) -> float:
        """Return the longest time without a scan of any of these units, in scans, until now."""
        now = self.clock.monotonic()
        times = [[since, *self.scans(unit, since), now] for unit in units]
        return max(later - earlier for each in times for earlier, later in pairwise(each)) / self.scan


@asynccontextmanager
async def running(units: Units) -> AsyncIterator[None]:
    """Run the session of the units."""
    task = asyncio.create_task(units.session.run())
    try:
        yield
    finally:
        units.session.stop()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def play(story: Callable[[Units], Awaitable[None]], units: int, dead: Sequence[int] = (), **options: Any) -> None:
    """Tell a story of so many units on virtual time, some of them dead from the start."""

    async def main() -> None:
        field = Units(units, **options)
        field.silence(*dead)
        async with running(field):
            await story(field)

    run_virtual(main())
