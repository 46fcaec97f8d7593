"""Scans one device at a fixed rate: every polled block once, then one batch for the process image."""

import asyncio
from collections.abc import Callable, Sequence

from drivers.base import Block, Reader
from drivers.errors import DeviceFault, LinkLost
from gateway.clock import Clock
from gateway.endpoints.device import Device
from gateway.endpoints.lane import Lane, Priority
from gateway.endpoints.schedule import next_due
from gateway.tags.image import Answer, Freshness, ProcessImage

HOLD = 0.1
"""Seconds that an answer waits for the others of its scan: what is judged must not wait for a neighbour's timeout."""


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
        """Ask for each block once; what fails costs the tags of its own block and no others.

        The answers are handed over together, but in a slow scan none waits for longer than HOLD.
        """
        held = _Held(self._hand_over)
        fault: DeviceFault | None = None
        try:
            for block, freshness in self._blocks:
                try:
                    held.add(await self._ask(block, freshness))
                except LinkLost:
                    raise
                except DeviceFault as error:
                    fault = error
                    self._device.counters.errors[error.kind] += 1
                    self._image.fail(self._device.name, error.kind, [freshness])
            held.release()
        finally:
            held.drop()
        if fault is not None and not held.total:
            self._device.down(fault.kind, str(fault))

    def _hand_over(self, answers: Sequence[Answer]) -> None:
        self._device.counters.updates += sum(len(answer.news) for answer in answers)
        self._image.receive(self._device.name, answers)
        self._device.up()
        self._answered()

    async def _ask(self, block: Block, freshness: Freshness) -> Answer:
        async def call() -> Answer:
            sent = self._clock.monotonic()
            changes = await self._reader.read(block)
            tags = self._device.tags
            return Answer(freshness, sent, [(tags[index], sample) for index, sample in changes])

        return await self._lane.request(Priority.READ, self._device.name, call)


class _Held:
    """The answers of one scan that were not handed over yet."""

    def __init__(self, hand_over: Callable[[Sequence[Answer]], None]) -> None:
        self.total = 0
        """Answers since the scan began."""
        self._hand_over = hand_over
        self._answers: list[Answer] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, answer: Answer) -> None:
        """Hold an answer, for HOLD at most."""
        self.total += 1
        if not self._answers:
            self._timer = asyncio.get_running_loop().call_later(HOLD, self.release)
        self._answers.append(answer)

    def release(self) -> None:
        """Hand over what is held."""
        answers, self._answers = self._answers, []
        if answers:
            self._hand_over(answers)

    def drop(self) -> None:
        """Forget what is held: the scan has ended, or its connection has."""
        self._answers.clear()
        if self._timer is not None:
            self._timer.cancel()
