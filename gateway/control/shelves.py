"""Alarms that are shelved for a time: presentation only. What they are about denies and trips all the same."""

import asyncio
from collections.abc import Sequence

from gateway.audit.record import Shelve
from gateway.clock import Clock
from gateway.control.lasting import EVERY, Lasting, Report
from gateway.control.lasting_time import LastingTime
from gateway.safety.gate import Gate
from gateway.storage.port import Change, Journal, Table

LONGEST = 24 * 3600.0
"""Seconds."""


class Shelves:
    """All alarms that are shelved."""

    def __init__(self, journal: Journal, gate: Gate, clock: Clock, time: LastingTime, report: Report) -> None:
        self._lasting = Lasting(journal, Table.SHELVES, time)
        self._gate = gate
        self._clock = clock
        self._report = report

    async def restore(self) -> None:
        """Take up what the last run left."""
        await self._lasting.load()
        left, over = self._lasting.look()
        for name, seconds in left:
            self._shelve(name, self._clock.monotonic() + seconds)
        for name, _ in over:
            self._end(name)

    async def begin(self, name: str, seconds: float, record: Shelve, more: Sequence[Change] = ()) -> str:
        """Shelve an alarm from now on; return the hash of the record. Raises StorageError; then it is not."""
        begun = self._clock.monotonic()
        done = await self._lasting.grant(name, seconds, record, more)
        self._shelve(name, begun + seconds)
        return done

    async def run(self) -> None:
        """End what is over, for ever."""
        try:
            while True:
                await asyncio.sleep(EVERY)
                _, over = self._lasting.look()
                for name, _ in over:
                    self._end(name)
        finally:
            await self._lasting.close()

    def _shelve(self, name: str, until: float) -> None:
        live = self._gate.find(name)
        if live is not None:
            live.alarm.shelve(until)
            self._report(name)

    def _end(self, name: str) -> None:
        live = self._gate.find(name)
        now = self._clock.monotonic()
        if live is not None:
            live.alarm.shelved_until = min(live.alarm.shelved_until, now)
            live.alarm.observe(now, active=live.alarm.active, latched=live.alarm.latched)
        self._lasting.end(name, Shelve(alarm=name))
        self._report(name)
