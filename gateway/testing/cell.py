"""What a tag of a stand-in can hold: its type, and how far its numbers reach. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from math import ceil, floor, inf, nextafter

from drivers.values import DataType
from gateway.safety.constraint import Comparison, Constraint, Setting, safe_value
from gateway.safety.kinds.dependency import Dependency
from gateway.safety.kinds.timing import Timing
from gateway.settings.model import Device, DeviceTag, Settings


class CannotDrive(Exception):
    """Why a tag cannot be given what a case needs."""


class Kind(Enum):
    """What sort of value a tag has, in engineering units."""

    BOOL = "bool"
    WHOLE = "whole"
    REAL = "real"
    TEXT = "text"
    OTHER = "other"


_KINDS = {
    DataType.BOOL: Kind.BOOL,
    DataType.FLOAT32: Kind.REAL,
    DataType.FLOAT64: Kind.REAL,
    DataType.STRING: Kind.TEXT,
    DataType.BYTES: Kind.OTHER,
    DataType.DATETIME: Kind.OTHER,
    DataType.STRUCTURE: Kind.OTHER,
}
_LARGEST = {DataType.FLOAT32: 3.4e38}


@dataclass(frozen=True, slots=True)
class Span:
    """Where a value has to lie, both ends included."""

    low: float = -inf
    high: float = inf

    def holds(self, value: object) -> bool:
        """Return whether a value is a number in it."""
        return not isinstance(value, bool) and isinstance(value, (int, float)) and self.low <= value <= self.high

    def within(self, other: "Span") -> "Span":
        """Return what both have."""
        return Span(max(self.low, other.low), min(self.high, other.high))

    @property
    def is_empty(self) -> bool:
        """That nothing lies in it."""
        return not self.low <= self.high


@dataclass(frozen=True, slots=True)
class Cell:
    """One tag of a stand-in that is not computed."""

    path: str
    kind: Kind
    reach: Span
    """What its type can hold, after scaling."""
    range: Span
    """As configured; everything where nothing is."""
    writable: bool

    @property
    def device(self) -> str:
        """The device whose tag it is."""
        return self.path.partition(".")[0]

    def number(self, span: Span) -> int | float:
        """Return a number in the span: the middle of what is bounded, else near its end. Raises CannotDrive."""
        found = span.within(self.reach)
        low, high = (ceil(found.low), floor(found.high)) if self._counts(found) else (found.low, found.high)
        if self.kind not in {Kind.WHOLE, Kind.REAL}:
            raise CannotDrive(f"{self.path} is no number")
        if not low <= high:
            raise CannotDrive(f"{self.path} cannot hold {_shown(span)}: it reaches {_shown(self.reach)}")
        middle = _between(low, high)
        return floor(middle) if self.kind is Kind.WHOLE else float(middle)

    def beyond(self, limit: float, direction: int) -> int | float:
        """Return the nearest number past a limit, upwards (1) or downwards (-1). Raises CannotDrive."""
        if self.kind is Kind.WHOLE:
            near: float = floor(limit) + 1 if direction > 0 else ceil(limit) - 1
        else:
            near = nextafter(limit, direction * inf)
        return self.number(Span(near, near))

    def _counts(self, found: Span) -> bool:
        return self.kind is Kind.WHOLE and found.low > -inf and found.high < inf


def cells_of(settings: Settings) -> Mapping[str, Cell]:
    """Return every tag of the configuration that a device has, by its path. Before the devices are stood in for."""
    uses = _uses(settings)
    return {
        cell.path: cell
        for device in settings.devices.values()
        if device.driver != "computed"
        for cell in (_cell(device, tag, uses.get(f"{device.name}.{tag.name}", ())) for tag in device.tags)
    }


def _cell(device: Device, tag: DeviceTag, uses: tuple[object, ...]) -> Cell:
    settings = tag.settings
    data_type = _data_type(tag.point)
    kind = Kind.BOOL if settings.bit is not None else _kind(data_type, uses, tag)
    reach = _reach(data_type, kind)
    if settings.scale != 1.0 or settings.offset != 0.0:
        kind = Kind.REAL if kind is Kind.WHOLE else kind
        ends = sorted(each * settings.scale + settings.offset for each in (reach.low, reach.high))
        reach = Span(*ends)
    limits = Span() if settings.range is None else Span(*settings.range)
    return Cell(f"{device.name}.{tag.name}", kind, reach, limits, settings.writable)


def _data_type(point: object) -> DataType | None:
    if getattr(point, "exponent", None) is not None:
        return DataType.FLOAT64
    found = getattr(point, "data_type", None) or getattr(point, "type", None)
    if isinstance(found, DataType):
        return found
    start = getattr(point, "start", None)  # of a device in memory
    by_start = {bool: DataType.BOOL, int: DataType.INT64, float: DataType.FLOAT64, str: DataType.STRING}
    return by_start.get(type(start))


def _kind(data_type: DataType | None, uses: tuple[object, ...], tag: DeviceTag) -> Kind:
    """Return the kind that the type says; where the device alone knows it, the one that the configuration needs."""
    if data_type is not None:
        return _KINDS.get(data_type, Kind.WHOLE)
    if tag.settings.range is None and any(isinstance(each, bool) for each in uses):
        return Kind.BOOL
    if any(isinstance(each, str) for each in uses):
        return Kind.TEXT
    words = {str(key).lower() for key in tag.settings.texts}
    return Kind.BOOL if words & {"true", "false"} else Kind.REAL


def _reach(data_type: DataType | None, kind: Kind) -> Span:
    if kind is Kind.REAL:
        largest = _LARGEST.get(data_type, 1e300) if data_type else 1e300
        return Span(-largest, largest)
    if kind is not Kind.WHOLE or data_type is None:
        return Span()
    bits = int(data_type.value.lstrip("uint"))
    if data_type.value.startswith("u"):
        return Span(0, 2**bits - 1)
    return Span(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _uses(settings: Settings) -> Mapping[str, tuple[object, ...]]:
    """Return the values with which the configuration compares a tag, or that it writes to it."""
    found: dict[str, tuple[object, ...]] = {}
    for constraint in settings.safety.constraints:
        for tag, value in _values(constraint):
            found[tag] = (*found.get(tag, ()), value)
    for name, device in settings.devices.items():
        for tag, value in device.gateway.fingerprint.items():
            found[f"{name}.{tag}"] = (*found.get(f"{name}.{tag}", ()), value)
    return found


def _values(constraint: Constraint) -> Iterator[tuple[str, Setting]]:
    for tag, wanted in constraint.on_trip.items():
        yield tag, safe_value(wanted)
    if isinstance(constraint, Timing) and (constraint.min_on or constraint.min_off):
        yield constraint.tag, False
    if not isinstance(constraint, Dependency):
        return
    for tag, comparison in (*constraint.when.items(), *constraint.requires.items()):
        value = comparison.equals if isinstance(comparison, Comparison) else comparison
        if value is not None:
            yield tag, value


def _between(low: float, high: float) -> float:
    """Return the middle, or what lies inside the one end that there is by a tenth of it and one at least."""
    if low > -1e30 and high < 1e30:
        return low + (high - low) / 2 if low < high else low
    if low > -1e30:
        return min(low + max(1.0, abs(low) / 10), high)
    if high < 1e30:
        return max(high - max(1.0, abs(high) / 10), low)
    return 1.0  # and not 0, by which something may be divided


def _shown(span: Span) -> str:
    if span.low == span.high:
        return f"{span.low:g}"
    return f"{span.low:g} to {span.high:g}"
