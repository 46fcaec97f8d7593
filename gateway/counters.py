"""What is counted while the gateway runs: plain ints and buckets, read by the HTTP thread at scrape time.

A plain int costs a fortieth of a metric object's `labels().inc()`; names and labels are given in
`gateway.observability.metrics` alone.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

SCAN_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LAG_BOUNDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
DECISION_BOUNDS = (0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.005, 0.025)
REACTION_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


LATE_PERIODS = 3
"""A safety evaluation later than this many of its periods is late: nothing may be relied on."""


class Histogram:
    """Observations in buckets; `counts` has one place more than `bounds`, for what is above them all."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        """Count one observation into the first bucket whose bound it does not pass."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds


@dataclass(slots=True)
class DeviceCounters:
    """One device, as its session and poller see it."""

    connected: bool = False
    reconnects: int = 0
    """Connections opened after the first."""
    scans: Histogram = field(default_factory=lambda: Histogram(SCAN_BOUNDS))
    overruns: int = 0
    """Scans not begun because the one before had not ended."""
    updates: int = 0
    """Tag samples taken into the process image."""
    errors: Counter[str] = field(default_factory=Counter)
    """By `DeviceFault.kind`."""
    demoted: bool = False
    """That it is only probed, for the sake of its neighbours."""
    probes: int = 0
    """Requests that only asked whether it answers."""
    discarded: Counter[str] = field(default_factory=Counter)
    """What its driver dropped, asked for again or found out besides, by kind."""


@dataclass(slots=True)
class MqttCounters:
    """The link to the broker and what went over it."""

    connected: bool = False
    connects: int = 0
    published: int = 0
    """Messages that the broker acknowledged."""
    refused: int = 0
    """Messages that the broker acknowledged with a reason code of failure (an ACL, say)."""
    pending: int = 0
    """Messages handed over or waiting, not acknowledged yet."""
    dropped: int = 0
    """Messages given up because their bounded queue was full."""
    oldest: float | None = None
    """When the oldest message that still waits was made, on the monotonic clock."""


@dataclass(slots=True)
class GuardCounters:
    """The evaluation loop."""

    evaluations: int = 0
    late: int = 0
    """Evaluations that came more than three periods after the one before."""
    last: float | None = None
    """When the last evaluation began, on the monotonic clock."""
    violations: Counter[str] = field(default_factory=Counter)
    """By constraint: how often its verdict became VIOLATED."""
    errors: int = 0
    """Evaluations of a constraint that raised; its verdict is UNKNOWN then."""


@dataclass(slots=True)
class JournalCounters:
    """The journal, as its own thread and those who wait for it see it."""

    healthy: bool = False
    records: int = 0
    """Records chained since the start."""
    last_sequence: int = 0
    commits: int = 0
    """Transactions that were on the disk when they were answered; one may hold what several asked for."""
    failures: int = 0
    """Requests refused or lost, for whatever reason."""
    pending: int = 0
    """Requests that wait for the disk."""
    dropped: int = 0
    """Command ids given up before their time because there were too many."""
    size: int = 0
    """Bytes of the records that are kept."""


@dataclass(slots=True)
class ControlCounters:
    """The way down: commands, decisions, frames and trips."""

    decisions: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Commands by verdict (the outcome of the reply) and code."""
    decision_seconds: Histogram = field(default_factory=lambda: Histogram(DECISION_BOUNDS))
    """What judging one write took, in the step that hands its frame over."""
    frames: Counter[str] = field(default_factory=Counter)
    """Write frames handed to a transport, by device."""
    trips: Counter[str] = field(default_factory=Counter)
    """By constraint."""
    trip_reaction: Histogram = field(default_factory=lambda: Histogram(REACTION_BOUNDS))
    """From the step that decided a trip to its first safe-state frame handed to a transport."""
    unpersisted: int = 0
    """Trips that were not on the disk within a second."""
    rate_limited: Counter[str] = field(default_factory=Counter)
    """By key."""
    queued: int = 0
    """Commands that wait for their devices."""
    unresolved: int = 0
    """Writes whose effect is still to be found out by reading."""
    received: Counter[str] = field(default_factory=Counter)
    """Messages on the command topics, by what became of them on the way in: taken, overflow."""
    beats: Counter[str] = field(default_factory=Counter)
    """Beats of deadmen written, by device."""


@dataclass(slots=True)
class Counters:
    """All of them, made once by the composition root and handed to each part."""

    devices: dict[str, DeviceCounters] = field(default_factory=dict)
    mqtt: MqttCounters = field(default_factory=MqttCounters)
    guard: GuardCounters = field(default_factory=GuardCounters)
    journal: JournalCounters = field(default_factory=JournalCounters)
    control: ControlCounters = field(default_factory=ControlCounters)
    loop_lag: Histogram = field(default_factory=lambda: Histogram(LAG_BOUNDS))
