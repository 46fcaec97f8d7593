"""What a constraint says: one frozen declaration a kind, with the names that the configuration uses.

Declarations only: each refuses what could never be judged, and how a kind judges is written in `kinds`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, isfinite
from types import MappingProxyType
from typing import ClassVar, Literal, TypeAlias

from drivers.values import Seconds
from gateway.safety.verdict import SafetyLevel

Setting: TypeAlias = bool | int | float | str
"""A value that a tag may be set to, or compared with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeWrite:
    """One write of a safe state, where its value alone does not say it all."""

    value: Setting
    after: Seconds = Seconds(0)
    """How long after the trip it is written."""
    hold: bool = False
    """Written again when the device deviates from it later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a tag's value has to be; every bound that is given must hold."""

    equals: Setting | None = None
    min: float | None = None
    max: float | None = None

    def __post_init__(self) -> None:
        if self.equals is None:
            _check_limits(self.min, self.max)
        elif self.min is not None or self.max is not None:
            raise ValueError("equals: stands alone, without min and max")


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """The keys that every kind shares. Tags are named `device.tag`."""

    kind: ClassVar[str]

    name: str
    level: SafetyLevel
    """critical and high refuse; medium, low and info warn."""
    applies_to: tuple[str, ...] = ()
    """Globs over tags; the devices of the constraint's own tags where absent, ['*'] for the whole gateway."""
    max_age: Seconds | None = None
    """Older than this a sample is a doubt; the tag's own max_age where absent."""
    on_delay: Seconds = Seconds(0)
    """How long a violation lasts before it trips."""
    off_delay: Seconds = Seconds(0)
    """How long it must have been over before a trip can be reset."""
    on_unknown: Literal["alarm", "trip"] = "alarm"
    unknown_delay: Seconds = Seconds(10)
    """How long a doubt lasts before it trips, with `on_unknown: trip`."""
    on_trip: Mapping[str, Setting | SafeWrite] = field(default_factory=lambda: MappingProxyType({}))
    """The safe state: what is written to which tag on a trip, in this order."""
    bypassable: bool = False
    max_bypass: Seconds | None = None
    """The longest that a bypass may last."""

    def __post_init__(self) -> None:
        if self.max_bypass is not None and not self.bypassable:
            raise ValueError("max_bypass: needs bypassable: true beside it")

    @property
    def watched(self) -> tuple[str, ...]:
        """The live tags that it reads."""
        return ()

    @property
    def limited(self) -> tuple[str, ...]:
        """Further tags to which a write is held to the same limit."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold(Constraint):
    """A live tag stays within min and max, and so does every write to it and to `limits_also`."""

    kind: ClassVar[str] = "threshold"

    tag: str
    min: float | None = None
    max: float | None = None
    hysteresis: float = 0.0
    """How far inside a limit the value must come back before it is OK again, in the tag's unit."""
    limits_also: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        Constraint.__post_init__(self)
        _check_limits(self.min, self.max)
        if not 0 <= self.hysteresis < inf:
            raise ValueError(f"hysteresis: {self.hysteresis:g} is not a number from 0 upwards")
        if self.min is not None and self.max is not None and self.hysteresis > self.max - self.min:
            raise ValueError(f"hysteresis: {self.hysteresis:g} is more than lies between min and max")

    @property
    def watched(self) -> tuple[str, ...]:
        return (self.tag,)

    @property
    def limited(self) -> tuple[str, ...]:
        return self.limits_also


