"""Modbus tables in memory: words and bits of one unit, filled from readings, taken apart into values.

Pure, and the simulators' own encoding: big-endian words, the high word first; texts filled up with NUL.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from math import copysign, inf, isnan
from typing import get_args

from simulators.faults import Reading
from simulators.spec import RegisterSpec, RegisterType, Signal, Table

FORMATS: Mapping[RegisterType, str] = {
    "int16": ">h",
    "uint16": ">H",
    "int32": ">i",
    "uint32": ">I",
    "int64": ">q",
    "uint64": ">Q",
    "float32": ">f",
    "float64": ">d",
}

FLOAT32_MOST = 3.4028234663852886e38


def width(kind: RegisterType) -> int:
    """Return how many places of its table a value takes."""
    return 1 if kind == "bool" else struct.calcsize(FORMATS[kind]) // 2


def encode(kind: RegisterType, value: Signal) -> list[int]:
    """Return a value as words, or as one bit.

    What the type cannot hold becomes the nearest that it can, and NaN in an integer the lowest.
    """
    if kind == "bool":
        return [int(bool(value))]
    raw = struct.pack(FORMATS[kind], _fitted(kind, float(value)))
    return list(struct.unpack(f">{len(raw) // 2}H", raw))


def words_of(point: RegisterSpec, value: Signal) -> list[int]:
    """Return what a point's places hold for a value."""
    if point.type == "string":
        raw = str(value).encode()[: 2 * point.length].ljust(2 * point.length, b"\0")
        return list(struct.unpack(f">{point.length}H", raw))
    if not point.exponent:
        return encode(point.type, value)
    return encode(point.type, float(value) / 10.0**point.exponent)


def size(point: RegisterSpec) -> int:
    """Return how many places of its table a point takes."""
    return point.length if point.type == "string" else width(point.type)


def _fitted(kind: RegisterType, value: float) -> float:
    if kind == "float64":
        return value
    if kind == "float32":
        return value if abs(value) <= FLOAT32_MOST or isnan(value) else copysign(inf, value)
    bits = 16 * width(kind)
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if FORMATS[kind].islower() else (0, (1 << bits) - 1)
    if isnan(value) or value <= low:
        return low
    return high if value >= high else round(value)


def decode(kind: RegisterType, words: Sequence[int]) -> Signal:
    """Return the value that words, or one bit, stand for."""
    if kind == "bool":
        return bool(words[0])
    value: int | float = struct.unpack(FORMATS[kind], struct.pack(f">{len(words)}H", *words))[0]
    return value


class Registers:
    """The four tables of one unit: where each point is, and what the places hold."""

    def __init__(self, points: Sequence[RegisterSpec], blank: Sequence[tuple[Table, int, int]] = ()) -> None:
        """Lay the points out, and blanks from a first to a last place around them.

        Raises ValueError where two points overlap or a type does not suit its table.
        """
        self._points: dict[Table, dict[int, RegisterSpec]] = {table: {} for table in get_args(Table)}
        self._words: dict[Table, dict[int, int]] = {table: {} for table in get_args(Table)}
        for table, first, last in blank:
            self._words[table] |= dict.fromkeys(range(first, last + 1), 0)
        for point in points:
            if (point.type == "bool") != (point.table in {"coil", "discrete"}):
                raise ValueError(f"{point.name}: {point.type} does not suit table {point.table}")
            for place in range(point.offset, point.offset + size(point)):
                if place in self._points[point.table]:
                    raise ValueError(f"{point.name}: {point.table}:{place} is taken")
                self._points[point.table][place] = point
                self._words[point.table][place] = 0

    def places(self, table: Table) -> list[int]:
        """Return the places that a table has, in order."""
        return sorted(self._words[table])

    def words(self, table: Table) -> Mapping[int, int]:
        """Return what a table's places hold."""
        return self._words[table]

    def show(self, point: RegisterSpec, reading: Reading) -> None:
        """Put a reading into the point's places."""
        for place, word in enumerate(words_of(point, reading.value), point.offset):
            self._words[point.table][place] = word

    def touched(self, table: Table, address: int, count: int) -> list[RegisterSpec]:
        """Return the points that have a place in a stretch of a table."""
        stretch = (self._points[table].get(place) for place in range(address, address + count))
        return list(dict.fromkeys(point for point in stretch if point is not None))

    def written(self, table: Table, address: int, words: Sequence[int]) -> Iterator[tuple[RegisterSpec, Signal]]:
        """Yield each point that a write touches, with the value that it would have after it."""
        after = {**self._words[table], **dict(enumerate(words, address))}
        for point in self.touched(table, address, len(words)):
            places = range(point.offset, point.offset + width(point.type))
            yield point, decode(point.type, [after[place] for place in places])
