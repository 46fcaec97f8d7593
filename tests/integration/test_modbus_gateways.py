"""Units that live behind a Modbus gateway stay good, whatever the gateway does about those that do not."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from operator import ge
from random import Random

import pytest

from drivers.base import Surroundings
from drivers.modbus import DRIVER
from drivers.modbus.point import ModbusPoint
from drivers.modbus.settings import ModbusDevice
from drivers.values import Quality, Seconds
from gateway.clock import SystemClock
from gateway.counters import DeviceCounters
from gateway.endpoints.demotion import patience
from gateway.endpoints.device import Device
from gateway.endpoints.schedule import phase_of
from gateway.endpoints.session import Session
from gateway.endpoints.settings import DeviceSettings
from gateway.tags.image import Batch, ProcessImage
from gateway.tags.tag import Tag, TagSettings
from tests.integration.queueing_gateway import queueing_gateway

pytestmark = pytest.mark.real

WAITS = 0.8
"""Seconds that the gateway waits for a dead unit: longer than the neighbours bear with a request."""
TURN = 0.02


class Bus:
    """So many units behind one address, numbered from 1."""

    def __init__(self, url: str, units: int, scan: float) -> None:
        clock = SystemClock()
        # A busy machine must not make anything look stale, and nobody wants to wait for the probes.
        keys = DeviceSettings(scan=Seconds(scan), max_age=Seconds(60), demote_after=2, probe_max=Seconds(1))
        self.tags = [Tag(place, f"u{place + 1}", "level", TagSettings(), keys.stale_after) for place in range(units)]
        image = ProcessImage(self.tags, clock)
        image.listen(self._take)
        self.devices = [
            Device(
                tag.device,
                keys,
                ModbusDevice(url, unit=place + 1),
                [tag],
                [ModbusPoint("holding:0")],
                DeviceCounters(),
                clock,
                phase_of(place, units, scan),
            )
            for place, tag in enumerate(self.tags)
        ]
        for device in self.devices:
            device.listen(lambda state, change: self.told.append((state.device, change)) if change else None)
        self.told: list[tuple[str, str]] = []
        self.bad: list[str] = []
        """Devices of which a bad sample was told, as often as it was."""
        around = Surroundings(patience=patience([scan] * units))
        self.session = Session(
            url,
            self.devices,
            lambda: DRIVER.connect(self.devices[0].driver_settings),
            image,
            clock,
            Random(1),
            {device.name: around for device in self.devices},
        )

    def _take(self, batch: Batch) -> None:
        self.bad += [batch.device for _, sample in batch.changes if sample.quality is Quality.BAD]

    def up(self, units: Sequence[int]) -> bool:
        """Tell whether all of these are connected."""
        return all(self.devices[unit - 1].state.connected for unit in units)


async def until(true: Callable[[], bool], within: float) -> None:
    """Wait for it."""
    async with asyncio.timeout(within):
        while not true():  # noqa: ASYNC110  (what is waited for is no event)
            await asyncio.sleep(0.02)


@asynccontextmanager
async def read_through(url: str, units: int, scan: float) -> AsyncIterator[Bus]:
    bus = Bus(url, units, scan)
    task = asyncio.create_task(bus.session.run())
    try:
        yield bus
    finally:
        bus.session.stop()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("says_so", [True, False])
async def test_a_unit_that_dies_behind_a_gateway_that_queues_takes_no_living_one_with_it(*, says_so: bool) -> None:
    async with (
        queueing_gateway(TURN, WAITS, says_so=says_so) as gateway,
        read_through(gateway.url, units=3, scan=0.6) as bus,
    ):
        await until(lambda: bus.up([1, 2, 3]), 30)
        bus.bad.clear()
        bus.told.clear()
        gateway.dead = [2]
        await until(lambda: ("u2", "device_demoted") in bus.told, 60)
        probed = bus.devices[1].counters.probes
        await until(lambda: bus.devices[1].counters.probes >= probed + 2, 60)
        assert {device for device, _ in bus.told} == {"u2"}
        assert set(bus.bad) == {"u2"}
        gateway.dead = []
        await until(lambda: bus.up([1, 2, 3]), 60)


async def test_units_that_are_dead_from_the_start_keep_no_living_one_from_being_found() -> None:
    async with queueing_gateway(TURN, WAITS) as gateway:
        gateway.dead = [1, 2]
        async with read_through(gateway.url, units=4, scan=0.6) as bus:
            await until(lambda: bus.up([3, 4]), 30)
            bus.bad.clear()
            probed = bus.devices[0].counters.probes
            await until(lambda: bus.devices[0].counters.probes >= probed + 2, 60)
            assert bus.up([3, 4])
            assert not {"u3", "u4"} & set(bus.bad)


async def test_units_that_need_longer_than_their_neighbours_would_like_are_read_and_not_demoted() -> None:
    async with (
        queueing_gateway(0.3, WAITS) as gateway,
        read_through(gateway.url, units=2, scan=0.6) as bus,
    ):
        await until(lambda: bus.up([1, 2]), 30)
        bus.bad.clear()
        scanned = [sum(device.counters.scans.counts) + 4 for device in bus.devices]
        await until(lambda: all(map(ge, (sum(device.counters.scans.counts) for device in bus.devices), scanned)), 60)
        assert not bus.bad
        assert ("u1", "device_demoted") not in bus.told
        assert ("u2", "device_demoted") not in bus.told
