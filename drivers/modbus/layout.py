"""The blocks of one device: which addresses are asked for together, and how the answer is read.

Pure. A register that scales others is planned like a point, so that it comes with them where it is near;
it is counted behind the points, and no block tells it to anyone.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from drivers.base import Block
from drivers.modbus.block_decoder import BitDecoder, RegisterDecoder
from drivers.modbus.cell import Cell
from drivers.modbus.exponent import SENTINEL, Decoder, ScaledDecoder
from drivers.modbus.lessons import Lessons
from drivers.modbus.placement import place
from drivers.modbus.point import ModbusPoint
from drivers.modbus.read_plan import PlannedRead, Wanted, plan_reads
from drivers.modbus.register import RegisterRange
from drivers.modbus.settings import ModbusDevice
from drivers.values import DataType, Sample


class Part(NamedTuple):
    """One block: what it asks for, and the decoder of the answers to it."""

    block: Block
    range: RegisterRange
    spans: tuple[RegisterRange, ...]
    """What its points take, each once, by start and then the longest first."""
    exponents: frozenset[int]
    """Those of the registers which scale others that it brings."""
    decoder: Decoder


class Layout:
    """Plans the blocks of one device, and makes them anew where they have to be others."""

    def __init__(self, device: ModbusDevice, points: Sequence[ModbusPoint]) -> None:
        """Raises ValueError where a point can never be read."""
        self._profile = device.profile
        self._points = points
        self._places = place(device.profile, points)
        scaling = dict.fromkeys(each.exponent for each in self._places if each.exponent is not None)
        self._exponents = {where: index for index, where in enumerate(scaling, len(points))}
        self._targets = [*(each.range for each in self._places), *self._exponents]
        self._by_span: dict[RegisterRange, list[int]] = {}
        for index, span in enumerate(self._targets):
            self._by_span.setdefault(span, []).append(index)
        self.known: dict[int, Sample] = {}
        """What the registers that scale others said last."""
        plan_reads(self._wanted(self._by_span), device.profile.limits)

    def plan(self, lessons: Lessons) -> list[Part]:
        """Return the device's blocks; points that were missing last time spoil no others."""
        missing = set(lessons.missing) & self._by_span.keys()
        groups = [[span for span in self._by_span if (span in missing) is apart] for apart in (False, True)]
        planned = [read for spans in groups for read in plan_reads(self._wanted(spans), lessons.limits(spans))]
        parts = [self.part(self._spans(read)) for read in planned]
        # What only scales others goes first: then the first values are there at the first scan.
        return sorted(parts, key=lambda part: bool(part.block.points))

    def part(self, spans: Iterable[RegisterRange]) -> Part:
        """Return the block of these spans; its decoder has told nothing yet."""
        taken = tuple(spans)
        whole = taken[0]._replace(end=max(span.end for span in taken))
        indexes = sorted(index for span in taken for index in self._by_span[span])
        points = tuple(index for index in indexes if index < len(self._points))
        exponents = frozenset(indexes) - set(points)
        return Part(Block(points, str(whole)), whole, taken, exponents, self._decoder(whole, points, exponents))

    def _wanted(self, spans: Iterable[RegisterRange]) -> list[Wanted]:
        return [Wanted(index, span) for span in spans for index in self._by_span[span]]

    def _spans(self, read: PlannedRead) -> list[RegisterRange]:
        spans = {self._targets[index] for index in read.points}
        return sorted(spans, key=lambda span: (span.start, -span.end))

    def _decoder(self, whole: RegisterRange, points: Sequence[int], exponents: frozenset[int]) -> Decoder:
        if whole.table.holds_bits:
            return BitDecoder((index, self._targets[index].start - whole.start) for index in points)
        cells = [self._cell(index, whole.start) for index in points]
        cells += [self._exponent_cell(index, whole.start) for index in exponents]
        decoder = RegisterDecoder(cells, whole.end - whole.start)
        scaled = {
            index: self._exponents[exponent]
            for index in points
            if (exponent := self._places[index].exponent) is not None
        }
        return ScaledDecoder(decoder, exponents, scaled, self.known) if scaled or exponents else decoder

    def _cell(self, index: int, start: int) -> Cell:
        point, profile = self._points[index], self._profile
        where, bit, _ = self._places[index]
        is_text = point.data_type is DataType.STRING and profile.string_order is not None
        own = point.sentinels
        return Cell(
            point=index,
            start=where.start - start,
            length=point.count,
            data_type=point.data_type,
            order=point.order or (profile.string_order if is_text else None) or profile.order,
            bit=bit,
            encoding=point.encoding,
            not_implemented=profile.sentinels.get(point.data_type, frozenset()) if own is None else own,
            nan_is_absent=own is None and point.data_type in profile.absent_nans,
        )

    def _exponent_cell(self, index: int, start: int) -> Cell:
        return Cell(
            point=index,
            start=self._targets[index].start - start,
            length=1,
            data_type=DataType.INT16,
            order=self._profile.order,
            not_implemented=frozenset({SENTINEL}),
        )
