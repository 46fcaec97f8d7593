"""The contract of a driver: a protocol, and nothing but the protocol.

A driver opens a Connection to one endpoint and hands out a Reader for each device behind it. It never
retries, reconnects, schedules, scales or caches across connections: the gateway's sessions do. Reading
and writing are separate objects; this file knows reading only.
"""

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeAlias

from drivers.errors import DeviceFault
from drivers.values import DataType, Sample, Seconds, Value

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


class Split(DeviceFault):
    """The device does not answer for a block as a whole; its points have to be asked for in others from now on."""

    def __init__(self, kind: str, message: str, blocks: Sequence[Block]) -> None:
        """Blocks: each point of the refused one is in exactly one of them."""
        super().__init__(kind, message)
        self.blocks = tuple(blocks)


class Care(NamedTuple):
    """What the gateway does with a point, as far as that changes how it has to be read."""

    judged: bool = False
    """A decision rests on it: every change counts, and a subscription must be proved by reading."""
    deadband: float = 0.0
    """A smaller change is not published, in the device's own units. A source may keep it back, unless judged."""


def _count_nothing(kind: str) -> None:
    """Leave an event uncounted."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the gateway lends to the reader of one device."""

    cares: Sequence[Care] = ()
    """In the order of the points; none where nothing is known of what becomes of them."""
    learned: MutableMapping[str, Any] = field(default_factory=dict)
    """The driver's notebook about this device, which outlives the connection: what it found out by being refused.

    Keys and values are those of the device's configuration, so that a person can paste them there.
    """
    patience: Seconds | None = None
    """How long one request may hold the wire, for the sake of others that wait for it; None where there are none.

    A timeout that the configuration states goes before it.
    """
    count: Callable[[str], None] = _count_nothing
    """Count one event of a kind that spoils no sample, such as a frame that was discarded."""


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

        The first read returns every point. Raises DeviceFault: then nothing of this answer is used; Split
        where asking for the same block again would be in vain.
        One request is in flight at a time, and the caller never cancels it: the driver's own timeout
        ends it.
        """

    async def probe(self, within: Seconds) -> None:
        """Ask for as little as possible, to learn within so many seconds whether the device answers.

        Any answer will do, a refusal as well as a late one to an earlier request. Raises DeviceFault
        where there was none.
        """

    async def subscribe(self, listener: Listener) -> None:
        """Start the subscribed blocks; return once the server accepted them. Raises DeviceFault."""

    def forget(self, points: Sequence[int]) -> None:
        """Count what was told of these points as untold, since the gateway has dropped it.

        The next read of a polled one returns it whether changed or not. A subscribed one is read and handed to the
        listener within half a second. Asks nothing itself, and never raises.
        """


class Connection(Protocol):
    """One transport to one endpoint; the devices behind it share it. Opened once, closed once."""

    async def open(self) -> None:
        """Connect within the driver's timeout. Raises LinkLost with the cause."""

    async def close(self) -> None:
        """Let go of the transport. Never raises, also when never opened or already lost."""

    async def lost(self) -> str:
        """Wait until the link is gone and return why, in a few words."""

    def reader(
        self,
        device: Any,  # noqa: ANN401  (the driver's own types)
        points: Sequence[Any],
        around: Surroundings | None = None,
    ) -> Reader:
        """Return the reader of one device: its settings, its points in the gateway's order, and what it is lent."""


def _no_check(device: Any, points: Sequence[Any]) -> None:  # noqa: ANN401  (the driver's own types)
    """Find nothing wrong."""


def _only_read(device: Any, point: Any) -> None:  # noqa: ANN401, ARG001  (the driver's own types)
    """Refuse every point."""
    raise ValueError("this driver only reads; leave writable out")


def _any_value(device: Any, point: Any, value: Value) -> None:  # noqa: ANN401  (the driver's own types)
    """Find nothing wrong: what a point can hold is known once its device was asked."""


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
    check_value: Callable[[Any, Any, Value], None] = _any_value
    """Device settings, one point that can be written, and a value in the device's units -> nothing, or a ValueError
    where it is certain already that the point can never hold it.
    """
    check_writable: Callable[[Any, Any], None] = _only_read
    """Device settings and one point -> nothing, or a ValueError where it can never be written.

    A driver that can write has a module `writing` in its package, see `drivers.writing`.
    """
    learns: bool = False
    """Whether its readers write into `Surroundings.learned`."""
