"""What the gateway tells the publisher about devices and constraints. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from drivers.values import DataType
from gateway.safety.verdict import SafetyLevel, Verdict


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """A device's connection, and what its driver learned about its tags."""

    device: str
    state: str
    """`connected`, `connecting` or `disconnected`."""
    since: float
    """When the state began, seconds since 1970 UTC."""
    reason: str = ""
    """Why it is not connected, the word of the samples that it spoiled; empty while it is."""
    types: Mapping[str, DataType] = field(default_factory=dict)
    """By the tag's name; tags whose type is not known (yet) are absent."""


@dataclass(frozen=True, slots=True)
class ConstraintReport:
    """A constraint's verdict and what it rests on."""

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
