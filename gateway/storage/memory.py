"""The journal in memory, with latency, failures and crashes from a seed: for tests on virtual time.

It keeps the promise of the real one and no more: what was acknowledged survives a crash; of what was not, some
first part does, in order, as the seed has it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from random import Random

from gateway.clock import Clock
from gateway.counters import JournalCounters
from gateway.errors import StorageError
from gateway.storage.announcer import Announcer
from gateway.storage.batch import Entry, Put, decode, encode, link
from gateway.storage.port import (
    GENESIS,
    Chain,
    Chained,
    ChainedListener,
    Change,
    Head,
    JournalState,
    Limits,
    Loaded,
    Record,
    StateListener,
    Table,
    Value,
)
from gateway.storage.segments import NEARLY
from gateway.storage.stamp import Stamp


@dataclass(slots=True)
class Disk:
    """What outlives the process."""

    chained: list[Chained] = field(default_factory=list)
    state: dict[tuple[Table, str], bytes] = field(default_factory=dict)
    damaged: frozenset[Table] = frozenset()
    dropped: int = 0

    @property
    def head(self) -> Head:
        """Where the chain stands."""
        return self.chained[-1].head if self.chained else GENESIS

    def write(self, chain: Chain, entry: Entry, limits: Limits) -> tuple[Chained, ...]:
        """Take one commit over as a whole. Raises ValueError for one that cannot be recorded."""
        links = link(chain, self.head, [entry]).entries[0][1]
        if isinstance(links, ValueError):
            raise links
        self.chained.extend(links)
        for put in entry.puts:
            self._put(put, limits)
        self.damaged = (self.damaged - entry.mended) | entry.damaged
        return links

    def _put(self, put: Put, limits: Limits) -> None:
        if put.value is None:
            self.state.pop((put.table, put.key), None)
            return
        self.state[put.table, put.key] = put.value
        commands = [key for key in self.state if key[0] is Table.COMMANDS]
        for key in commands[: max(0, len(commands) - limits.commands)]:
            del self.state[key]
            self.dropped += 1


@dataclass(slots=True, eq=False)
class _Waiting:
    entry: Entry
    urgent: bool
    future: asyncio.Future[Sequence[Chained]]


class MemoryJournal:
    """A Journal, and the levers to make it fail."""

    def __init__(
        self,
        chain: Chain,
        clock: Clock,
        rng: Random,
        disk: Disk | None = None,
        *,
        latency: Callable[[], float] = lambda: 0.0,
        limits: Limits = Limits(),  # noqa: B008  (frozen)
        counters: JournalCounters | None = None,
    ) -> None:
        """Disk: of a journal before this one. Latency: seconds of each sync, asked once for each."""
        self.disk = disk if disk is not None else Disk()
        self._chain = chain
        self._stamp = Stamp(clock, "memory")
        self._rng = rng
        self._latency = latency
        self._limits = limits
        self._announcer = Announcer(counters if counters is not None else JournalCounters())
        self._waiting: list[_Waiting] = []
        self._failing: deque[str] = deque()
        self._doubt: dict[str, object] = {}
        self._pump: asyncio.Task[None] | None = None
        self._crash = asyncio.Event()
        self.point: Callable[[str], None] = lambda _: None
        """Called with `asked`, `writing` and `durable` as a commit gets there; it may `crash` the journal."""
        self._announcer.show(self._state())

    @property
    def state(self) -> JournalState:
        return self._announcer.state

    def listen(self, listener: ChainedListener) -> None:
        self._announcer.listeners.append(listener)

    def watch(self, listener: StateListener) -> None:
        self._announcer.watchers.append(listener)

    def fail_next(self, reason: str) -> None:
        """Let the next commit fail, and the journal with it; whether it is on the disk all the same is chance."""
        self._failing.append(reason)

    def fail(self, reason: str) -> None:
        """Be unhealthy from now on."""
        self._announcer.show(replace(self._state(), healthy=False, reason=reason))

    def recover(self) -> None:
        """Be healthy again, with a record that says so."""
        story = {"kind": "journal", "event": "recovered", "reason": self.state.reason, **self._doubt}
        self._doubt = {}
        chained = self.disk.write(self._chain, Entry([self._stamp(story)]), self._limits)
        self._announcer.show(self._state())
        self._announcer.tell(chained)

    def damage(self, *tables: Table) -> None:
        """Say of tables that they are damaged."""
        self.disk.damaged |= frozenset(tables)

    def crash(self) -> Disk:
        """End as by kill -9 or a power cut; return what the next journal finds. Nobody who waits is answered."""
        for waiting in self._waiting[: self._rng.randint(0, len(self._waiting))]:
            with suppress(ValueError):
                self.disk.write(self._chain, waiting.entry, self._limits)
        self._waiting.clear()
        self._announcer.show(JournalState(healthy=False, reason="crashed"))
        self._crash.set()
        return self.disk

    async def commit(
        self,
        records: Sequence[Record],
        changes: Sequence[Change] = (),
        *,
        urgent: bool = False,
        mended: Collection[Table] = (),
    ) -> Sequence[Chained]:
        if not (urgent or self.state.healthy) or self._crash.is_set():
            raise self._refused("journal_unavailable", f"the journal is not available: {self.state.reason}")
        if sum(each.urgent is urgent for each in self._waiting) >= self._limits.waiting:
            raise self._refused("queue_full", f"{len(self._waiting)} requests wait for the journal")
        entry = Entry([self._stamp(each) for each in records], encode(changes), frozenset(mended))
        waiting = _Waiting(entry, urgent, asyncio.get_running_loop().create_future())
        self._waiting.insert(sum(each.urgent for each in self._waiting) if urgent else len(self._waiting), waiting)
        self._announcer.counters.pending += 1
        self.point("asked")
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._write_all(), name="memory journal")
        return await waiting.future

    async def damaged(self) -> frozenset[Table]:
        await asyncio.sleep(self._latency())
        return self.disk.damaged

    async def load(self, table: Table) -> Loaded:
        await asyncio.sleep(self._latency())
        values = {key: decode(value) for (name, key), value in self.disk.state.items() if name is table}
        return Loaded(values, damaged=table in self.disk.damaged)

    async def find(self, table: Table, key: str) -> Value | None:
        await asyncio.sleep(self._latency())
        found = self.disk.state.get((table, key))
        return None if found is None else decode(found)

    async def _write_all(self) -> None:
        """Do what the thread of the real one does: whatever waits goes to the disk together."""
        while self._waiting and not self._crash.is_set():
            batch = self._waiting[: self._limits.batch]
            await asyncio.sleep(self._latency())
            self.point("writing")
            if self._crash.is_set():
                return
            # What was urgent may have come in front meanwhile; it goes with the next sync.
            self._waiting = [each for each in self._waiting if each not in batch]
            if self._failing:
                self._lose(batch, self._failing.popleft())
                continue
            results = [self._try(waiting) for waiting in batch]
            self.point("durable")
            if self._crash.is_set():
                return
            self._answer(list(zip(batch, results, strict=True)))

    def _try(self, waiting: _Waiting) -> Sequence[Chained] | Exception:
        if not (waiting.urgent or self.state.healthy):
            return self._refusal()
        try:
            return self.disk.write(self._chain, waiting.entry, self._limits)
        except ValueError as error:
            return error

    def _lose(self, batch: Sequence[_Waiting], reason: str) -> None:
        self.fail(reason)
        if self._rng.random() < 0.5:  # it was on the disk: its changes are taken back, its records stay and are named
            chained = [
                each
                for waiting in batch
                for each in self.disk.write(self._chain, Entry(waiting.entry.records), self._limits)
            ]
            self._doubt = {"withdrawn": [[chained[0].sequence, chained[-1].sequence]]} if chained else {}
        self._answer([(waiting, self._refusal()) for waiting in batch])

    def _answer(self, answers: Sequence[tuple[_Waiting, Sequence[Chained] | Exception]]) -> None:
        counters = self._announcer.counters
        chained: list[Chained] = []
        for waiting, result in answers:
            counters.pending -= 1
            if isinstance(result, Exception):
                counters.failures += 1
                if not waiting.future.done():
                    waiting.future.set_exception(result)
                continue
            chained += result
            if not waiting.future.done():  # else whoever asked has stopped waiting
                waiting.future.set_result(result)
        counters.commits += bool(chained)
        counters.dropped = self.disk.dropped
        self._announcer.show(replace(self._state(), healthy=self.state.healthy, reason=self.state.reason))
        self._announcer.tell(chained)

    def _state(self) -> JournalState:
        size = sum(len(each.body) for each in self.disk.chained)
        return JournalState(healthy=True, reason="", size=size, nearly_full=not size < NEARLY * self._limits.size)

    def _refusal(self) -> StorageError:
        return StorageError("journal_unavailable", f"the journal is not available: {self.state.reason}")

    def _refused(self, code: str, reason: str) -> StorageError:
        self._announcer.counters.failures += 1
        return StorageError(code, reason)
