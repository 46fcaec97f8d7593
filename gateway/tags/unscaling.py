"""From engineering units back to those of a device: what `conditioning` undoes. Pure.

Calculated in decimals, as people write them: 23.4 in steps of 0.1 is 234, and not 233.99999999999997.
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal, DecimalException
from math import isfinite

from drivers.values import DataType
from gateway.tags.tag import TagSettings, TagValue

INTEGERS = frozenset(
    (
        DataType.INT8, DataType.UINT8, DataType.INT16, DataType.UINT16,
        DataType.INT32, DataType.UINT32, DataType.INT64, DataType.UINT64,
    )
)  # fmt: skip
"""The types that hold whole numbers alone."""
SLACK = 1e-6
"""Of a step: by so much a rounded value may lie outside the range, since the range itself is a float."""

_EXACT = Context(prec=40)


def is_scaled(settings: TagSettings) -> bool:
    """Return whether the device's units are others than the tag's."""
    return settings.scale != 1.0 or settings.offset != 0.0


def unscale(value: TagValue, settings: TagSettings, data_type: DataType | None) -> TagValue:
    """Return a value in the device's units; for a whole number it is rounded to the nearest step.

    Raises ValueError, one line, where there is none. What is no number, and what is not scaled, stays as it is.
    """
    if not is_scaled(settings) or isinstance(value, (bool, str)):
        return value
    if not isfinite(value):
        raise ValueError(f"{value!r} is not finite")
    exact = _divide(value, settings)
    if data_type not in INTEGERS:
        return float(exact)
    count = int(exact.to_integral_value(ROUND_HALF_EVEN, _EXACT))
    _check_range(value, count, settings)
    return count


def _divide(value: float, settings: TagSettings) -> Decimal:
    try:
        difference = _EXACT.subtract(Decimal(repr(value)), Decimal(repr(settings.offset)))
        return _EXACT.divide(difference, Decimal(repr(settings.scale)))
    except DecimalException:
        raise ValueError(f"{value!r} cannot be had with a scale of {settings.scale!r}") from None


def _check_range(value: float, count: int, settings: TagSettings) -> None:
    if settings.range is None:
        return
    nearest, slack = count * settings.scale + settings.offset, SLACK * abs(settings.scale)
    low, high = settings.range
    if not low - slack <= nearest <= high + slack:
        raise ValueError(f"{value!r} would be {nearest:g} in steps of {abs(settings.scale):g}, which is out of range")