@dataclass(frozen=True, slots=True, kw_only=True)
class RateOfChange(Constraint):
    """A live tag changes no faster than this, and no write steps further than that."""

    kind: ClassVar[str] = "rate_of_change"

    tag: str
    max_per_second: float | None = None
    max_step: float | None = None
    limits_also: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        Constraint.__post_init__(self)
        if self.max_per_second is None and self.max_step is None:
            raise ValueError("no limit is set; give max_per_second or max_step")
        _check_positive("max_per_second", self.max_per_second)
        _check_positive("max_step", self.max_step)

    @property
    def watched(self) -> tuple[str, ...]:
        return (self.tag,)

    @property
    def limited(self) -> tuple[str, ...]:
        return self.limits_also


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit(Constraint):
    """At most so many operations of one key within a sliding window."""

    kind: ClassVar[str] = "rate_limit"

    key: str
    max: int
    window: Seconds

    def __post_init__(self) -> None:
        Constraint.__post_init__(self)
        _check_positive("max", self.max)
        _check_positive("window", self.window)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency(Constraint):
    """While the tags of `when` have these values, those of `requires` must satisfy theirs."""

    kind: ClassVar[str] = "dependency"

    when: Mapping[str, Setting | Comparison]
    requires: Mapping[str, Setting | Comparison]

    def __post_init__(self) -> None:
        Constraint.__post_init__(self)
        for key, tags in (("when", self.when), ("requires", self.requires)):
            if not tags:
                raise ValueError(f"{key}: names no tag")

    @property
    def watched(self) -> tuple[str, ...]:
        return (*self.when, *self.requires)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission(Constraint):
    """Evaluates the matrix of `authority`: who may do what to which tag."""

    kind: ClassVar[str] = "permission"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource(Constraint):
    """An operation holds the named lock."""

    kind: ClassVar[str] = "resource"

    lock: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing(Constraint):
    """How long a tag stays on and off at least, and how long lies between two writes."""

    kind: ClassVar[str] = "timing"

    tag: str
    min_on: Seconds | None = None
    min_off: Seconds | None = None
    min_interval: Seconds | None = None

    def __post_init__(self) -> None:
        Constraint.__post_init__(self)
        if self.min_on is self.min_off is self.min_interval is None:
            raise ValueError("no limit is set; give min_on, min_off or min_interval")

    @property
    def watched(self) -> tuple[str, ...]:
        return (self.tag,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compliance(Constraint):
    """A tag's time-weighted mean over a window stays within limits."""

    kind: ClassVar[str] = "compliance"

    tag: str
    window: Seconds
    min: float | None = None
    max: float | None = None
    min_coverage: float = 0.75
    """The share of the window that needs good samples, 0 to 1."""

    def __post_init__(self) -> None:
        Constraint.__post_init__(self)
        _check_limits(self.min, self.max)
        _check_positive("window", self.window)
        if not 0 < self.min_coverage <= 1:
            raise ValueError(f"min_coverage: {self.min_coverage:g} is not above 0 and at most 1")

    @property
    def watched(self) -> tuple[str, ...]:
        return (self.tag,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote(Constraint):
    """Of several sensors of one quantity, so many must pass the limit for a violation."""

    kind: ClassVar[str] = "vote"

    tags: tuple[str, ...]
    agree: int
    min: float | None = None
    max: float | None = None
    deviation: float | None = None
    """Sensors further apart than this raise an alarm."""

    def __post_init__(self) -> None:
        Constraint.__post_init__(self)
        _check_limits(self.min, self.max)
        _check_positive("deviation", self.deviation)
        if not 1 <= self.agree <= len(self.tags):
            raise ValueError(f"agree: {self.agree} is not within 1 and the number of tags, {len(self.tags)}")

    @property
    def watched(self) -> tuple[str, ...]:
        return self.tags


def _check_limits(low: float | None, high: float | None) -> None:
    for key, limit in (("min", low), ("max", high)):
        if limit is not None and not isfinite(limit):
            raise ValueError(f"{key}: {limit:g} is no limit; give a finite number")
    if low is None and high is None:
        raise ValueError("no limit is set; give min, max or both")
    if low is not None and high is not None and not low <= high:
        raise ValueError(f"min: {low:g} is above max {high:g}")


def _check_positive(key: str, value: float | None) -> None:
    if value is not None and not 0 < value < inf:
        raise ValueError(f"{key}: {value:g} is not a number above 0")


KINDS: Mapping[str, type[Constraint]] = MappingProxyType(
    {
        kind.kind: kind
        for kind in (
            Threshold,
            RateOfChange,
            RateLimit,
            Dependency,
            Permission,
            Resource,
            Timing,
            Compliance,
            Vote,
        )
    }
)
"""Every kind that a configuration can name."""
