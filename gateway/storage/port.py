"""What the core sees of the journal: commit, load, find, and how it is. Nothing here touches a disk.

A commit is one transaction: its records and its changes are on the disk together when it returns, or the
caller is told that they are not to be relied on.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Protocol, TypeAlias

DAY = 86400.0
MIB = 1024 * 1024

Record: TypeAlias = Mapping[str, Any]
"""What happened, as plain JSON values; the journal adds sequence, times and boot id."""
Value: TypeAlias = Mapping[str, Any]
"""What is kept under a key: a JSON object."""


class Table(StrEnum):
    """Small state under keys, changed in the same transaction as the record that says why."""

    TRIPS = "trips"
    BYPASSES = "bypasses"
    SHELVES = "shelves"
    COMMANDS = "commands"
    """Bounded: by `Limits.command_age` and `Limits.commands`, oldest first. The others are as small as the plant."""
    INTENTS = "intents"
    """Commands with an intent and no settled outcome: what has to be found out by reading."""
    SEQUENCES = "sequences"
    PRIORITIES = "priorities"
    SAGAS = "sagas"
    LEASES = "leases"


@dataclass(frozen=True, slots=True)
class Change:
    """One key set to a value, or removed where the value is None."""

    table: Table
    key: str
    value: Value | None


class Head(NamedTuple):
    """Where a chain stands: its last sequence and hash. Known elsewhere too, it proves that no tail was cut off."""

    sequence: int
    hash: bytes


GENESIS = Head(0, bytes(32))
"""What the first record of a chain follows."""


class Chained(NamedTuple):
    """A record in its place: `body` holds the bytes that `hash` covers, together with the hash before."""

    sequence: int
    hash: bytes
    body: bytes

    @property
    def head(self) -> Head:
        """Where the chain stands with this record as its last."""
        return Head(self.sequence, self.hash)


class Chain(Protocol):
    """How records are chained; the journal is handed one and knows no hash function of its own."""

    def link(self, head: Head, record: Record) -> Chained:
        """Return the record as the next after `head`. Raises ValueError for what cannot be recorded."""

    def follows(self, head: Head, chained: Chained) -> bool:
        """Tell whether a record is the one that was chained after `head`, to the byte."""


class Loaded(NamedTuple):
    """A table. Damaged: entries may be missing or were thrown away; whoever needs one of them must deny.

    It stays damaged, over restarts too, until a commit names the table in `mended`: a person has looked.
    """

    values: Mapping[str, Value]
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class JournalState:
    """How the journal is. Unhealthy: every commit that is not urgent fails at once, with this reason."""

    healthy: bool = False
    reason: str = "not open yet"
    size: int = 0
    """Bytes of the records that are kept."""
    nearly_full: bool = False
    """At 80 % of the most that is kept; beyond all of it, the oldest sealed segments are dropped."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is bounded, and by how much."""

    size: int = 1024 * MIB
    """Bytes of records that are kept; beyond, the oldest sealed segments go."""
    segment: int = 64 * MIB
    """Bytes of records after which a segment is sealed."""
    reserve: int = 4 * MIB
    """Bytes of disk held back, so that urgent commits succeed on a full disk."""
    waiting: int = 1000
    """Requests that may wait; one more is refused. Urgent ones have as many places again, and go first."""
    batch: int = 200
    """Requests put into one transaction."""
    retry: float = 5.0
    """Seconds between two attempts to get an unavailable journal back."""
    commands: int = 1_000_000
    command_age: float = 30 * DAY
    """Seconds, on the wall clock."""
    tail: int = 1000
    """Records whose hashes are checked at each opening; `plantgate audit verify` checks all."""


ChainedListener: TypeAlias = Callable[[Sequence[Chained]], None]
StateListener: TypeAlias = Callable[[JournalState], None]


class Journal(Protocol):
    """The journal as everyone but its owner sees it. All methods belong to the event loop; none of them holds it."""

    @property
    def state(self) -> JournalState:
        """How it is, as far as the loop has been told."""

    async def commit(
        self,
        records: Sequence[Record],
        changes: Sequence[Change] = (),
        *,
        urgent: bool = False,
        mended: Collection[Table] = (),
    ) -> Sequence[Chained]:
        """Return the records, chained, once they and the changes are on the disk: one transaction, one fsync.

        Urgent (a trip): goes before the others, may use the reserve on a full disk, and is tried even while
        the journal is unhealthy. A caller that stops waiting stops nothing: what was asked for is still written.

        Raises:
            StorageError: it is not certain to be on the disk. Where it turns out to be there after all, the
                journal takes its changes back and records which sequences were withdrawn.
            ValueError: a record or a value is not plain JSON; nothing of this commit is written.
        """

    async def load(self, table: Table) -> Loaded:
        """Return a whole table. Raises StorageError; ask for single commands with `find`, they may be many."""

    async def damaged(self) -> frozenset[Table]:
        """Return the tables that are damaged; see `Loaded`. Raises StorageError."""

    async def find(self, table: Table, key: str) -> Value | None:
        """Return what is kept under a key, None where nothing is. Raises StorageError."""

    def listen(self, listener: ChainedListener) -> None:
        """Hand over every record that reached the disk, the journal's own too, in the order of the chain."""

    def watch(self, listener: StateListener) -> None:
        """Tell of every change of `state`, but for a `size` that merely grows."""
