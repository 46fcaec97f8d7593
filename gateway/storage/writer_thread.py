"""The journal's thread: takes requests, lets the writer serve them together, and reports back to the event loop."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from gateway.clock import Clock
from gateway.errors import StorageError
from gateway.storage.batch import Entry, Links
from gateway.storage.inbox import Inbox
from gateway.storage.port import Chained, JournalState, Limits
from gateway.storage.writer import Writer


@dataclass(slots=True, eq=False)
class Request:
    """Something asked of the journal, and who waits for it."""

    future: asyncio.Future[Any]
    entry: Entry | None = None
    """What is to be written."""
    urgent: bool = False
    read: Callable[[Writer], Any] | None = None


class Report(NamedTuple):
    """What the loop is told after each turn of the thread."""

    state: JournalState
    answers: Sequence[tuple[Request, Any]] = ()
    """Each with its result, or the exception that answers it."""
    chained: Sequence[Chained] = ()
    """Everything that reached the disk, the journal's own records too."""
    commits: int = 0
    dropped: int = 0


Tell: TypeAlias = Callable[[Report], None]


class WriterThread:
    """What the thread runs. It ends when the inbox is closed and empty, or with the first defect of its own."""

    def __init__(self, writer: Writer, inbox: Inbox[Request], limits: Limits, clock: Clock, tell: Tell) -> None:
        """Tell: called in this thread, to be passed on to the loop."""
        self._writer = writer
        self._inbox = inbox
        self._limits = limits
        self._clock = clock
        self._tell = tell
        self._retry_at = 0.0
        self._serving: Sequence[Request] = ()

    def run(self) -> None:
        """Serve until the end."""
        try:
            self._recover()
            while (requests := self._inbox.take(self._limits.batch, self._limits.retry)) is not None:
                self._serve(requests)
                self._writer.tidy(waiting=bool(self._inbox))
                if not self._writer.state.healthy and self._clock.monotonic() >= self._retry_at:
                    self._recover()
        finally:
            self._inbox.close()
            self._writer.close()
            left = [*self._serving, *(self._inbox.take(2 * self._limits.waiting, 0) or ())]
            self._report([(request, self._writer.refusal()) for request in left], [])

    def _recover(self) -> None:
        self._retry_at = self._clock.monotonic() + self._limits.retry
        links = self._writer.recover()
        self._report([], [links] if links else [])

    def _serve(self, requests: Sequence[Request]) -> None:
        self._serving = requests
        answers: list[tuple[Request, Any]] = []
        commits: list[Links] = []
        writes = [request for request in requests if request.entry is not None]
        refusal: StorageError | None = None
        if writes and self._writer.state.healthy:
            writes, refusal = self._commit(writes, self._writer.commit, answers, commits)
        urgent = [request for request in writes if request.urgent]
        if urgent:
            left, refusal = self._commit(urgent, self._writer.commit_urgently, answers, commits)
            writes = left + [request for request in writes if not request.urgent]
        answers += [(request, refusal or self._writer.refusal()) for request in writes]
        answers += [(request, self._read(request.read)) for request in requests if request.read is not None]
        self._report(answers, commits)
        self._serving = ()

    def _commit(
        self,
        requests: list[Request],
        commit: Callable[[Sequence[Entry]], Links],
        answers: list[tuple[Request, Any]],
        commits: list[Links],
    ) -> tuple[list[Request], StorageError | None]:
        """Write them in one transaction; return those that were not written, and why."""
        entries = {id(request.entry): request for request in requests}
        try:
            links = commit([request.entry for request in requests if request.entry is not None])
        except StorageError as error:
            return requests, error
        answers += [(entries[id(entry)], result) for entry, result in links.entries if id(entry) in entries]
        commits.append(links)
        return [], None

    def _read(self, read: Callable[[Writer], Any]) -> Any:  # noqa: ANN401  (what each request reads)
        try:
            return read(self._writer)
        except StorageError as error:
            return error

    def _report(self, answers: Sequence[tuple[Request, Any]], commits: Sequence[Links]) -> None:
        chained = [each for links in commits for _, made in links.good for each in made]
        dropped, self._writer.dropped = self._writer.dropped, 0
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._tell(Report(self._writer.state, answers, chained, len(commits), dropped))
