"""The read half: a wire to one MemoryPlant, and the cells of one device."""

import asyncio
from collections.abc import Sequence

from drivers.base import Block, Change, Listener, Plan, Reader, Surroundings
from drivers.errors import DeviceFault, LinkLost
from drivers.memory.plant import plant
from drivers.memory.settings import FOREVER, TIMEOUT, MemoryDevice, MemoryPoint
from drivers.values import DataType, Sample, Seconds, Value, bad


class MemoryConnection:
    """A wire to one MemoryPlant."""

    def __init__(self, device: MemoryDevice) -> None:
        self.plant = plant(device.url)
        self._lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._readers: list[MemoryReader] = []

    async def open(self) -> None:
        await self.plant.opened(self)

    async def close(self) -> None:
        self.plant.closed(self)

    async def lost(self) -> str:
        return await asyncio.shield(self._lost)

    def reader(
        self,
        device: MemoryDevice,
        points: Sequence[MemoryPoint],
        around: Surroundings | None = None,
    ) -> Reader:
        reader = MemoryReader(self, device.unit, points, None if around is None else around.patience)
        self._readers.append(reader)
        return reader

    @property
    def is_broken(self) -> bool:
        """That the wire was cut."""
        return self._lost.done()

    @property
    def is_open(self) -> bool:
        """That the wire was opened, and neither closed nor cut since."""
        return self.plant.has_open(self)

    def broken(self) -> None:
        """Cut this wire, from the far side."""
        self.plant.closed(self)
        if not self._lost.done():
            self._lost.set_result("the memory plant was cut off")

    def granted(self, period: float) -> None:
        """Pass on how often a sign of life is to be expected."""
        for reader in self._readers:
            reader.granted(period)

    def told(self, address: str | None) -> None:
        """Pass on a change of one cell, or a sign of life."""
        for reader in self._readers:
            reader.told(address)


class MemoryReader:
    """Reads the cells of one device: one block for the polled ones, one for those that report."""

    def __init__(
        self, connection: MemoryConnection, unit: int, points: Sequence[MemoryPoint], patience: Seconds | None
    ) -> None:
        """Patience: how long an answer may take; None for any time."""
        self._connection = connection
        self._unit = unit
        self._points = points
        self._patience = FOREVER if patience is None else patience
        self._last: dict[int, Sample] = {}
        self._subscribed: Block | None = None
        self._listener: Listener | None = None

    async def prepare(self) -> Plan:
        for point in self._points:
            if point.start is not None:
                self._connection.plant.cells.setdefault(point.address, Sample(point.start))
        polled = tuple(index for index, point in enumerate(self._points) if not point.push)
        pushed = tuple(index for index, point in enumerate(self._points) if point.push)
        self._subscribed = Block(pushed, "reported cells") if pushed else None
        return Plan(
            polled=[Block(polled, "polled cells")] if polled else [],
            subscribed=[self._subscribed] if self._subscribed else [],
        )

    def data_type(self, point: int) -> DataType | None:
        return data_type_of(self._cell(point).value)

    async def read(self, block: Block) -> Sequence[Change]:
        far = self._connection.plant
        far.requests += 1
        far.asked(self._unit, "read")
        await answer(self._connection, self._unit, far.latency, self._patience)
        if far.fault is not None:
            raise far.fault
        cells = [(index, self._cell(index)) for index in block.points]
        changes = [(index, cell) for index, cell in cells if not _alike(self._last.get(index), cell)]
        self._last.update(changes)
        return changes

    async def probe(self, within: Seconds) -> None:
        far = self._connection.plant
        far.probes += 1
        far.asked(self._unit, "probe")
        await answer(self._connection, self._unit, far.latency, within)
        if far.fault is not None and far.fault.kind == "timeout":  # any other is an answer
            raise far.fault

    async def subscribe(self, listener: Listener) -> None:
        if self._connection.is_broken:
            raise LinkLost("disconnected", "the memory plant was cut off")
        self._listener = listener
        if self._subscribed is not None:
            listener.received(self._subscribed, [(index, self._cell(index)) for index in self._subscribed.points])

    def forget(self, points: Sequence[int]) -> None:
        for index in points:
            self._last.pop(index, None)
        reported = [index for index in points if self._points[index].push]
        if reported:
            asyncio.get_running_loop().call_soon(self._tell_anew, reported)

    def granted(self, period: float) -> None:
        """Tell the listener how often a sign of life is to be expected, seconds."""
        if self._listener is not None and self._subscribed is not None:
            self._listener.granted(self._subscribed, period)

    def told(self, address: str | None) -> None:
        """Report a changed cell, or only a sign of life."""
        if self._listener is None or self._subscribed is None:
            return
        changed = [index for index in self._subscribed.points if self._points[index].address == address]
        if changed or address is None:
            self._listener.received(self._subscribed, [(index, self._cell(index)) for index in changed])

    def _tell_anew(self, reported: Sequence[int]) -> None:
        if self._listener is not None and self._subscribed is not None and self._connection.is_open:
            self._listener.received(self._subscribed, [(index, self._cell(index)) for index in reported])

    def _cell(self, index: int) -> Sample:
        return self._connection.plant.cells.get(self._points[index].address, bad("unknown_address"))


async def answer(connection: MemoryConnection, unit: int, latency: float, within: Seconds) -> None:
    """Wait for a unit's answer. Raises DeviceFault where there is none in time, and LinkLost."""
    is_late = unit in connection.plant.silent or latency > within
    await asyncio.sleep(min(within, TIMEOUT) if is_late else latency)
    if connection.is_broken:
        raise LinkLost("disconnected", "the memory plant was cut off")
    if is_late:
        raise DeviceFault("timeout", f"unit {unit}: no answer within {within:g} s")


def data_type_of(value: Value) -> DataType | None:
    """Return the type of what a cell holds."""
    match value:
        case bool():
            return DataType.BOOL
        case int():
            return DataType.INT64
        case float():
            return DataType.FLOAT64
        case str():
            return DataType.STRING
    return None


def _alike(one: Sample | None, other: Sample) -> bool:
    # To Python 1, 1.0 and True are equal; to whoever judges them they are not.
    return one is not None and one == other and type(one.value) is type(other.value)
