"""A gateway on a stand-in plant, for one case: all its parts but those that reach out, with the wires in our hand."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from random import Random
from typing import Any, Self

from gateway.app.control import Control, open_control
from gateway.app.plant import build_plant
from gateway.audit.chain import HashChain
from gateway.audit.record import GATEWAY
from gateway.control.command import Command
from gateway.control.guard import ConstraintState
from gateway.control.reply import Outcome
from gateway.counters import Counters
from gateway.safety.constraint import Constraint, safe_value
from gateway.safety.decision import Decision
from gateway.safety.live import LiveConstraint
from gateway.safety.operation import Operation, Write
from gateway.safety.verdict import Verdict
from gateway.settings.computed import COMPUTED
from gateway.settings.model import Settings
from gateway.storage.memory import MemoryJournal
from gateway.testing.case import Proposal
from gateway.testing.cell import Cell
from gateway.testing.far_side import FarSide
from gateway.testing.plant_model import Values
from gateway.testing.sealed import load_stand_in
from gateway.testing.virtual_time import VirtualClock
from gateway.testing.writes import TOKEN


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a proposal."""

    proposal: Proposal
    outcome: Outcome
    code: str
    message: str
    frames: int
    """That reached a device because of it."""


class Rig:
    """One gateway and its plant; enter it to let it run."""

    control: Control
    """From when it is entered on."""

    def __init__(self, settings: Settings, cells: Mapping[str, Cell], start: Values, constraint: Constraint) -> None:
        """Settings: of the stand-in. Constraint: the one that is looked at."""
        safe_state = [(tag, safe_value(wanted)) for tag, wanted in constraint.on_trip.items()]
        self.clock = VirtualClock()
        devices = [device for device, each in settings.devices.items() if each.driver != COMPUTED]
        self.far = FarSide(cells, devices, self.clock, start, safe_state)
        self.local_time: datetime | None = None
        self.verdicts: list[tuple[float, Verdict]] = []
        """When the verdict became what, monotonic."""
        self.reason = ""
        """Of the verdict as it is."""
        self.tripped: list[float] = []
        self._settings = settings
        self._name = constraint.name
        self._changed = asyncio.Event()
        self.far.tell = self._changed.set
        self._counters = Counters()
        self._plant = build_plant(settings, self.clock, _chance(), self._counters, load_stand_in)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._stack.callback(self.far.close)
        self.control = await self._open_control()
        field = [asyncio.create_task(each.run()) for each in self._plant.sessions]
        self._stack.push_async_callback(_end, field)
        jobs = [*self.control.jobs().values(), self._plant.computed.run()]
        self._stack.push_async_callback(_end, [asyncio.create_task(job) for job in jobs])
        return self

    async def __aexit__(self, *_: object) -> None:
        for session in self._plant.sessions:
            session.stop()
        self.far.mend()
        await self.control.stop()
        await self._stack.aclose()

    @property
    def verdict(self) -> Verdict:
        """Of the constraint, as the guard last told it."""
        return self.verdicts[-1][1]

    def since(self, known: int) -> list[Verdict]:
        """Return the verdict that held when so many of them were known, and all that followed."""
        return [verdict for _, verdict in self.verdicts[known - 1 :]]

    @property
    def is_latched(self) -> bool:
        """That a trip of the constraint is in force."""
        live = self.control.gate.find(self._name)
        return live is not None and live.latch.is_latched

    async def change(self) -> None:
        """Wait until a constraint has another verdict, one trips, or a frame reaches a device."""
        self._changed.clear()
        await self._changed.wait()

    def judge(self, proposal: Proposal) -> Decision:
        """Return what the gate says of a proposal; takes nothing, and sends nothing."""
        writes = tuple(Write(tag, value) for tag, value in proposal.writes)
        operation = Operation(proposal.principal, writes, proposal.key, proposal.locks)
        return self.control.gate.judge(operation, self.clock.monotonic())

    async def submit(self, proposal: Proposal) -> Answer:
        """Have a proposal carried out as far as it is permitted: the one place from which something is written."""
        command = Command("write", writes=dict(proposal.writes), key=proposal.key, locks=proposal.locks)
        before = len(self.far.frames)
        reply = await self.control.arbiter.submit(command, proposal.principal)
        # A safe state may be on its way at the same time.
        sent = [frame for _, frame in self.far.frames[before:] if (frame.address, frame.value) in proposal.writes]
        return Answer(proposal, reply.outcome, reply.code, reply.message, len(sent))

    async def reset(self) -> str:
        """Reset the constraint; return the code of a refusal, empty where there was none."""
        command = Command("reset", name=self._name, actor="proof-test", reason="proof test")
        return (await self.control.arbiter.submit(command, GATEWAY)).code

    async def _open_control(self) -> Control:
        ids = count(1)
        control = await open_control(
            self._settings,
            self._plant,
            MemoryJournal(HashChain(), self.clock, _chance()),
            self.clock,
            _chance(),
            self._counters,
            lambda: None,
            lambda *_: None,
            lambda: f"proof-{next(ids)}",
        )
        control.world.holds = lambda lock, locks: locks.get(lock) == TOKEN
        control.world.local_time = lambda: self.local_time
        await control.recover()
        control.guard.listen(self._note)
        control.guard.on_trip(self._note_trip)
        return control

    def _note(self, state: ConstraintState) -> None:
        self._changed.set()
        if state.name != self._name:
            return
        self.reason = state.reason
        if not self.verdicts or self.verdict is not state.verdict:
            self.verdicts.append((self.clock.monotonic(), state.verdict))

    def _note_trip(self, tripped: Sequence[LiveConstraint], now: float) -> None:
        self._changed.set()
        self.tripped += [now for live in tripped if live.name == self._name]


def _chance() -> Random:
    return Random(0)  # noqa: S311  (jitter, the same every time)


async def _end(tasks: Sequence["asyncio.Task[Any]"]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
