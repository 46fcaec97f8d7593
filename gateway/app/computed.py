"""The computed devices: their tags are evaluated as their inputs come in, and their windows move on with time."""

import asyncio
from collections.abc import Sequence

from drivers.values import Seconds
from gateway.clock import Clock
from gateway.endpoints.device import Device
from gateway.endpoints.schedule import next_due
from gateway.settings.computed import COMPUTED
from gateway.settings.model import Settings
from gateway.tags.computed.computer import Computer
from gateway.tags.computed.rules import type_of
from gateway.tags.image import ProcessImage


class ComputedDevices:
    """All devices whose tags are computed; each is connected from its first evaluation on."""

    def __init__(self, devices: Sequence[Device], image: ProcessImage, clock: Clock) -> None:
        """Build the computation. Whoever is to see computed tags in time listens to the image after this."""
        self._devices = {device.name: device for device in devices}
        self._clock = clock
        for device in devices:
            device.data_types = tuple(type_of(point) for point in device.points)
        points = [pair for device in devices for pair in zip(device.tags, device.points, strict=True)]
        self._computer = Computer(points, image, clock, self._count)

    async def run(self) -> None:
        """Move the windows on, for ever."""
        async with asyncio.TaskGroup() as tasks:
            for device in self._devices.values():
                tasks.create_task(self._move_on(device, device.settings.scan), name=f"computed {device.name}")
            await asyncio.Event().wait()  # also where there is nothing to compute

    async def _move_on(self, device: Device, scan: Seconds) -> None:
        due = self._clock.monotonic()
        while True:
            self._computer.tick(device.name)
            device.up()
            due, missed = next_due(due, scan, self._clock.monotonic())
            device.counters.overruns += missed
            await asyncio.sleep(due - self._clock.monotonic())

    def _count(self, device: str, samples: int) -> None:
        self._devices[device].counters.updates += samples


def is_computed(settings: Settings, device: str) -> bool:
    """Return whether a device's tags are computed, and so no session reads it."""
    return settings.devices[device].driver == COMPUTED
