"""What persons granted for a time, by name: kept over restarts, and ended on record when the time is over."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from gateway.audit.record import AuditRecord
from gateway.control.kept_table import KeptTable
from gateway.control.lasting_time import LastingTime
from gateway.storage.port import Change, Journal, Table

EVERY = 1.0
"""Seconds between two looks at what is over."""

Ended: TypeAlias = Literal["expired", "unmeasurable"]


class Left(NamedTuple):
    """A grant that goes on."""

    name: str
    seconds: float


class Over(NamedTuple):
    """A grant that has ended, and why."""

    name: str
    why: Ended


class Lasting:
    """The grants of one table."""

    def __init__(self, journal: Journal, table: Table, time: LastingTime) -> None:
        self._table = KeptTable(journal, table)
        self._time = time

    async def load(self) -> None:
        """Read what the last run left. What may have been lost is no grant, so damage denies by itself."""
        await self._table.load()

    def look(self) -> tuple[list[Left], list[Over]]:
        """Return what goes on, and what is over and has to be ended."""
        left, over = list[Left](), list[Over]()
        for name, granted in self._table.values.items():
            seconds = self._time.left(granted)
            if seconds is None:
                over.append(Over(name, "unmeasurable"))
            elif seconds > 0:
                left.append(Left(name, seconds))
            else:
                over.append(Over(name, "expired"))
        return left, over

    async def grant(self, name: str, seconds: float, record: AuditRecord, more: Sequence[Change]) -> str:
        """Put a grant from now on onto the disk; return the hash of its record. Raises StorageError: none is given."""
        value: dict[str, Any] = self._time.grant(seconds)
        mended = self._table.is_damaged
        changes = {**(self._table.values if mended else {}), name: value}
        return await self._table.commit([record.plain()], changes, more, mended=mended)

    def end(self, name: str, record: AuditRecord) -> None:
        """Take a grant off the disk, as soon as it can."""
        self._table.put(name, None, record.plain())

    async def close(self) -> None:
        """Give the disk a last chance."""
        await self._table.close()


Report: TypeAlias = Callable[[str], None]
"""Shows the constraint of that name anew."""
