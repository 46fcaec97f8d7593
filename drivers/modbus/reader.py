"""The read half of one Modbus unit: its plan of requests, and what each brings."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from drivers.base import Block, Change, Listener, Plan, Surroundings
from drivers.modbus.block_decoder import BitDecoder, RegisterDecoder
from drivers.modbus.cell import Cell
from drivers.modbus.point import ModbusPoint
from drivers.modbus.read_plan import PlannedRead, Wanted, plan_reads
from drivers.modbus.request import ReadRequest, read_request
from drivers.modbus.settings import ModbusDevice
from drivers.values import DataType, Seconds

Ask: TypeAlias = Callable[[ReadRequest, float], Awaitable[bytes]]
"""Sends a request and returns the values of its reply, within so many seconds; raises DeviceFault."""


class _Decoder(Protocol):
    def decode(self, raw: bytes) -> Sequence[Change]:
        """Return what changed since the last call."""


class _Read(NamedTuple):
    request: ReadRequest
    decoder: _Decoder


class ModbusReader:
    """Reads the points of one unit, block by block."""

    def __init__(
        self, device: ModbusDevice, points: Sequence[ModbusPoint], ask: Ask, around: Surroundings | None = None
    ) -> None:
        """Ask: the way onto the wire. Raises ValueError where a point can never be read."""
        self._types = [point.data_type for point in points]
        self._ask = ask
        self._around = around or Surroundings()
        self._timeout = device.answer_within(self._around.patience)
        self._reads = {
            Block(planned.points, str(planned.range)): _Read(
                read_request(device, planned.range), _decoder(device, planned, points)
            )
            for planned in _plan(device, points)
        }

    async def prepare(self) -> Plan:
        return Plan(polled=list(self._reads))

    def data_type(self, point: int) -> DataType | None:
        return self._types[point]

    async def read(self, block: Block) -> Sequence[Change]:
        request, decoder = self._reads[block]
        return decoder.decode(await self._ask(request, self._timeout))

    async def probe(self, within: Seconds) -> None:
        for read in self._reads.values():
            await self._ask(read.request, min(within, self._timeout))
            return

    async def subscribe(self, listener: Listener) -> None:
        """Do nothing: a Modbus device reports nothing by itself, and the plan says so."""


def check_points(device: ModbusDevice, points: Sequence[ModbusPoint]) -> None:
    """Raise ValueError where a point can never be read: it lies in a hole, or is longer than a request."""
    _plan(device, points)


def _plan(device: ModbusDevice, points: Sequence[ModbusPoint]) -> list[PlannedRead]:
    return plan_reads([Wanted(index, point.range) for index, point in enumerate(points)], device.profile.limits)


def _decoder(device: ModbusDevice, planned: PlannedRead, points: Sequence[ModbusPoint]) -> _Decoder:
    table, start, end = planned.range
    if table.holds_bits:
        return BitDecoder((index, points[index].register.offset - start) for index in planned.points)
    cells = [_cell(index, points[index], start, device) for index in planned.points]
    return RegisterDecoder(cells, end - start)


def _cell(index: int, point: ModbusPoint, start: int, device: ModbusDevice) -> Cell:
    _, offset, bit = point.register
    return Cell(
        point=index,
        start=offset - start,
        length=point.count,
        data_type=point.data_type,
        order=point.order or device.profile.order,
        bit=bit,
        encoding=point.encoding,
        not_implemented=point.sentinels,
    )
