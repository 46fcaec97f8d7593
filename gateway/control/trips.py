"""The trips that are latched, on the disk: what a restart has to know before it permits anything."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeAlias

from gateway.audit.record import Reset, SafeState, Trip
from gateway.clock import Clock
from gateway.control.kept_table import KeptTable
from gateway.counters import ControlCounters
from gateway.storage.port import Change, Journal, Table, Value

PERSIST = 1.0
"""Seconds after which a trip that is not on the disk is an alarm."""

Tell: TypeAlias = Callable[[str, str, Mapping[str, Any]], None]
"""Event kind, what happened in one word, details."""

_log = logging.getLogger("plantgate.control")


class Trips:
    """Keeps the table of trips as the gate has them. It latches and resets nothing itself."""

    def __init__(self, journal: Journal, clock: Clock, counters: ControlCounters, tell: Tell) -> None:
        # All commits are urgent: a trip must not wait behind others, and no reset may overtake a trip.
        self._table = KeptTable(journal, Table.TRIPS, urgent=True)
        self._clock = clock
        self._counters = counters
        self._tell = tell
        self._timers: dict[str, asyncio.TimerHandle] = {}

    async def load(self) -> None:
        """Read what the last run left; to be called before the gate is made, and before `names` is asked."""
        await self._table.load()
        if self._table.values:
            _log.warning("trips_remembered", extra={"constraints": " ".join(sorted(self._table.values))})

    @property
    def names(self) -> frozenset[str]:
        """What is latched, as far as the disk will know: for `Gate(latched=...)`."""
        return frozenset(self._table.values)

    @property
    def is_damaged(self) -> bool:
        """That trips may have been lost: nothing may be permitted until a person has reset all."""
        return self._table.is_damaged

    def was_confirmed(self, name: str) -> bool:
        """Return whether the safe state of a remembered trip was read back, ever since it tripped."""
        return bool(self._table.values.get(name, {}).get("confirmed", False))

    def is_persisted(self, name: str) -> bool:
        """Return whether the disk is known to have the trip."""
        return self._table.is_present(name)

    def remember(self, record: Trip) -> None:
        """Put a trip onto the disk, starting in this step."""
        name = record.constraint
        has_safe_state = bool(record.safe_state)
        value = {
            "since": self._clock.wall(),
            "state": "pending" if has_safe_state else "",
            "confirmed": not has_safe_state,
        }
        self._table.put(name, value, record.plain())
        self._forget_timer(name)
        self._timers[name] = asyncio.get_running_loop().call_later(PERSIST, self._check, name)

    def note(self, name: str, record: SafeState) -> None:
        """Put onto the disk how the safe state of a latched trip came on."""
        value = self._table.values.get(name)
        if value is None:
            return
        confirmed = bool(value.get("confirmed")) or record.state == "confirmed"
        self._table.put(name, {**value, "state": record.state, "confirmed": confirmed}, record.plain())

    async def forget(
        self, names: Collection[str], records: Sequence[Reset], more: Sequence[Change] = (), *, mended: bool = False
    ) -> str:
        """Record resets and take the trips off the disk; return the hash of the last record. Raises StorageError.

        More: of other tables, in the same commit. Mended: that a person has looked at the damage; then what is
        latched still is written anew with it.
        """
        changes: dict[str, Value | None] = {}
        if mended:
            changes.update(self._table.values)
        changes.update(dict.fromkeys(names))
        plain = [record.plain() for record in records]
        done = await self._table.commit(plain, changes, more, mended=mended)
        for name in names:
            self._forget_timer(name)
        return done

    def value(self, name: str) -> Value:
        """Return what is kept of a trip."""
        return self._table.values.get(name) or {"since": self._clock.wall(), "state": "", "confirmed": False}

    async def keep(
        self, values: Mapping[str, Value], records: Sequence[Mapping[str, Any]], more: Sequence[Change] = ()
    ) -> str:
        """Put trips back whose reset the gate refused in the end. Whatever the disk says now, it will have them."""
        try:
            return await self._table.commit(records, dict(values), more)
        finally:
            for name, value in values.items():
                if self._table.values.get(name) != value:
                    self._table.put(name, value)

    async def read_anew(self) -> frozenset[str]:
        """Return what the disk says is latched. Raises StorageError."""
        return await self._table.keys_on_disk()

    async def close(self, seconds: float = 1.0) -> None:
        """Give the disk a last chance; to be called when nothing trips any more."""
        for name in list(self._timers):
            self._forget_timer(name)
        await self._table.close(seconds)

    def _check(self, name: str) -> None:
        self._timers.pop(name, None)
        if self._table.is_present(name):
            return
        self._counters.unpersisted += 1
        _log.error("trip_unpersisted", extra={"constraint": name, "then": "latched all the same, trying on"})
        self._tell("trip", "unpersisted", {"constraint": name})

    def _forget_timer(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
