"""What every constraint says, whatever its kind, with the names that the configuration uses.

Declarations only: each refuses what could never be judged. The kinds and how they judge are in `kinds`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, nextafter
from types import MappingProxyType
from typing import ClassVar, Literal, TypeAlias

from drivers.values import Seconds
from gateway.safety.verdict import SafetyLevel

Setting: TypeAlias = bool | int | float | str
"""A value that a tag may be set to, or compared with."""

LARGEST = nextafter(inf, 0.0)
"""Beyond it there is no finite number, and an integer cannot be compared with one that has a fraction."""


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
        check_setting("equals", self.equals)
        if self.equals is None:
            check_limits(self.min, self.max)
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
    """Older than this a sample is a doubt; it can shorten what the tag's own max_age says, and not lengthen it."""
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
        for key in ("on_delay", "off_delay", "unknown_delay"):
            check_not_negative(key, getattr(self, key))
        check_positive("max_age", self.max_age)
        check_positive("max_bypass", self.max_bypass)
        if self.max_bypass is not None and not self.bypassable:
            raise ValueError("max_bypass: needs bypassable: true beside it")
        for tag, wanted in self.on_trip.items():
            check_setting(f"on_trip: {tag}", safe_value(wanted))

    @property
    def watched(self) -> tuple[str, ...]:
        """The live tags that it reads."""
        return ()

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """The least and the most of what it judges, for those who show it."""
        return None, None

    @property
    def limited(self) -> tuple[str, ...]:
        """Further tags to which a write is held to the same limit."""
        return ()


def safe_value(wanted: Setting | SafeWrite) -> Setting:
    """Return the value of one entry of `on_trip`."""
    return wanted.value if isinstance(wanted, SafeWrite) else wanted


def is_same(wanted: Setting, value: object) -> bool:
    """Return whether a value is the wanted one: 400 is 400.0, but a bool is no number, and NaN is nothing."""
    if isinstance(wanted, bool) or isinstance(value, bool):
        return wanted is value
    return wanted == value


def is_finite(value: float) -> bool:
    """Return whether it is a number that can be compared; of NaN nothing is true."""
    return -LARGEST <= value <= LARGEST


def check_setting(key: str, value: Setting | None) -> None:
    """Raise ValueError for a number that no tag can have."""
    if isinstance(value, (int, float)) and not is_finite(value):
        raise ValueError(f"{key}: {value} is no value; give a finite number")


def check_limits(low: float | None, high: float | None) -> None:
    """Raise ValueError where there is no limit, one that is not finite, or two that exclude each other."""
    for key, limit in (("min", low), ("max", high)):
        if limit is not None and (isinstance(limit, bool) or not is_finite(limit)):
            raise ValueError(f"{key}: {limit} is no limit; give a finite number")
    if low is None and high is None:
        raise ValueError("no limit is set; give min, max or both")
    if low is not None and high is not None and not low <= high:
        raise ValueError(f"min: {low:g} is above max {high:g}")


def check_positive(key: str, value: float | None) -> None:
    """Raise ValueError for what is given and is no number above 0."""
    if value is not None and not 0 < value < inf:
        raise ValueError(f"{key}: {value:g} is not a number above 0")


def check_not_negative(key: str, value: float) -> None:
    """Raise ValueError for what is no number from 0 upwards."""
    if not 0 <= value < inf:
        raise ValueError(f"{key}: {value:g} is not a number from 0 upwards")


def check_hysteresis(hysteresis: float, low: float | None, high: float | None) -> None:
    """Raise ValueError where nothing between the limits would be far enough inside."""
    check_not_negative("hysteresis", hysteresis)
    if low is not None and high is not None and hysteresis > high - low:
        raise ValueError(f"hysteresis: {hysteresis:g} is more than lies between min and max")
