"""The contract of a driver: a protocol, and nothing but the protocol.

A driver opens a Connection to one endpoint and hands out a Reader for each device behind it. It never
retries, reconnects, schedules, scales or caches across connections: the gateway's sessions do. Reading
and writing are separate objects; this file knows reading only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias

from drivers.values import DataType, Sample

Change: TypeAlias = tuple[int, Sample]
"""A point, as its place in the sequence given to `Connection.reader`, and its new sample."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Points that are answered together, and so are equally fresh: one request, or one subscription."""

    points: tuple[int, ...]
    """The points' places, ascending; every point of a device is in exactly one block."""
    label: str
    """For logs: `input:0..119`, `publishing every 0.5 s`."""


class Plan(NamedTuple):
    """How the points of one device are going to be read on this connection."""

    polled: Sequence[Block]
    """Each needs a `read` at every scan."""
    subscribed: Sequence[Block] = ()
    """Each reports by itself, to the listener given to `subscribe`."""


class Listener(Protocol):
    """Who is told what a subscription brings. Calls return at once and never raise."""

    def granted(self, block: Block, period: float) -> None:
        """The block's source is going to show at least every `period` seconds that it lives.

        Told before anything is received, where the source may be slower than the configuration asks.
        """

    def received(self, block: Block, changes: Sequence[Change]) -> None:
        """The block's source is alive, and these of its points have new samples (perhaps none)."""

    def failed(self, block: Block, reason: str) -> None:
        """The block's points can no longer be believed; `reason` as in `DeviceFault.kind`."""


class Reader(Protocol):
    """The read half of one device on one open connection."""

    async def prepare(self) -> Plan:
        """Resolve the points on the device and plan their reading; called once, before all else.

        A point that the device does not know does not raise: it is planned, and its samples are BAD.
        """

    def data_type(self, point: int) -> DataType | None:
        """Return the type of a point's value, None while it is not known; asked after `prepare`."""

    async def read(self, block: Block) -> Sequence[Change]:
        """Ask once for a polled block; return the points whose samples are not those of the last read.

        The first read returns every point. Raises DeviceFault: then nothing of this answer is used.
        One request is in flight at a time, and the caller never cancels it: the driver's own timeout
        ends it.
        """

    async def subscribe(self, listener: Listener) -> None:
        """Start the subscribed blocks; return once the server accepted them. Raises DeviceFault."""


class Connection(Protocol):
    """One transport to one endpoint; the devices behind it share it. Opened once, closed once."""

    async def open(self) -> None:
        """Connect within the driver's timeout. Raises LinkLost with the cause."""

    async def close(self) -> None:
        """Let go of the transport. Never raises, also when never opened or already lost."""

    async def lost(self) -> str:
        """Wait until the link is gone and return why, in a few words."""

    def reader(self, device: Any, points: Sequence[Any]) -> Reader:  # noqa: ANN401  (the driver's own types)
        """Return the reader of one device: its settings, and its points in the gateway's order."""


def _no_check(device: Any, points: Sequence[Any]) -> None:  # noqa: ANN401  (the driver's own types)
    """Find nothing wrong."""


@dataclass(frozen=True, slots=True)
class Driver:
    """What a driver's package puts into the registry, as the module attribute `DRIVER`."""

    device: type
    """Frozen dataclass: the keys of a device in the configuration that are this driver's own."""
    point: type
    """Frozen dataclass: the keys of a tag that are this driver's own, its address above all."""
    endpoint: Callable[[Any], str]
    """Device settings -> the address whose connection and lane the device shares."""
    connect: Callable[[Any], Connection]
    """Device settings -> a new connection, not yet open."""
    check: Callable[[Any, Sequence[Any]], None] = _no_check
    """Device settings and points -> nothing, or a ValueError where they can never be read together."""
