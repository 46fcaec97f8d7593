"""A driver whose devices live in this process: for tests, and for trying a configuration without a plant.

Each URL `memory://NAME` is one MemoryPlant, shared by everyone who names it.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from drivers.base import Block, Change, Driver, Listener, Plan, Reader, Surroundings
from drivers.errors import DeviceFault, LinkLost
from drivers.values import DataType, Quality, Sample, Seconds, Value, bad


@dataclass(frozen=True, slots=True)
class MemoryDevice:
    """A device in memory."""

    url: str = "memory://plant"
    unit: int = 1
    """Units at one URL share its wire and its cells; each can fall silent by itself."""

    def __post_init__(self) -> None:
        if not self.url.startswith("memory://"):
            raise ValueError(f"url: {self.url!r} does not start with memory://")


@dataclass(frozen=True, slots=True)
class MemoryPoint:
    """A cell of the device, by any name."""

    address: str
    start: bool | int | float | str | None = None
    """The value it has when nobody has set one; without it the cell is unknown to the device."""
    push: bool = False
    """Reported by the device at every change, instead of polled."""


TIMEOUT = Seconds(1.0)
"""How long a silent unit is waited for, where nobody is less patient."""
FOREVER = Seconds(float("inf"))


def _listen_to_nothing(unit: int, asked: str) -> None:
    """Leave a request unnoted."""


class MemoryPlant:
    """The far side: cells that a test or a program sets, and a wire that it can cut."""

    def __init__(self) -> None:
        self.cells: dict[str, Sample] = {}
        self.reachable = True
        self.latency = 0.0
        """Seconds that every answer takes."""
        self.fault: DeviceFault | None = None
        """What every read raises while it is set."""
        self.silent: set[int] = set()
        """The units that answer nothing."""
        self.asked: Callable[[int, str], None] = _listen_to_nothing
        """Told the unit of every request, and whether it is a `read` or a `probe`."""
        self.requests = 0
        self.probes = 0
        self._open: set[MemoryConnection] = set()

    def set(self, address: str, value: Value, quality: Quality = Quality.GOOD, reason: str = "") -> None:
        """Give a cell a new value, and tell those who subscribed to it."""
        self.cells[address] = Sample(value, quality, reason)
        for connection in self._open:
            connection.told(address)

    def beat(self) -> None:
        """Let every subscription say that it lives, as a keep-alive does."""
        for connection in self._open:
            connection.told(None)

    def grant(self, period: float) -> None:
        """Tell every subscriber that a sign of life comes only every so many seconds."""
        for connection in self._open:
            connection.granted(period)

    def cut(self, *, reachable: bool = False) -> None:
        """Break every connection; later ones succeed only where `reachable`."""
        self.reachable = reachable
        for connection in self._open.copy():
            connection.broken()

    async def opened(self, connection: "MemoryConnection") -> None:
        """Take in a new connection. Raises LinkLost while the plant is out of reach."""
        await asyncio.sleep(self.latency)
        if not self.reachable:
            raise LinkLost("refused", "the memory plant is out of reach")
        self._open.add(connection)

    def closed(self, connection: "MemoryConnection") -> None:
        """Forget a connection."""
        self._open.discard(connection)


_PLANTS: dict[str, MemoryPlant] = {}


def plant(url: str) -> MemoryPlant:
    """Return the plant behind a URL, made when first asked for."""
    return _PLANTS.setdefault(url, MemoryPlant())


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
        match self._cell(point).value:
            case bool():
                return DataType.BOOL
            case int():
                return DataType.INT64
            case float():
                return DataType.FLOAT64
            case str():
                return DataType.STRING
        return None

    async def read(self, block: Block) -> Sequence[Change]:
        far = self._connection.plant
        far.requests += 1
        far.asked(self._unit, "read")
        await self._answer(far.latency, self._patience)
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
        await self._answer(far.latency, within)
        if far.fault is not None and far.fault.kind == "timeout":  # any other is an answer
            raise far.fault

    async def subscribe(self, listener: Listener) -> None:
        if self._connection.is_broken:
            raise LinkLost("disconnected", "the memory plant was cut off")
        self._listener = listener
        if self._subscribed is not None:
            listener.received(self._subscribed, [(index, self._cell(index)) for index in self._subscribed.points])

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

    async def _answer(self, latency: float, within: Seconds) -> None:
        """Wait for the unit's answer. Raises DeviceFault where there is none in time, and LinkLost."""
        is_late = self._unit in self._connection.plant.silent or latency > within
        await asyncio.sleep(min(within, TIMEOUT) if is_late else latency)
        if self._connection.is_broken:
            raise LinkLost("disconnected", "the memory plant was cut off")
        if is_late:
            raise DeviceFault("timeout", f"unit {self._unit}: no answer within {within:g} s")

    def _cell(self, index: int) -> Sample:
        return self._connection.plant.cells.get(self._points[index].address, bad("unknown_address"))


def _alike(one: Sample | None, other: Sample) -> bool:
    # To Python 1, 1.0 and True are equal; to whoever judges them they are not.
    return one is not None and one == other and type(one.value) is type(other.value)


DRIVER = Driver(
    device=MemoryDevice,
    point=MemoryPoint,
    endpoint=lambda device: str(device.url),
    connect=MemoryConnection,
)
