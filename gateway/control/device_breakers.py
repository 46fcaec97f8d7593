"""One breaker a device: after some writes in a row without an answer, none goes until the device was heard again.

A write that is not answered is a write of which nobody knows what it did, so no write is ever the probe: the scans,
which go on all the time, show that the device lives. A scan that is answered proves nothing while the breaker is
closed, since a device can answer reads and be deaf to writes. One such scan is enough by default: unlike a write it
risked nothing, and a device that is deaf to writes still opens the breaker again by itself.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Final

from gateway.clock import Clock
from gateway.control.breaker_settings import BreakerSettings
from gateway.control.trips import Tell
from gateway.endpoints.device import Device
from gateway.safety.breaker import Breaker, CircuitState
from gateway.safety.gate import Gate
from gateway.tags.image import ProcessImage

EVERY: Final = 0.25
"""Seconds between two looks at what changed."""

_log = logging.getLogger("plantgate.control")


class ReadProbedBreaker(Breaker):
    """A breaker that lets writes pass only while it is closed; reads are its probes."""

    __slots__ = ("_counted",)

    def __init__(self, settings: BreakerSettings) -> None:
        super().__init__(settings.failure_threshold, settings.timeout, settings.success_threshold)
        self._counted = float("-inf")

    def permits(self, now: float) -> bool:
        """Return whether a write may be tried; asking takes nothing."""
        return self.state(now) is CircuitState.CLOSED

    def prove(self, heard: float, now: float) -> None:
        """Take in when the device was heard last, monotonic; each answer counts once, and only after the time-out."""
        if self.state(now) is CircuitState.HALF_OPEN and heard > max(self._opened + self.timeout, self._counted):
            self._counted = heard
            self.succeed(now)


class DeviceBreakers:
    """The breakers of all devices that can be written, as the gate asks them and the sender feeds them."""

    def __init__(
        self,
        devices: Iterable[Device],
        settings: Mapping[str, BreakerSettings],
        gate: Gate,
        image: ProcessImage,
        clock: Clock,
        tell: Tell,
    ) -> None:
        """Devices: those with an outlet. Settings: by device, where they are others than usual."""
        self._devices = {device.name: device for device in devices}
        self._image = image
        self._clock = clock
        self._tell = tell
        self._breakers = {name: ReadProbedBreaker(settings.get(name, BreakerSettings())) for name in self._devices}
        self._told = dict.fromkeys(self._devices, CircuitState.CLOSED)
        gate.breakers.update(self._breakers)

    async def run(self) -> None:
        """Look all the time, for ever."""
        while True:
            self.look()
            await asyncio.sleep(EVERY)

    def look(self) -> None:
        """Take what was read for probes, and tell what is another than before."""
        now = self._clock.monotonic()
        for name, breaker in self._breakers.items():
            self._show(name, breaker.state(now), breaker)
            if self._told[name] is CircuitState.HALF_OPEN:
                breaker.prove(self._heard(self._devices[name]), now)
                self._show(name, breaker.state(now), breaker)

    def states(self, now: float) -> dict[str, str]:
        """Return the state of every breaker in one word, by device; from any thread."""
        return {name: breaker.state(now).value for name, breaker in self._breakers.items()}

    def _heard(self, device: Device) -> float:
        """Return when the device was asked for the newest of what it answered, or last reported by itself."""
        return max((self._image.answered(tag) for tag in device.tags), default=float("-inf"))

    def _show(self, name: str, state: CircuitState, breaker: Breaker) -> None:
        if state is self._told[name]:
            return
        self._told[name] = state
        level = logging.INFO if state is CircuitState.CLOSED else logging.WARNING
        _log.log(level, f"breaker_{state.value}", extra={"device": name, "failures": breaker.failures})
        self._tell("breaker", state.value, {"device": name, "failures": breaker.failures})
