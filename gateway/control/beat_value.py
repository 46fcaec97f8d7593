"""What the next beat of a deadman says: a bool turns over, an integer counts. Pure."""

from collections.abc import Mapping
from math import ceil, floor
from types import MappingProxyType
from typing import Final

from drivers.values import DataType

LARGEST: Final = 2**15 - 1
"""Wider integers count no further either: every type but a byte can hold it, and a scaled one often can too."""

_ENDS: Final[Mapping[DataType, int]] = MappingProxyType(
    {
        DataType.INT8: 2**7 - 1,
        DataType.UINT8: 2**8 - 1,
        DataType.INT16: LARGEST,
        DataType.UINT16: LARGEST,
        DataType.INT32: LARGEST,
        DataType.UINT32: LARGEST,
        DataType.INT64: LARGEST,
        DataType.UINT64: LARGEST,
    }
)


def following(
    last: bool | int | None,  # noqa: FBT001  (a value)
    data_type: DataType | None,
    limits: tuple[float, float] | None,
) -> bool | int | None:
    """Return what is said after `last`, or first of all; None where it can be said with no value of that type.

    Limits: the tag's range in engineering units, None for any value.
    """
    if data_type is DataType.BOOL:
        return not last if limits is None else None
    end = None if data_type is None else _ENDS.get(data_type)
    if end is None:
        return None
    low, high = (0, end) if limits is None else (max(0, ceil(limits[0])), min(end, floor(limits[1])))
    if not low < high:
        return None
    return last + 1 if last is not None and low <= last < high else low
