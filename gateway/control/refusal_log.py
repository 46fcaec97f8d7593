"""What is recorded of commands that are refused: one record each up to a rate, and counts beyond it."""

import asyncio
from collections.abc import Sequence

from gateway.audit.record import Refusal, Refusals
from gateway.audit.refusal_summary import RefusalSummary
from gateway.clock import Clock
from gateway.errors import StorageError
from gateway.storage.port import Change, Journal, Record, Table

COMMIT_TIMEOUT = 5.0
"""Seconds that the disk gets for a record on which nothing waits but a reply."""
EVERY = 1.0


class RefusalLog:
    """Records refusals, or collects them; a refusal stays one whether it could be recorded or not."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._summary = RefusalSummary()

    async def record(self, refusal: Refusal, changes: Sequence[Change] = ()) -> str:
        """Return the hash of its record, empty where it was only counted, or could not be recorded.

        One that is only counted keeps no answer; but the sequence of a signature is used up all the same.
        """
        if self._summary.admit(refusal.principal, refusal.code, self._clock.monotonic()):
            return await self._commit([refusal.plain()], changes)
        used = [change for change in changes if change.table is Table.SEQUENCES]
        return await self._commit([], used) if used else ""

    async def run(self) -> None:
        """Record what was collected, every second, for ever."""
        while True:
            await asyncio.sleep(EVERY)
            await self.flush()

    async def flush(self, *, everything: bool = False) -> None:
        """Record what was collected; at a stop also of the second that has not ended."""
        for summary in self._summary.due(self._clock.monotonic(), everything=everything):
            record = Refusals(principal=summary.principal, since=summary.since, counts=summary.counts)
            await self._commit([record.plain()], ())

    async def _commit(self, records: Sequence[Record], changes: Sequence[Change]) -> str:
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT):
                chained = await self._journal.commit(records, changes)
        except (StorageError, TimeoutError):
            return ""
        return chained[-1].hash.hex() if chained else ""
