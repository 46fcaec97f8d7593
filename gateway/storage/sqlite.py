"""The journal in SQLite: a thread of its own, which puts whatever waits into one transaction.

Nothing here touches the disk on the event loop. The claim on the state directory (`claim`) is its owner's business.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any, Self

from gateway.clock import Clock
from gateway.counters import JournalCounters
from gateway.errors import StorageError
from gateway.storage.announcer import Announcer
from gateway.storage.batch import Entry, decode, encode
from gateway.storage.database import Connect
from gateway.storage.inbox import Inbox
from gateway.storage.port import (
    Chain,
    Chained,
    ChainedListener,
    Change,
    JournalState,
    Limits,
    Loaded,
    Record,
    StateListener,
    Table,
    Value,
)
from gateway.storage.schema import connect as connect_durably
from gateway.storage.stamp import Stamp
from gateway.storage.writer import Writer
from gateway.storage.writer_thread import Report, Request, WriterThread

CLOSE = 10.0
"""Seconds that the disk gets to take what still waits; the process does not hang on a dead one for longer."""


_log = logging.getLogger("plantgate.journal")


class SqliteJournal:
    """The Journal that lasts; an async context manager that owns the thread."""

    def __init__(
        self,
        folder: Path,
        chain: Chain,
        clock: Clock,
        boot: str,
        counters: JournalCounters,
        limits: Limits = Limits(),  # noqa: B008  (frozen)
        connect: Connect = connect_durably,
    ) -> None:
        """Folder: claimed. Boot: see `read_boot_id`. Connect: how the file is opened; tests put faults in there."""
        self._stamp = Stamp(clock, boot)
        self._announcer = Announcer(counters)
        self._death: Exception | None = None
        self._inbox = Inbox[Request](limits.waiting)
        writer = Writer(folder, chain, self._stamp, limits, connect)
        self._thread = WriterThread(writer, self._inbox, limits, clock, self._pass_on)

    async def ended(self) -> None:
        """Wait until the thread has ended. Raises StorageError where a defect ended it: the process should end too."""
        await self._ended.wait()
        if self._death is not None:
            raise StorageError("journal_unavailable", f"the journal's thread died: {self._death!r}") from self._death

    async def __aenter__(self) -> Self:
        """Open the journal. It may be unhealthy then, and gets itself into order when the disk does."""
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._ended = asyncio.Event()
        Thread(target=self._run, name="journal", daemon=True).start()
        await asyncio.shield(self._opened)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Write what waits, and close. Raises StorageError where the disk does not answer."""
        self._inbox.close()
        try:
            async with asyncio.timeout(CLOSE):
                await self._ended.wait()
        except TimeoutError:
            raise StorageError("journal_unavailable", "the disk does not answer, the journal stays open") from None
        finally:
            self._announcer.show(JournalState(healthy=False, reason="closed", size=self.state.size))

    @property
    def state(self) -> JournalState:
        return self._announcer.state

    def listen(self, listener: ChainedListener) -> None:
        self._announcer.listeners.append(listener)

    def watch(self, listener: StateListener) -> None:
        self._announcer.watchers.append(listener)

    async def commit(
        self,
        records: Sequence[Record],
        changes: Sequence[Change] = (),
        *,
        urgent: bool = False,
        mended: Collection[Table] = (),
    ) -> Sequence[Chained]:
        if not (urgent or self.state.healthy):
            self._announcer.counters.failures += 1
            raise StorageError("journal_unavailable", f"the journal is not available: {self.state.reason}")
        entry = Entry([self._stamp(record) for record in records], encode(changes), frozenset(mended))
        chained: Sequence[Chained] = await self._ask(Request(self._loop.create_future(), entry, urgent))
        return chained

    async def damaged(self) -> frozenset[Table]:
        request = Request(self._loop.create_future(), read=lambda writer: writer.damaged())
        found: frozenset[Table] = await self._ask(request)
        return found

    async def load(self, table: Table) -> Loaded:
        loaded: Loaded = await self._ask(Request(self._loop.create_future(), read=lambda writer: writer.load(table)))
        return loaded

    async def find(self, table: Table, key: str) -> Value | None:
        found = await self._ask(Request(self._loop.create_future(), read=lambda writer: writer.find(table, key)))
        return None if found is None else decode(found)

    async def _ask(self, request: Request) -> Any:  # noqa: ANN401  (what each request is answered with)
        counters = self._announcer.counters
        if not self._inbox.put(request, urgent=request.urgent):
            counters.failures += 1
            raise StorageError("queue_full", f"{len(self._inbox)} requests wait for the journal, or it is closed")
        counters.pending += 1
        return await request.future

    def _pass_on(self, report: Report) -> None:
        self._loop.call_soon_threadsafe(self._take, report)

    def _take(self, report: Report) -> None:
        counters = self._announcer.counters
        counters.commits += report.commits
        counters.dropped += report.dropped
        for request, result in report.answers:
            counters.pending -= 1
            failed = isinstance(result, Exception)
            counters.failures += failed
            if request.future.done():  # whoever asked has stopped waiting
                continue
            if failed:
                request.future.set_exception(result)
            else:
                request.future.set_result(result)
        self._announcer.show(report.state)
        self._announcer.tell(report.chained)
        if not self._opened.done():
            self._opened.set_result(None)

    def _run(self) -> None:
        death: Exception | None = None
        try:
            self._thread.run()
        except Exception as error:  # noqa: BLE001  (a defect of ours; whoever waits in `ended` is handed it)
            death = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._end, death)

    def _end(self, death: Exception | None) -> None:
        if death is not None:
            _log.critical("journal_died", exc_info=death)
        self._death = death
        self._ended.set()
