"""The write half of one device in memory: one frame a write, noted by the plant, as on a real wire."""

from collections.abc import Mapping, Sequence
from math import isfinite

from drivers.base import Change, Surroundings
from drivers.errors import DeviceFault, LinkLost
from drivers.memory.plant import Frame
from drivers.memory.reader import MemoryConnection, answer, data_type_of
from drivers.memory.settings import FOREVER, TIMEOUT, MemoryDevice, MemoryPoint
from drivers.values import DataType, Sample, Value, bad
from drivers.writing import NotSent, Raw, Unanswered, WritePermit, WriterOf, generation_of

_LARGEST = 2**63 - 1


class MemoryWriter:
    """Writes the cells of one device."""

    def __init__(
        self,
        name: str,
        connection: MemoryConnection,
        device: MemoryDevice,
        points: Mapping[int, MemoryPoint],
        around: Surroundings | None = None,
    ) -> None:
        self.generation = generation_of(connection)
        self._name = name
        self._connection = connection
        self._unit = device.unit
        self._points = dict(points)
        patience = None if around is None else around.patience
        self._patience = FOREVER if patience is None else patience

    async def prepare(self) -> None:
        """Make the cells, where no reader has."""
        for point in self._points.values():
            if point.start is not None:
                self._connection.plant.cells.setdefault(point.address, Sample(point.start))

    def encode(self, point: int, value: Value) -> Value:
        address = self._points[point].address
        held = data_type_of(self._cell(point).value)
        if held is None:
            raise ValueError(f"{address}: what it holds is not known, and so not what it can hold")
        if held in {DataType.BOOL, DataType.STRING}:
            if data_type_of(value) is not held:
                raise ValueError(f"{address}: {_shown(value)} is no {held.value}")
            return value
        try:
            return _number(value, held)
        except (ValueError, OverflowError):
            raise ValueError(f"{address}: {_shown(value)} is no {held.value}") from None

    def decode(self, point: int, raw: Raw) -> Sample:  # noqa: ARG002  (all cells are alike)
        return Sample(raw)

    async def write(self, point: int, tag: str, raw: Raw, permit: WritePermit) -> None:
        connection, far = self._connection, self._connection.plant
        if connection.is_broken or not connection.is_open:
            raise NotSent("disconnected", f"{self._points[point].address}: the memory plant is cut off")
        permit.spend(self._name, tag, raw, self.generation)
        refusal = far.refusal
        far.receive(Frame(self._unit, self._points[point].address, raw))
        try:
            latency = float("inf") if self._unit in far.mute else far.latency
            await answer(connection, self._unit, latency, min(self._patience, TIMEOUT))
        except DeviceFault as fault:
            raise Unanswered(fault.kind, str(fault)) from None
        if refusal is not None:
            raise refusal

    async def read_back(self, points: Sequence[int]) -> Sequence[Change]:
        far = self._connection.plant
        if not self._connection.is_open:
            raise LinkLost("disconnected", "the memory plant is cut off")
        far.asked(self._unit, "read")
        await answer(self._connection, self._unit, far.latency, self._patience)
        if far.fault is not None:
            raise far.fault
        return [(point, self._cell(point)) for point in points]

    def _cell(self, point: int) -> Sample:
        return self._connection.plant.cells.get(self._points[point].address, bad("unknown_address"))


def _number(value: Value, held: DataType) -> Value:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if held is DataType.FLOAT64 and isfinite(float(value)):
            return float(value)
        if held is DataType.INT64 and int(value) == value and abs(value) <= _LARGEST:
            return int(value)
    raise ValueError


def _shown(value: Value) -> str:
    return repr(value)[:200]


WRITER: WriterOf = MemoryWriter
