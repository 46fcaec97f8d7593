"""The daemon: builds every part, wires them, runs them, and stops them in order."""

import asyncio
import gc
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from random import Random
from typing import Any, TypeAlias

from gateway import __version__
from gateway.app.plant import Plant, build_plant
from gateway.app.reports import constraint_report, device_event, device_report
from gateway.app.situation import judge_situation
from gateway.clock import Clock
from gateway.control.guard import Guard
from gateway.control.world import PlantWorld
from gateway.counters import Counters
from gateway.endpoints.device import Change, Device, DeviceState
from gateway.errors import ServiceError
from gateway.lifecycle import Notifier
from gateway.northbound.embedded import EmbeddedBroker
from gateway.northbound.link import Link
from gateway.northbound.publisher import Publisher
from gateway.observability.http import HttpServer
from gateway.observability.site import build_pages
from gateway.safety.gate import Gate
from gateway.settings.model import Settings

FIELD_STOP = 2.0
"""Seconds that the sessions get to end the requests that are on the wire."""
SITUATION_EVERY = 0.5
"""Seconds between two looks at how the gateway is."""

Task: TypeAlias = asyncio.Task[Any]

_log = logging.getLogger("plantgate.app")


class Daemon:
    """One gateway, from its settings to its end."""

    def __init__(self, settings: Settings, clock: Clock, rng: Random, notifier: Notifier) -> None:
        """Build the parts; nothing runs yet. Raises GatewayError where one cannot be built."""
        self.settings = settings
        self.counters = Counters()
        self.plant: Plant = build_plant(settings, clock, rng, self.counters)
        self._devices = {device.name: device for device in self.plant.devices}
        self._clock = clock
        self._notifier = notifier
        gateway_id = settings.gateway.id
        self.guard = self._build_guard()
        link = Link(settings.mqtt, gateway_id, clock, rng, self.counters.mqtt)
        self.publisher = Publisher(settings.mqtt, gateway_id, self.plant.image.tags, link, clock, self.counters.mqtt)
        self._wire()

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set, then stop in order. Raises ServiceError where a vital part ended."""
        async with AsyncExitStack() as stack:
            self._start_http(stack)
            northbound = asyncio.create_task(self.publisher.run(), name="northbound")
            vital = [
                asyncio.create_task(self.guard.run(), name="guard"),
                northbound,
                asyncio.create_task(self._watch_situation(), name="situation"),
                asyncio.create_task(self.plant.computed.run(), name="computed tags"),
                *await self._start_broker(stack),
            ]
            field = [asyncio.create_task(each.run(), name=f"session {each.endpoint}") for each in self.plant.sessions]
            gc.freeze()  # what was built now lives to the end; a full collection would hold the loop for 30 ms
            # A session never ends by itself; if one did, its tags would look alive for ever.
            ended = await _first_of(stop, [*vital, *field])
            await self._stop(field, northbound, vital)
            _raise_for(ended)

    def _build_guard(self) -> Guard:
        safety, image = self.settings.safety, self.plant.image
        return Guard(
            Gate(
                safety.constraints, PlantWorld(image), self._clock.monotonic, halt_on_critical=safety.halt_on_critical
            ),
            image,
            safety.period,
            self._clock,
            self.counters.guard,
            self.counters.loop_lag,
            self._notifier.watchdog_ping,
        )

    def _wire(self) -> None:
        # The guard listens to the image first: a verdict is there before the sample is published.
        self.plant.image.listen(self.publisher.batch)
        self.guard.listen(lambda state: self.publisher.constraint(constraint_report(state)))
        for device in self.plant.devices:
            self._show(device)
            device.listen(self._tell)

    def _show(self, device: Device) -> None:
        self.publisher.device(device_report(device))

    def _tell(self, state: DeviceState, change: Change) -> None:
        self._show(self._devices[state.device])
        if change:
            self.publisher.event(device_event(state, change))

    def _start_http(self, stack: AsyncExitStack) -> None:
        if self.settings.http.enabled:
            pages = build_pages(
                __version__,
                self.settings.safety.period,
                self.counters,
                self._clock,
                self.plant.image.count,
                self.guard.states,
                self._faults,
            )
            stack.enter_context(HttpServer(self.settings.http, pages))

    def _faults(self) -> dict[str, str]:
        return {f"device.{each.name}": each.state.reason for each in self.plant.devices if not each.state.connected}

    async def _watch_situation(self) -> None:
        await self.guard.evaluated.wait()
        self._notifier.ready()
        _log.info("ready", extra={"devices": len(self.plant.devices), "tags": len(self.plant.image.tags)})
        while True:
            situation = judge_situation(
                [device.state for device in self.plant.devices],
                self.guard.states(),
                broker_up=self.counters.mqtt.connected,
            )
            self.publisher.status(situation.state, situation.reasons)
            self._notifier.status(situation.line)
            await asyncio.sleep(SITUATION_EVERY)

    async def _start_broker(self, stack: AsyncExitStack) -> list[Task]:
        address = self.settings.mqtt.address
        if not address.embedded:
            return []
        broker = await stack.enter_async_context(EmbeddedBroker(address))
        return [asyncio.create_task(broker.ended(), name="embedded broker")]

    async def _stop(self, field: Sequence[Task], northbound: Task, vital: Sequence[Task]) -> None:
        self._notifier.stopping()
        for session in self.plant.sessions:
            session.stop()
        await _end(field, FIELD_STOP)
        if not northbound.done():
            await self.publisher.stop()
        await _end(vital, 1.0)
        _log.info("stopped")


async def _first_of(stop: asyncio.Event, vital: Sequence[Task]) -> list[Task]:
    """Wait for `stop` or for the end of a vital task; return those that ended."""
    stopping = asyncio.create_task(stop.wait(), name="stop")
    await asyncio.wait([stopping, *vital], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    return [task for task in vital if task.done()]


async def _end(tasks: Sequence[Task], seconds: float) -> None:
    """Cancel and wait; what does not end in time is left to the end of the process, and named."""
    for task in tasks:
        task.cancel()
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            _log.warning("did_not_stop_in_time", extra={"part": task.get_name()})


def _raise_for(ended: Sequence[Task]) -> None:
    for task in ended:
        error = None if task.cancelled() else task.exception()
        raise ServiceError(f"{task.get_name()} ended by itself: {error!r}") from error
