"""The daemon: builds every part, wires them, runs them, and stops them in order."""

import asyncio
import gc
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any, TypeAlias
from uuid import UUID

from gateway import __version__
from gateway.app.control import Control, open_control
from gateway.app.plant import Plant, build_plant
from gateway.app.situation import judge_situation
from gateway.app.telling import Telling
from gateway.audit.journal import open_journal
from gateway.audit.record import Start, Stop
from gateway.clock import Clock
from gateway.control.reply import Reply
from gateway.counters import Counters
from gateway.errors import ServiceError, StorageError
from gateway.lifecycle import Notifier
from gateway.northbound.embedded import EmbeddedBroker
from gateway.northbound.inbox import Arrived, Inbox
from gateway.northbound.link import Link
from gateway.northbound.publisher import Publisher
from gateway.observability.http import HttpServer
from gateway.observability.site import build_pages
from gateway.settings.digest import settings_digest
from gateway.settings.model import Settings
from gateway.storage.port import Change, Journal
from gateway.storage.sqlite import SqliteJournal
from gateway.storage.state_directory import claim

FIELD_STOP = 2.0
"""Seconds that the sessions get to end the requests that are on the wire."""
SITUATION_EVERY = 0.5
"""Seconds between two looks at how the gateway is."""
RECORD = 5.0
"""Seconds that the disk gets for the records of start and stop."""

Task: TypeAlias = asyncio.Task[Any]

_log = logging.getLogger("plantgate.app")


class Daemon:
    """One gateway, from its settings to its end."""

    def __init__(self, settings: Settings, state: Path, clock: Clock, rng: Random, notifier: Notifier) -> None:
        """Build the parts that remember nothing. State: the directory for what lasts; it is claimed by `run`.

        Raises GatewayError where a part cannot be built.
        """
        self.settings = settings
        self.counters = Counters()
        self.plant: Plant = build_plant(settings, clock, rng, self.counters)
        self._state = state
        self._clock = clock
        self._rng = rng
        self._notifier = notifier
        gateway_id = settings.gateway.id
        link = Link(settings.mqtt, gateway_id, clock, rng, self.counters.mqtt)
        self.publisher = Publisher(settings.mqtt, gateway_id, self.plant.image.tags, link, clock, self.counters.mqtt)
        self.telling = Telling(self.publisher, self.plant, clock)

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set, then stop in order. Raises ServiceError where a vital part ended."""
        async with AsyncExitStack() as stack:
            stack.enter_context(claim(self._state))
            journal = open_journal(self._state, self.settings.audit, self._clock, self.counters.journal)
            await stack.enter_async_context(journal)
            control = await self._open_control(journal)
            inbox = self._open_inbox(control)
            self.telling.wire(control, journal, self.settings.audit)
            self._start_http(stack, control, inbox)
            northbound = asyncio.create_task(self.publisher.run(), name="northbound")
            commands = asyncio.create_task(inbox.run(), name="inbox")
            vital = [
                *(asyncio.create_task(job, name=name) for name, job in control.jobs().items()),
                northbound,
                commands,
                asyncio.create_task(journal.ended(), name="journal"),
                asyncio.create_task(self._watch_situation(control, journal), name="situation"),
                asyncio.create_task(self.plant.computed.run(), name="computed tags"),
                *await self._start_broker(stack),
            ]
            field = [asyncio.create_task(each.run(), name=f"session {each.endpoint}") for each in self.plant.sessions]
            gc.freeze()  # what was built now lives to the end; a full collection would hold the loop for 30 ms
            # A session never ends by itself; if one did, its tags would look alive for ever.
            ended = await _first_of(stop, [*vital, *field])
            self._notifier.stopping()
            inbox.close()
            await control.stop()
            await self._record(journal, Stop().plain())
            await self._stop(field, northbound, vital)
            _raise_for(ended)

    async def _open_control(self, journal: Journal) -> Control:
        """Build the way down, on what is remembered, and record the start."""
        try:
            control = await open_control(
                self.settings,
                self.plant,
                journal,
                self._clock,
                self._rng,
                self.counters,
                self._notifier.watchdog_ping,
                self.telling.event,
                lambda: str(UUID(int=self._rng.getrandbits(128), version=4)),
            )
            found = await control.recover()
        except StorageError as error:
            raise ServiceError(f"{self._state}: what the last run left cannot be read: {error}") from error
        start = Start(
            version=__version__,
            digest=settings_digest(self.settings),
            latched=sorted(control.trips.names),
            unresolved=found.unresolved,
            ended=found.ended,
        )
        await self._record(journal, start.plain(), found.changes)
        return control

    def _open_inbox(self, control: Control) -> Inbox:
        async def receive(arrived: Arrived) -> Reply:
            return await control.reception.receive(
                arrived.verb,
                arrived.principal,
                arrived.payload,
                retained=arrived.retained,
                received=arrived.received,
            )

        return Inbox(
            self.settings.mqtt,
            self.settings.gateway.id,
            self._clock,
            self._rng,
            self.counters.control,
            receive,
            self.publisher.reply,
        )

    async def _record(self, journal: Journal, record: dict[str, Any], changes: Sequence[Change] = ()) -> None:
        try:
            async with asyncio.timeout(RECORD):
                await journal.commit([record], changes)
        except (StorageError, TimeoutError) as error:
            _log.error(
                "not_recorded", extra={"record": record["kind"], "why": str(error) or "the disk does not answer"}
            )

    def _start_http(self, stack: AsyncExitStack, control: Control, inbox: Inbox) -> None:
        if self.settings.http.enabled:
            pages = build_pages(
                __version__,
                self.settings.safety.period,
                self.counters,
                self._clock,
                self.plant.image.count,
                control.guard.states,
                self._faults,
                lambda: control.gate.is_halted,
                control.breaker_states,
                lambda: {"journal": self.counters.journal.healthy, "inbox": inbox.up},
            )
            stack.enter_context(HttpServer(self.settings.http, pages))

    def _faults(self) -> dict[str, str]:
        return {f"device.{each.name}": each.state.reason for each in self.plant.devices if not each.state.connected}

    async def _watch_situation(self, control: Control, journal: SqliteJournal) -> None:
        await control.guard.evaluated.wait()
        self._notifier.ready()
        _log.info("ready", extra={"devices": len(self.plant.devices), "tags": len(self.plant.image.tags)})
        while True:
            situation = judge_situation(
                [device.state for device in self.plant.devices],
                control.guard.states(),
                broker_up=self.counters.mqtt.connected,
                halted=control.gate.is_halted,
                control=self.settings.gateway.control,
                journal="" if journal.state.healthy else journal.state.reason,
                further=control.troubles(),
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
