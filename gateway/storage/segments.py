"""The chain in sealed segments: what is kept, what is sealed next, and what goes when there is too much. Pure."""

from dataclasses import dataclass
from typing import NamedTuple

from gateway.storage.port import Head, Limits, Record

NEARLY = 0.8


class Segment(NamedTuple):
    """A sealed stretch of the chain."""

    number: int
    first: int
    last: int
    size: int
    hash: bytes
    """Of its last record."""


@dataclass(frozen=True, slots=True)
class Turnover:
    """What the next transaction does beside what it was asked for; its records come first in it."""

    records: tuple[Record, ...] = ()
    sealed: Segment | None = None
    dropped: tuple[Segment, ...] = ()


@dataclass(slots=True)
class Segments:
    """The sealed segments that are kept, and the open one."""

    base: Head
    """What the first kept record follows."""
    sealed: list[Segment]
    number: int
    """Of the open segment; counted from 1."""
    open_bytes: int
    limits: Limits

    @property
    def size(self) -> int:
        """Bytes of all records that are kept."""
        return self.open_bytes + sum(segment.size for segment in self.sealed)

    @property
    def nearly_full(self) -> bool:
        """At 80 % of what may be kept."""
        return not self.size < NEARLY * self.limits.size

    def plan(self, head: Head) -> Turnover:
        """Return what is due before records are added after `head`."""
        sealed = None
        if self.open_bytes >= self.limits.segment:
            first = (self.sealed[-1].last if self.sealed else self.base.sequence) + 1
            sealed = Segment(self.number, first, head.sequence, self.open_bytes, head.hash)
        dropped, over = [], self.size - self.limits.size
        for segment in self.sealed:
            if over > 0:
                dropped.append(segment)
                over -= segment.size
        records = [*([_sealed(sealed)] if sealed else []), *([_dropped(dropped)] if dropped else [])]
        return Turnover(tuple(records), sealed, tuple(dropped))

    def carry_out(self, turnover: Turnover, added: int) -> None:
        """Follow what a transaction did: its turnover, and the bytes of all its records."""
        if turnover.sealed:
            self.sealed.append(turnover.sealed)
            self.number += 1
            self.open_bytes = 0
        for segment in turnover.dropped:
            self.sealed.remove(segment)
            self.base = Head(segment.last, segment.hash)
        self.open_bytes += added


def _sealed(segment: Segment) -> Record:
    return {
        "kind": "journal",
        "event": "sealed",
        "segment": segment.number,
        "first": segment.first,
        "last": segment.last,
        "bytes": segment.size,
        "hash": segment.hash.hex(),
    }


def _dropped(segments: list[Segment]) -> Record:
    return {
        "kind": "journal",
        "event": "dropped",
        "segments": [segment.number for segment in segments],
        "first": segments[0].first,
        "last": segments[-1].last,
        "hash": segments[-1].hash.hex(),
    }
