"""From the addresses that are wanted to the fewest requests that bring them.

Pure. A value is never split over two requests, and a declared hole is never asked for.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from drivers.modbus.register import RegisterRange, Table


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may ask for."""

    max_block: int = 120
    """Registers."""
    max_gap: int = 8
    """Registers that may be read for nothing between two that are wanted."""
    max_bits: int = 2000
    max_bit_gap: int = 128
    holes: Sequence[RegisterRange] = ()
    """Never read: not asked for, and not read for nothing either."""
    base: int = 0
    """What the configuration calls the first address of a table, for messages."""

    def sizes(self, table: Table) -> tuple[int, int]:
        """Return the longest block and the longest gap of a table."""
        return (self.max_bits, self.max_bit_gap) if table.holds_bits else (self.max_block, self.max_gap)


class Wanted(NamedTuple):
    """The addresses that one point takes."""

    point: int
    range: RegisterRange


class PlannedRead(NamedTuple):
    """One request, and the points that its answer brings."""

    range: RegisterRange
    points: tuple[int, ...]
    """Ascending."""


def plan_reads(wanted: Iterable[Wanted], limits: Limits) -> list[PlannedRead]:
    """Return the requests, by table and address. Raises ValueError for a point that no request may bring."""
    # Of points with the same start the longest goes first: it may have to begin a block, and the others join it.
    ordered = sorted(wanted, key=lambda one: (one.range.table.value, one.range.start, -one.range.end))
    for one in ordered:
        _check(one.range, limits)
    return [
        read
        for table, group in groupby(ordered, key=lambda one: one.range.table)
        for read in _plan_table(
            list(group), limits.sizes(table), [hole for hole in limits.holes if hole.table is table]
        )
    ]


def _check(wanted: RegisterRange, limits: Limits) -> None:
    longest, _ = limits.sizes(wanted.table)
    if not wanted.end - wanted.start <= longest:
        size, named = wanted.end - wanted.start, wanted.shifted(limits.base)
        raise ValueError(f"{named} takes {size} addresses, and one request brings {longest}")
    for hole in limits.holes:
        if hole.overlaps(wanted):
            named, where = wanted.shifted(limits.base), hole.shifted(limits.base)
            raise ValueError(f"{named} lies in the hole {where}, which is never read; correct one of the two")


def _plan_table(wanted: list[Wanted], sizes: tuple[int, int], holes: list[RegisterRange]) -> list[PlannedRead]:
    # Taking each point, by its start, into the block before it whenever it fits gives the fewest requests: what
    # does not fit begins the next block, and whatever a later point could have had there it has in this one too.
    longest, gap = sizes
    reads: list[PlannedRead] = []
    taken: list[Wanted] = []
    end = 0
    for one in wanted:
        start = one.range.start
        if taken and not (
            one.range.end - taken[0].range.start <= longest
            and start - end <= gap
            and not any(end <= hole.start < start for hole in holes)
        ):
            reads.append(_read(taken, end))
            taken = []
        end = max(end, one.range.end) if taken else one.range.end
        taken.append(one)
    if taken:
        reads.append(_read(taken, end))
    return reads


def _read(taken: list[Wanted], end: int) -> PlannedRead:
    first = taken[0].range
    return PlannedRead(first._replace(end=end), tuple(sorted(one.point for one in taken)))
