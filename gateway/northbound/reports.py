"""What the gateway tells the publisher about devices, constraints and events. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from drivers.values import DataType
from gateway.safety.alarm import AlarmState
from gateway.safety.verdict import SafetyLevel, Verdict


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """A device's connection, and what its driver learned about its tags."""

    device: str
    state: str
    """`connected`, `connecting`, `disconnected`, or `demoted`: not heard, and only probed."""
    since: float
    """When the state began, seconds since 1970 UTC."""
    reason: str = ""
    """Why it is not connected, the word of the samples that it spoiled; empty while it is."""
    types: Mapping[str, DataType] = field(default_factory=dict)
    """By the tag's name; tags whose type is not known (yet) are absent."""
    learned: Mapping[str, Any] = field(default_factory=dict)
    """What the driver found out about the device, by the keys of its configuration."""


@dataclass(frozen=True, slots=True)
class EventReport:
    """Something that happened; it is told once, and not retained."""

    kind: str
    """The last level of its topic."""
    what: str
    """One word, such as `device_lost`."""
    time: float
    """Seconds since 1970 UTC."""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConstraintReport:
    """A constraint's verdict and what it rests on, and how its trip, its alarm and its bypass stand."""

    name: str
    verdict: Verdict
    level: SafetyLevel
    since: float
    """When the verdict became what it is, seconds since 1970 UTC."""
    value: float | None = None
    """The value that was judged, in engineering units."""
    min: float | None = None
    max: float | None = None
    reason: str = ""
    """Why it is not OK, one word."""
    alarm: AlarmState = AlarmState.NORMAL
    latched: bool = False
    """That it tripped, and was not reset since."""
    first_out: bool = False
    """That it tripped first, of what is latched."""
    safe_state: str = ""
    """How its safe state came on: pending, confirmed, failed or deviated; empty where none was called for."""
    bypassed_until: float | None = None
    """Seconds since 1970 UTC; None where it is not bypassed."""
