"""One table of the journal, brought to what it should be however long the journal takes.

Changes of one key reach the disk in the order in which they were made. A commit of which nobody knows whether it is on
the disk is followed by another that says what holds: what a restart finds is what the gateway last believed.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence

from gateway.errors import StorageError
from gateway.storage.port import Change, Journal, Record, Table, Value

COMMIT_TIMEOUT = 5.0
"""Seconds that the disk gets for a commit on which a reply waits."""
FIRST_RETRY, LAST_RETRY = 0.1, 1.0
"""Seconds between two attempts to get a commit onto the disk."""
MOST_RECORDS = 16
"""Records that wait for the disk under one key: the first, which says how it began, and the newest."""

_log = logging.getLogger("plantgate.control")


async def commit_in_time(
    journal: Journal,
    records: Sequence[Record],
    changes: Sequence[Change],
    *,
    urgent: bool = False,
    mended: Collection[Table] = (),
) -> str:
    """Commit, and return the hash of the last record, empty without one. Raises StorageError, also for a slow disk."""
    try:
        async with asyncio.timeout(COMMIT_TIMEOUT):
            chained = await journal.commit(records, changes, urgent=urgent, mended=mended)
    except TimeoutError:
        raise StorageError("journal_unavailable", "the disk does not answer") from None
    return chained[-1].hash.hex() if chained else ""


class KeptTable:
    """What one table should hold, and the commits that make it so."""

    def __init__(self, journal: Journal, table: Table, *, urgent: bool = False) -> None:
        """Urgent: of all its commits, so that none overtakes another."""
        self.values: dict[str, Value] = {}
        """By key; to be changed by `put` and `commit` alone."""
        self.is_damaged = False
        """That entries may be missing: whoever needs one of them must deny."""
        self._journal = journal
        self._table = table
        self._urgent = urgent
        self._uncertain: set[str] = set()
        """Keys whose entry on the disk may be another than `values` has."""
        self._records: dict[str, list[Record]] = {}
        self._present: set[str] = set()
        """Keys of which the disk is known to have an entry, an older one maybe."""
        self._held: set[str] = set()
        """Keys of a commit that is awaited; nothing may come behind it meanwhile."""
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def load(self) -> None:
        """Read the table. One that cannot be read is damaged: nobody knows what is in it."""
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT):
                loaded = await self._journal.load(self._table)
        except (StorageError, TimeoutError) as error:
            _log.error("table_unreadable", extra={"table": self._table.value, "why": str(error) or "timeout"})
            self.is_damaged = True
            return
        self.values = dict(loaded.values)
        self._present = set(self.values)
        self.is_damaged = loaded.damaged
        if loaded.damaged:
            _log.error("table_damaged", extra={"table": self._table.value})

    async def keys_on_disk(self) -> frozenset[str]:
        """Return the keys that the table has, whatever it should. Raises StorageError."""
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT):
                return frozenset((await self._journal.load(self._table)).values)
        except TimeoutError:
            raise StorageError("journal_unavailable", "the disk does not answer") from None

    def is_certain(self, key: str) -> bool:
        """Return whether the disk is known to have what it should."""
        return key not in self._uncertain and key not in self._tasks

    def is_present(self, key: str) -> bool:
        """Return whether the disk is known to have an entry, be it that it should be another by now."""
        return key in self._present

    def put(self, key: str, value: Value | None, *records: Record) -> None:
        """Let the disk have this, with these records, as soon as it can; its commit is asked for in the next turn."""
        self._set(key, value)
        self._owe(key, records)
        self._start(key)

    async def commit(
        self,
        records: Sequence[Record],
        changes: Mapping[str, Value | None],
        more: Sequence[Change] = (),
        *,
        mended: bool = False,
    ) -> str:
        """Make changes, and what belongs to other tables with them; return the hash of the last record.

        Raises StorageError where they are not certain to be on the disk; then what held before holds on.
        """
        self._held.update(changes)
        done = False
        own = [Change(self._table, key, value) for key, value in changes.items()]
        try:
            last = await commit_in_time(
                self._journal, records, [*own, *more], urgent=self._urgent, mended=(self._table,) if mended else ()
            )
            done = True
        finally:
            self._conclude(changes, done=done)
        self.is_damaged = self.is_damaged and not mended
        return last

    async def close(self, seconds: float = 1.0) -> None:
        """Give the disk some time for what is not on it; what is not there then, a restart does not find."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=seconds)
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _conclude(self, changes: Mapping[str, Value | None], *, done: bool) -> None:
        self._held.difference_update(changes)
        for key, value in changes.items():
            if done:
                self._set(key, value)
                self._uncertain.discard(key)
            self._note(key, value if done else None)
            if not done or self._records.get(key):
                self._owe(key, ())
                self._start(key)

    def _set(self, key: str, value: Value | None) -> None:
        if value is None:
            self.values.pop(key, None)
        else:
            self.values[key] = value

    def _owe(self, key: str, records: Sequence[Record]) -> None:
        self._uncertain.add(key)
        owed = [*self._records.get(key, ()), *records]
        del owed[1 : 1 - MOST_RECORDS]
        self._records[key] = owed

    def _start(self, key: str) -> None:
        if key not in self._tasks and key not in self._held:
            self._tasks[key] = asyncio.create_task(self._settle(key), name=f"{self._table.value} {key}")

    async def _settle(self, key: str) -> None:
        """Commit until the disk has what it should."""
        pause = FIRST_RETRY
        try:
            while key in self._uncertain and key not in self._held:
                if not await self._try(key):
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LAST_RETRY)
        finally:
            del self._tasks[key]

    async def _try(self, key: str) -> bool:
        self._uncertain.discard(key)
        records, value = self._records.pop(key, []), self.values.get(key)
        try:
            await self._journal.commit(records, [Change(self._table, key, value)], urgent=self._urgent)
        except StorageError:
            self._owe_again(key, records)
            return False
        except ValueError as error:
            # One record that cannot be written must not keep a latch from the disk.
            _log.error("not_recordable", extra={"table": self._table.value, "key": key, "why": str(error)})
            bare = [{name: each[name] for name in ("kind", "constraint") if name in each} for each in records]
            if records:  # without one it is the value itself, and there is nothing to be done
                self._owe_again(key, [] if bare == records else bare)
            return not records
        self._note(key, value)
        return True

    def _note(self, key: str, value: Value | None) -> None:
        if value is None:
            self._present.discard(key)
        else:
            self._present.add(key)

    def _owe_again(self, key: str, records: Sequence[Record]) -> None:
        later = self._records.pop(key, [])
        self._owe(key, [*records, *later])
