"""Several commits made into one transaction; each keeps an answer of its own. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.storage.port import Chain, Chained, Change, Head, Record, Table, Value

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class Put(NamedTuple):
    """A change with its value as it is stored."""

    table: Table
    key: str
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Entry:
    """What one caller wants written."""

    records: Sequence[Record]
    puts: Sequence[Put] = ()
    mended: frozenset[Table] = frozenset()
    damaged: frozenset[Table] = frozenset()


class Links(NamedTuple):
    """The entries of one transaction with their records chained, and where the chain then stands."""

    entries: Sequence[tuple[Entry, tuple[Chained, ...] | ValueError]]
    """ValueError: this entry cannot be recorded, and nothing of it is."""
    head: Head

    @property
    def good(self) -> list[tuple[Entry, tuple[Chained, ...]]]:
        """Those that can be recorded."""
        return [(entry, links) for entry, links in self.entries if not isinstance(links, ValueError)]


def encode(changes: Sequence[Change]) -> tuple[Put, ...]:
    """Return changes as they are stored. Raises ValueError for a value that is not plain JSON."""
    try:
        return tuple(
            Put(change.table, change.key, None if change.value is None else _encode(change.value).encode())
            for change in changes
        )
    except (TypeError, ValueError) as error:
        raise ValueError(f"a value to keep is not plain JSON: {error}") from error


def decode(value: bytes) -> Value:
    """Return a value as it was given."""
    kept: Value = json.loads(value)
    return kept


def link(chain: Chain, head: Head, entries: Sequence[Entry]) -> Links:
    """Chain the records of all entries after `head`, leaving out an entry with one that cannot be recorded."""
    linked: list[tuple[Entry, tuple[Chained, ...] | ValueError]] = []
    for entry in entries:
        made: list[Chained] = []
        try:
            for record in entry.records:
                made.append(chain.link(made[-1].head if made else head, record))
        except ValueError as error:
            linked.append((entry, error))
            continue
        head = made[-1].head if made else head
        linked.append((entry, tuple(made)))
    return Links(linked, head)
