"""Scans one device at a fixed rate: every polled block once, then one batch for the process image."""

import asyncio
from collections import deque
from collections.abc import Collection, Sequence

from drivers.base import Block, Reader, Split
from drivers.errors import DeviceFault, LinkLost
from gateway.clock import Clock
from gateway.endpoints.demotion import SILENT
from gateway.endpoints.device import Device
from gateway.endpoints.fair_queue import Priority
from gateway.endpoints.held import Held
from gateway.endpoints.intake import Intake
from gateway.endpoints.lane import Lane
from gateway.endpoints.neighbours import Neighbours
from gateway.endpoints.polled import BUSY, LONGEST_REST, Polled
from gateway.endpoints.prober import Doubted, Prober
from gateway.endpoints.schedule import begin_grid, next_due
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
        intake: Intake,
        neighbours: Neighbours,
        judged: Collection[int] = (),
    ) -> None:
        """Judged: the points on which a decision rests; what a trip sets off must not wait for the rest of a scan."""
        self._judged = frozenset(judged)
        self._device = device
        self._reader = reader
        self._polled = [Polled(block, freshness) for block, freshness in blocks]
        self._lane = lane
        self._image = image
        self._clock = clock
        self._intake = intake
        self._neighbours = neighbours
        self._prober = Prober(device, reader, lane, clock, neighbours.probe, self._missed) if neighbours else None
        self._splits_left = 2 * len(device.points)

    async def run(self) -> None:
        """Scan for ever; return only by LinkLost. A scan that is late is passed over, and counted."""
        device, clock, prober = self._device, self._clock, self._prober
        counters, period = device.counters, device.settings.scan
        due = begin_grid(clock.monotonic(), period, device.phase)
        while True:
            if prober is not None and not prober.is_admitted:
                await prober.admit()
                due = begin_grid(clock.monotonic(), period, device.phase)
            started = clock.monotonic()
            await self.scan()
            ended = clock.monotonic()
            counters.scans.observe(ended - started)
            due, missed = next_due(due, period, ended)
            counters.overruns += missed
            await asyncio.sleep(due - ended)

    async def scan(self) -> None:
        """Ask for each block once; what fails costs the tags of its own block and no others.

        The answers are handed over together, but in a slow scan none waits for long. A unit with neighbours
        that falls silent is asked no further.
        """
        held = Held(self._intake.take)
        todo = deque([each for each in self._polled if each.take_turn()])
        fault: DeviceFault | None = None
        try:
            while todo:
                polled = todo.popleft()
                try:
                    answer = await self._ask(polled)
                    held.add(answer, is_judged=not self._judged.isdisjoint(polled.block.points))
                    polled.answered()
                except LinkLost:
                    raise
                except Doubted as doubt:
                    self._device.counters.errors[doubt.kind] += 1
                    break
                except DeviceFault as error:
                    fault = error
                    parts = self._take_fault(polled, error, held.total)
                    todo.extendleft(reversed(parts))
                    if self._prober is not None and error.kind in SILENT:
                        break
            held.release()
        finally:
            held.drop()
        self._device.show_learned()
        if fault is not None:
            self._conclude(fault, held.total)

    async def _ask(self, polled: Polled) -> Answer:
        async def call() -> Answer:
            if self._prober is not None and self._prober.is_alarmed:
                await self._prober.check()
            sent = self._clock.monotonic()
            changes = await self._reader.read(polled.block)
            self._device.spoke(sent)
            tags = self._device.tags
            return Answer(polled.freshness, sent, [(tags[index], sample) for index, sample in changes])

        return await self._lane.request(Priority.READ, self._device.name, call)

    def _take_fault(self, polled: Polled, fault: DeviceFault, answers: int) -> list[Polled]:
        """Note what a block's failure means; return the blocks that take its place, to be asked for at once."""
        device, kind = self._device, fault.kind
        device.counters.errors[kind] += 1
        if kind in SILENT:
            self._take_silence(polled, kind, answers)
            return []
        if kind not in BUSY:
            device.spoke(self._clock.monotonic())
        parts = self._split(polled, fault) if isinstance(fault, Split) else []
        if not parts:
            self._image.fail(device.name, kind, [polled.freshness])
            # Where nothing is read at all, it may be the whole device that is not ready yet.
            longest = LONGEST_REST if answers or device.state.connected else device.settings.reconnect_max
            polled.failed(kind, device.settings.scan, longest)
        return parts

    def _take_silence(self, polled: Polled, kind: str, answers: int) -> None:
        device = self._device
        self._image.fail(device.name, kind, [polled.freshness])
        if self._prober is not None:
            # It may be this block alone: last from now on, it cannot keep the others from being asked for.
            self._polled.remove(polled)
            self._polled.append(polled)
            if answers:
                polled.failed(kind, device.settings.scan, device.settings.probe_max)

    def _split(self, polled: Polled, split: Split) -> list[Polled]:
        points = sorted(point for block in split.blocks for point in block.points)
        if points != sorted(polled.block.points) or not self._splits_left:
            return []
        self._splits_left -= 1
        tags = self._device.tags
        groups = [[tags[point] for point in block.points] for block in split.blocks]
        fresh = self._image.split(self._device.name, polled.freshness, groups)
        parts = [Polled(block, freshness) for block, freshness in zip(split.blocks, fresh, strict=True)]
        place = self._polled.index(polled)
        self._polled[place : place + 1] = parts
        return parts

    def _conclude(self, fault: DeviceFault, answers: int) -> None:
        """Note what the failures of a scan say of the whole device."""
        device = self._device
        if answers or self._clock.monotonic() - self._intake.reported <= device.settings.stale_after:
            return
        if self._prober is None or fault.kind not in SILENT:
            if fault.kind in SILENT:
                self._intake.doubt()
            device.down(fault.kind, str(fault))
            return
        if not device.demotion.misses and fault.kind == "timeout":
            self._lane.alarmed = self._clock.monotonic()
        self._missed(fault)

    def _missed(self, fault: DeviceFault) -> None:
        """Note that nothing came from the whole device."""
        device = self._device
        device.demotion.missed(self._clock.monotonic(), self._neighbours.longest_interval(device))
        self._intake.doubt()
        self._image.fail(device.name, fault.kind, [polled.freshness for polled in self._polled])
        device.down(fault.kind, str(fault))
