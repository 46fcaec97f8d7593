"""Scans one device at a fixed rate: every polled block once, then one batch for the process image."""

import asyncio
from collections.abc import Callable, Sequence

from drivers.base import Block, Change, Reader
from drivers.errors import DeviceFault, LinkLost
from gateway.clock import Clock
from gateway.endpoints.device import Device
from gateway.endpoints.lane import Lane, Priority
from gateway.endpoints.schedule import next_due
from gateway.tags.image import Answer, Freshness, ProcessImage


class Poller:
    """The scan of one device on one connection."""

    def __init__(
        self,
        device: Device,
        reader: Reader,
        blocks: Sequence[tuple[Block, Freshness]],
        lane: Lane,
        image: ProcessImage,
        clock: Clock,
        answered: Callable[[], None],
    ) -> None:
        """Answered: called whenever the device gave a good answer."""
        self._device = device
        self._reader = reader
        self._blocks = blocks
        self._lane = lane
        self._image = image
        self._clock = clock
        self._answered = answered

    async def run(self) -> None:
        """Scan for ever; return only by LinkLost. A scan that is late is passed over, and counted."""
        counters, period = self._device.counters, self._device.settings.scan
        due = self._clock.monotonic()
        while True:
            started = self._clock.monotonic()
            await self.scan()
            ended = self._clock.monotonic()
            counters.scans.observe(ended - started)
            due, missed = next_due(due, period, ended)
            counters.overruns += missed
            await asyncio.sleep(due - ended)

    async def scan(self) -> None:
        """Ask for each block once; what fails costs the tags of its own block and no others."""
        answers: list[Answer] = []
        fault: DeviceFault | None = None
        for block, freshness in self._blocks:
            try:
                sent, changes = await self._ask(block)
            except LinkLost:
                raise
            except DeviceFault as error:
                fault = error
                self._device.counters.errors[error.kind] += 1
                self._image.fail(self._device.name, error.kind, [freshness])
            else:
                tags = self._device.tags
                answers.append(Answer(freshness, sent, [(tags[index], sample) for index, sample in changes]))
        if answers:
            self._device.counters.updates += sum(len(answer.news) for answer in answers)
            self._image.receive(self._device.name, answers)
            self._device.up()
            self._answered()
        elif fault is not None:
            self._device.down(fault.kind, str(fault))

    async def _ask(self, block: Block) -> tuple[float, Sequence[Change]]:
        async def call() -> tuple[float, Sequence[Change]]:
            sent = self._clock.monotonic()
            return sent, await self._reader.read(block)

        return await self._lane.request(Priority.READ, self._device.name, call)
