"""Whether what is read back is what was written. Pure."""

from itertools import repeat
from math import frexp, ulp

from drivers.values import DataType, Value
from gateway.tags.tag import Tag
from gateway.tags.unscaling import INTEGERS, is_scaled, unscale

_FLOAT32_BITS, _FLOAT32_SMALLEST = 24, -149
_ARITHMETIC = 4
"""Steps of a float64 by which scaling may miss the number that people write."""


def is_equal(wanted: Value, read: Value, tolerance: float) -> bool:
    """Return whether two values are the same, numbers within the tolerance; NaN is the same as nothing."""
    if _is_number(wanted) and _is_number(read):
        return _is_near(wanted, read, tolerance)  # type: ignore[arg-type]  # narrowed by _is_number
    if isinstance(wanted, tuple) and isinstance(read, tuple):
        return len(wanted) == len(read) and all(map(is_equal, wanted, read, repeat(0.0)))
    return type(wanted) is type(read) and wanted == read


def tolerance_of(tag: Tag, data_type: DataType | None, wanted: Value) -> float:
    """Return how far the value read back for a wanted one may be off, in engineering units.

    What the tag says; else one count of a scaled whole number and one float32 step of a float, in which many devices
    keep a float64 too. A whole number that is not scaled is counted or chosen, not measured, and has to be the same.
    """
    settings = tag.settings
    if settings.readback_tolerance is not None:
        return settings.readback_tolerance
    if not _is_number(wanted) or (data_type in INTEGERS and not is_scaled(settings)):
        return 0.0
    size: float = abs(wanted)  # type: ignore[arg-type]  # narrowed by _is_number
    arithmetic = _ARITHMETIC * ulp(size + abs(settings.offset))
    if data_type in INTEGERS:
        return abs(settings.scale) + arithmetic
    return _step(unscale(wanted, settings, data_type)) * abs(settings.scale) + arithmetic  # type: ignore[arg-type]  # as above


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_near(wanted: float, read: float, tolerance: float) -> bool:
    try:
        return abs(wanted - read) <= tolerance
    except OverflowError:  # a whole number out of reach of a float
        return False


def _step(number: float) -> float:
    """Return the distance of two float32 at that number."""
    return 2.0 ** max(frexp(number)[1] - _FLOAT32_BITS, _FLOAT32_SMALLEST)
