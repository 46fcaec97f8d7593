"""The far side: cells, and a wire to them that can be cut, slow, deaf or mute."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

from drivers.errors import DeviceFault, LinkLost
from drivers.values import Quality, Sample, Value


class Frame(NamedTuple):
    """One write, as it came."""

    unit: int
    address: str
    value: Value


class Wire(Protocol):
    """A connection, as the plant sees it."""

    def told(self, address: str | None) -> None:
        """Hear that a cell changed, or only a sign of life."""

    def granted(self, period: float) -> None:
        """Hear how often a sign of life is to be expected."""

    def broken(self) -> None:
        """Hear that the wire is cut."""


def _listen_to_nothing(unit: int, asked: str) -> None:
    """Leave a request unnoted."""


def _take_as_it_is(address: str, value: Value) -> Value:  # noqa: ARG001  (for plants that look at it)
    """Let a cell hold what was written."""
    return value


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
        """Told the unit of every request, and whether it is a `read`, a `probe` or a `write`."""
        self.requests = 0
        self.probes = 0
        self.frames: deque[Frame] = deque(maxlen=1000)
        """The write frames that came, whatever became of them; of more than 1000 the newest."""
        self.refusal: DeviceFault | None = None
        """What every write is answered while it is set; nothing is done then."""
        self.mute: set[int] = set()
        """The units that do what is written to them, and never say so."""
        self.takes: Callable[[str, Value], Value] = _take_as_it_is
        """The address and the value of a write -> what the cell holds then."""
        self._open: set[Wire] = set()

    def set(self, address: str, value: Value, quality: Quality = Quality.GOOD, reason: str = "") -> None:
        """Give a cell a new value, and tell those who subscribed to it."""
        self.cells[address] = Sample(value, quality, reason)
        for connection in self._open:
            connection.told(address)

    def receive(self, frame: Frame) -> None:
        """Take in a write, and do it unless the unit is silent or refuses."""
        self.frames.append(frame)
        self.asked(frame.unit, "write")
        if frame.unit not in self.silent and self.refusal is None:
            cell = self.cells.get(frame.address)
            self.set(frame.address, self.takes(frame.address, frame.value), *(() if cell is None else cell[1:3]))

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

    async def opened(self, connection: Wire) -> None:
        """Take in a new connection. Raises LinkLost while the plant is out of reach."""
        await asyncio.sleep(self.latency)
        if not self.reachable:
            raise LinkLost("refused", "the memory plant is out of reach")
        self._open.add(connection)

    def has_open(self, connection: Wire) -> bool:
        """Tell whether a connection was opened, and is not closed yet."""
        return connection in self._open

    def closed(self, connection: Wire) -> None:
        """Forget a connection."""
        self._open.discard(connection)


_PLANTS: dict[str, MemoryPlant] = {}


def plant(url: str) -> MemoryPlant:
    """Return the plant behind a URL, made when first asked for."""
    return _PLANTS.setdefault(url, MemoryPlant())


def demolish(url: str) -> None:
    """Forget the plant behind a URL; whoever asks for it again gets a new one."""
    _PLANTS.pop(url, None)
