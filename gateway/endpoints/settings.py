"""The keys of a device that every driver shares."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from drivers.values import Seconds


@dataclass(frozen=True, slots=True)
class Deadman:
    """The gateway's sign of life to a device."""

    tag: str
    """A writable tag of the device, by its name alone: a bool is toggled, a whole number counts up and wraps."""
    period: Seconds = Seconds(1.0)
    """How often it is written."""

    def __post_init__(self) -> None:
        if not 0.1 <= self.period <= 60:
            raise ValueError(f"period: {self.period:g} s is not within 100ms and 1m")


@dataclass(frozen=True, slots=True)
class WatchCounter:
    """The device's sign of life to the gateway."""

    tag: str
    """A tag of the device, by its name alone, that changes for as long as the device's program runs."""
    within: Seconds = Seconds(5.0)
    """Standing still for longer, it makes all tags of the device BAD(frozen) until it moves again."""

    def __post_init__(self) -> None:
        if not 0.1 <= self.within <= 3600:
            raise ValueError(f"within: {self.within:g} s is not within 100ms and 1h")


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """How the gateway treats a device, whatever its protocol."""

    scan: Seconds = Seconds(1.0)
    """The scan period of polled points, and the publishing interval of subscribed ones."""
    max_age: Seconds | None = None
    """Older than this, a sample is BAD(stale). Three scans where absent."""
    reconnect_max: Seconds = Seconds(5.0)
    """The longest pause between two attempts to connect."""
    demote_after: int = 3
    """So often in vain in a row, and a device that shares its endpoint is demoted: only probed, ever less often."""
    probe_max: Seconds = Seconds(5.0)
    """The longest interval between two probes of a demoted device."""
    fingerprint: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    """Tags of the device and what they must read; otherwise it is not the device that is configured here."""
    control: Literal["off", "dry_run", "on"] | None = None
    """How far the device may be controlled, where that is less than the gateway's `control` allows."""
    deadman: Deadman | None = None
    watch_counter: WatchCounter | None = None

    def __post_init__(self) -> None:
        if not 0.01 <= self.scan <= 3600:
            raise ValueError(f"scan: {self.scan:g} s is not within 10ms and 1h")
        if self.max_age is not None and not self.max_age >= 2 * self.scan:
            raise ValueError(f"max_age: {self.max_age:g} s is less than two scans of {self.scan:g} s")
        if not 0.1 <= self.reconnect_max <= 3600:
            raise ValueError(f"reconnect_max: {self.reconnect_max:g} s is not within 100ms and 1h")
        if not 1 <= self.demote_after <= 100:
            raise ValueError(f"demote_after: {self.demote_after} is not within 1 and 100")
        if not 1 <= self.probe_max <= 3600:
            raise ValueError(f"probe_max: {self.probe_max:g} s is not within 1s and 1h")
        watched = self.watch_counter
        if watched is not None and not watched.within >= 2 * self.scan:
            raise ValueError(
                f"watch_counter.within: {watched.within:g} s is less than two scans of {self.scan:g} s, "
                "in which it can be seen to move"
            )

    @property
    def stale_after(self) -> Seconds:
        """The age at which a sample turns stale, seconds."""
        return Seconds(3 * self.scan) if self.max_age is None else self.max_age
