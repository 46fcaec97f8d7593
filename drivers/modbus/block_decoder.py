"""From the bytes of one block to the samples that changed in it.

Pure. Compiled once: a block that did not change costs one comparison of bytes, and one that did is unpacked
as a whole, after which only the values whose bits differ are looked at.
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import compress
from operator import ne
from typing import Any, NamedTuple

from drivers.base import Change
from drivers.modbus.cell import FALSE, TRUE, Cell, converter
from drivers.modbus.codec import FORMATS, TEXTS, UNSIGNED, is_little, swap_bytes, swaps_bytes
from drivers.values import Quality, Sample


class BitDecoder:
    """Decodes the replies about one block of coils or discrete inputs, low bit first."""

    def __init__(self, places: Iterable[tuple[int, int]]) -> None:
        """Places: of each point its place among the device's points, and its bit from the start of the block."""
        points = list(places)
        self._masks: list[list[tuple[int, int]]] = [[] for _ in range(max(bit for _, bit in points) // 8 + 1)]
        for point, bit in points:
            self._masks[bit // 8].append((point, 1 << bit % 8))
        self._raw = b""

    def decode(self, raw: bytes) -> Sequence[Change]:
        """Return the points that are not as in the bytes of the last call; at the first call all of them."""
        last, self._raw = self._raw, raw
        if raw == last:
            return ()
        if not last:
            return [(point, TRUE if byte & mask else FALSE) for byte, mask, point in self._every(raw)]
        return [
            (point, TRUE if raw[index] & mask else FALSE)
            for index in compress(range(len(self._masks)), map(ne, raw, last))
            for point, mask in self._masks[index]
            if (raw[index] ^ last[index]) & mask
        ]

    def _every(self, raw: bytes) -> Iterator[tuple[int, int, int]]:
        for byte, masks in zip(raw, self._masks, strict=False):
            for point, mask in masks:
                yield byte, mask, point


class RegisterDecoder:
    """Decodes the replies about one block of registers."""

    def __init__(self, cells: Iterable[Cell], registers: int) -> None:
        """Registers: how long the block is."""
        fields: dict[_Span, list[Cell]] = {}
        for cell in cells:
            fields.setdefault(_span(cell), []).append(cell)
        self._layers = _layers(fields, 2 * registers)
        self._needs_swapped = any(layer.swapped for layer in self._layers)
        self._raw = b""

    def decode(self, raw: bytes) -> Sequence[Change]:
        """Return the points that are not as in the bytes of the last call; at the first call all of them."""
        if raw == self._raw:
            return ()
        self._raw = raw
        swapped = swap_bytes(raw) if self._needs_swapped else b""
        changes: list[Change] = []
        for layer in self._layers:
            changes += layer.decode(swapped if layer.swapped else raw)
        return changes


class _Span(NamedTuple):
    """Bytes of a block that are unpacked as one value; points that share them share the value."""

    swapped: bool
    """Whether they are taken from the block with the bytes of each register swapped."""
    little: bool
    text: bool
    start: int
    width: int

    @property
    def end(self) -> int:
        return self.start + self.width

    @property
    def raw_format(self) -> str:
        return f"{self.width}s" if self.text else UNSIGNED[self.width]


def _span(cell: Cell) -> _Span:
    # Reversed registers with the right bytes are little endian once each register's bytes are swapped.
    text = cell.data_type in TEXTS
    little = is_little(cell.order) and not text
    swapped = swaps_bytes(cell.order) is not little
    return _Span(swapped, little, text, 2 * cell.start, 2 * cell.length)


class _NumberLayer:
    """Numbers that do not overlap, each of one point: unpacked at once, compared by their bits."""

    def __init__(self, fields: Sequence[tuple[_Span, list[Cell]]], size: int) -> None:
        first = fields[0][0]
        self.swapped = first.swapped
        self._points = [cells[0].point for _, cells in fields]
        self._places = range(len(fields))
        self._size = size
        spans = [span for span, _ in fields]
        self._unpack = _compile(spans, [FORMATS[cells[0].data_type] for _, cells in fields], size)
        self._unpack_bits = _compile(spans, [span.raw_format for span in spans], size)
        self._last = -1

    def decode(self, raw: bytes) -> list[Change]:
        values = self._unpack(raw)
        points, good, new = self._points, Quality.GOOD, tuple.__new__
        number = int.from_bytes(raw, "big")
        last, self._last = self._last, number
        if last < 0:
            return [(point, Sample(value)) for point, value in zip(points, values, strict=True)]
        # Bits are compared, not values: a NaN differs from itself.
        differing = self._unpack_bits((number ^ last).to_bytes(self._size, "big"))
        # A NamedTuple's own constructor takes half as long again, and this line is the cost of a scan.
        return [
            (points[place], new(Sample, (values[place], good, "", None))) for place in compress(self._places, differing)
        ]


class _ConvertLayer:
    """Values that do not overlap and need a step of their own: bits, texts, sentinels, shared registers."""

    def __init__(self, fields: Sequence[tuple[_Span, list[Cell]]], size: int) -> None:
        self.swapped = fields[0][0].swapped
        spans = [span for span, _ in fields]
        self._unpack = _compile(spans, [span.raw_format for span in spans], size)
        self._readings = [[_Reading(cell) for cell in cells] for _, cells in fields]
        self._last: tuple[Any, ...] = (None,) * len(fields)

    def decode(self, raw: bytes) -> list[Change]:
        values = self._unpack(raw)
        last, self._last = self._last, values
        return [
            (reading.point, sample)
            for place in compress(range(len(values)), map(ne, values, last))
            for reading in self._readings[place]
            if (sample := reading.take(values[place])) is not None
        ]


class _Reading:
    """One point of a _ConvertLayer, and its newest sample."""

    __slots__ = ("_convert", "_sample", "point")

    def __init__(self, cell: Cell) -> None:
        self.point = cell.point
        self._convert = converter(cell)
        self._sample: Sample | None = None

    def take(self, raw: Any) -> Sample | None:  # noqa: ANN401  (an int or bytes, as unpacked)
        """Return the sample where it is another than the last one."""
        sample = self._convert(raw)
        if sample == self._sample:
            return None
        self._sample = sample
        return sample


def _layers(fields: dict[_Span, list[Cell]], size: int) -> list["_NumberLayer | _ConvertLayer"]:
    layers: list[_NumberLayer | _ConvertLayer] = []
    for kind in (_NumberLayer, _ConvertLayer):
        chosen = [(span, cells) for span, cells in fields.items() if _is_plain(cells) is (kind is _NumberLayer)]
        layers += [kind(row, size) for row in _rows(chosen)]
    return layers


def _is_plain(cells: Sequence[Cell]) -> bool:
    if len(cells) != 1 or cells[0].data_type not in FORMATS:
        return False
    return not (cells[0].not_implemented or cells[0].nan_is_absent)


def _rows(fields: list[tuple[_Span, list[Cell]]]) -> list[list[tuple[_Span, list[Cell]]]]:
    """Deal fields into as few rows as will do, so that those of a row can be unpacked in one go."""
    rows: list[list[tuple[_Span, list[Cell]]]] = []
    for field in sorted(fields, key=lambda field: field[0].start):
        for row in rows:
            end = row[-1][0]
            if (end.swapped, end.little) == (field[0].swapped, field[0].little) and end.end <= field[0].start:
                row.append(field)
                break
        else:
            rows.append([field])
    return rows


def _compile(spans: Sequence[_Span], formats: Sequence[str], size: int) -> Callable[[bytes], tuple[Any, ...]]:
    parts, end = ["<" if spans[0].little else ">"], 0
    for span, code in zip(spans, formats, strict=True):
        parts.append(f"{span.start - end}x{code}")
        end = span.end
    return struct.Struct("".join((*parts, f"{size - end}x"))).unpack
