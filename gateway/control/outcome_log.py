"""Outcomes go on record whatever the disk does: what could not be recorded at once is owed, and recorded later."""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gateway.control.refusal_log import COMMIT_TIMEOUT
from gateway.errors import StorageError
from gateway.storage.port import Change, Journal

RETRY = 1.0
"""Seconds between two attempts to record what is owed."""
MOST = 1000
"""What can be owed; beyond it the oldest is given up. Its intent stands on record, and a restart finds it."""

_LEAST = ("kind", "principal", "command", "outcome", "code", "constraint", "state", "event")
"""What can always be recorded: names and words."""

_log = logging.getLogger("plantgate.control")


class Owed(NamedTuple):
    """A record with its changes, not on the disk yet."""

    record: Mapping[str, Any]
    changes: Sequence[Change]


class OutcomeLog:
    """Records outcomes in the order in which they came."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._owed: deque[Owed] = deque()
        self.given_up = 0

    @property
    def owed(self) -> int:
        """How many outcomes are not on the disk."""
        return len(self._owed)

    async def commit(self, record: Mapping[str, Any], changes: Sequence[Change] = ()) -> str:
        """Return the hash of the record; empty where it is owed."""
        if not self._owed:
            try:
                return await self._try(Owed(record, changes))
            except (StorageError, TimeoutError) as error:
                _log.error("outcome_not_recorded", extra={"why": str(error) or "timeout", "then": "trying on"})
        if len(self._owed) >= MOST:
            self._owed.popleft()
            self.given_up += 1
        self._owed.append(Owed(record, changes))
        return ""

    async def run(self) -> None:
        """Record what is owed, for ever."""
        while True:
            await asyncio.sleep(RETRY)
            await self.flush()

    async def flush(self) -> None:
        """Record what is owed, as far as the disk takes it."""
        while self._owed:
            first = self._owed[0]
            try:
                await self._try(first)
            except (StorageError, TimeoutError):
                return
            if self._owed[0] is first:  # else it was given up meanwhile
                self._owed.popleft()

    async def _try(self, owed: Owed) -> str:
        async with asyncio.timeout(COMMIT_TIMEOUT):
            try:
                chained = await self._journal.commit([owed.record], owed.changes)
            except ValueError as error:
                # A value that no record can hold must not keep the outcome itself from the disk.
                _log.error("outcome_shortened", extra={"why": str(error)})
                short = {key: owed.record[key] for key in _LEAST if key in owed.record}
                chained = await self._journal.commit([short], owed.changes)
        return chained[-1].hash.hex()
