"""Who shares a wire has to show that it lives before it is scanned: by probes, which cost its neighbours little."""

import asyncio
from collections.abc import Callable

from drivers.base import Reader
from drivers.errors import DeviceFault, LinkLost
from drivers.values import Seconds
from gateway.clock import Clock
from gateway.endpoints.demotion import SHORTEST_PROBE, Standing
from gateway.endpoints.device import Device
from gateway.endpoints.fair_queue import Priority
from gateway.endpoints.lane import Lane

SLOWER = 3
"""So many times what is usual for a unit an answer may take after an alarm."""


class Doubted(DeviceFault):
    """Only an alarm and one short probe speak against the device: its scan is put off, and nothing else follows."""


class Prober:
    """Lets the scans of one device on one connection begin, or keeps them waiting until it answers."""

    def __init__(
        self,
        device: Device,
        reader: Reader,
        lane: Lane,
        clock: Clock,
        within: Seconds,
        missed: Callable[[DeviceFault], None],
    ) -> None:
        """Within: how long the neighbours bear with a probe. Missed: told whenever nothing came in answer."""
        self._device = device
        self._reader = reader
        self._lane = lane
        self._clock = clock
        self._within = within
        self._missed = missed
        self._is_proven = False

    @property
    def is_admitted(self) -> bool:
        """That the device may be scanned now. Else `admit` has to be awaited."""
        return self._is_proven and not self._device.demotion.misses

    @property
    def is_alarmed(self) -> bool:
        """That another unit fell silent since this one was heard. Then `check` has to be awaited, on the wire."""
        return self._device.heard < self._lane.alarmed

    async def admit(self) -> None:
        """Wait until the device answers. Raises LinkLost."""
        while True:
            fault = await self._knock()
            if fault is None:
                self._is_proven = True
                self._device.heard = self._clock.monotonic()
                return
            self._device.counters.errors[fault.kind] += 1
            self._missed(fault)

    async def check(self) -> None:
        """Probe very shortly, in the turn of a read that may be sent right after. Raises Doubted, LinkLost.

        Several units may have gone at once: in the time of a whole timeout each, the others would lose scans.
        """
        shortly = Seconds(max(SLOWER * self._device.slowest, SHORTEST_PROBE))
        self._device.counters.probes += 1
        try:
            await self._reader.probe(min(shortly, self._within))
        except LinkLost:
            raise
        except DeviceFault as fault:
            self._is_proven = False
            raise Doubted(fault.kind, str(fault)) from fault
        self._device.heard = self._clock.monotonic()

    async def _knock(self) -> DeviceFault | None:
        """Probe once; return why in vain."""
        demotion = self._device.demotion
        priority = Priority.PROVE
        if demotion.standing is not Standing.HEALTHY:
            priority = Priority.PROBE
            await asyncio.sleep(max(demotion.next_probe - self._clock.monotonic(), 0))
        self._device.counters.probes += 1
        try:
            await self._lane.request(priority, self._device.name, lambda: self._reader.probe(self._within))
        except LinkLost:
            raise
        except DeviceFault as fault:
            return fault
        return None
