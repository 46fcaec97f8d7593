"""The built-in types of OPC UA and those of a tag. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from drivers.base import Change
from drivers.values import DataType, Value, bad

_BUILT_IN = {
    1: DataType.BOOL,
    2: DataType.INT8,
    3: DataType.UINT8,
    4: DataType.INT16,
    5: DataType.UINT16,
    6: DataType.INT32,
    7: DataType.UINT32,
    8: DataType.INT64,
    9: DataType.UINT64,
    10: DataType.FLOAT32,
    11: DataType.FLOAT64,
    12: DataType.STRING,
    13: DataType.DATETIME,
    14: DataType.STRING,
    15: DataType.BYTES,
    16: DataType.STRING,
    17: DataType.STRING,
    18: DataType.STRING,
    19: DataType.UINT32,
    20: DataType.STRING,
    21: DataType.STRING,
    22: DataType.STRUCTURE,
}
"""By the number of the built-in type, which is also its node id in namespace 0."""

_PYTHON = {
    DataType.BOOL: bool,
    DataType.FLOAT32: float,
    DataType.FLOAT64: float,
    DataType.STRING: str,
    DataType.BYTES: bytes,
    DataType.DATETIME: datetime,
    DataType.STRUCTURE: dict,
}


class Shape(Enum):
    """How many values of its type a point has at once."""

    ANY = "any"
    SCALAR = "scalar"
    ARRAY = "array"


class Expected(NamedTuple):
    """What the values of a point have to be."""

    python: type | None = None
    """The Python type; None for any."""
    shape: Shape = Shape.ANY


def built_in_type(number: int) -> DataType | None:
    """Return the type of a value whose variant has this number, None for one that no tag can hold."""
    return _BUILT_IN.get(number)


def declared_shape(rank: Value) -> Shape:
    """Return what a ValueRank attribute says (OPC 10000-3, 5.6.2); -2 and -3 leave it open."""
    if not isinstance(rank, int) or rank < -1:
        return Shape.ANY
    return Shape.SCALAR if rank == -1 else Shape.ARRAY


def python_type(data_type: DataType) -> type:
    """Return the Python type of the values of a type; whole numbers of any width are int."""
    return _PYTHON.get(data_type, int)


class Vetting:
    """What the samples of some points have to be before the gateway hears of them."""

    def __init__(self, expected: Mapping[int, Expected], *, with_time: bool) -> None:
        """Expected: what the values of each point have to be. Without time, stamps are dropped."""
        self._expected = expected
        self._with_time = with_time

    def vet(self, changes: Iterable[Change]) -> list[Change]:
        """Keep the changes of these points alone; values of another type than theirs become BAD."""
        expected = self._expected
        vetted = [
            change if _fits(change[1].value, *expected[change[0]]) else _spoil(change)
            for change in changes
            if change[0] in expected
        ]
        return vetted if self._with_time else [_without_time(change) for change in vetted]


def _fits(value: Value, wanted: type | None, shape: Shape) -> bool:
    if type(value) is wanted:
        return shape is not Shape.ARRAY
    if value is None:
        return True
    if isinstance(value, tuple):
        return shape is not Shape.SCALAR and (wanted is None or all(_is_of(element, wanted) for element in value))
    return wanted is None and shape is not Shape.ARRAY


def _is_of(element: Value, wanted: type) -> bool:
    if isinstance(element, tuple):
        return all(_is_of(inner, wanted) for inner in element)
    return type(element) is wanted or element is None


def _spoil(change: Change) -> Change:
    point, sample = change
    return point, bad("wrong_type", sample.source_time)


def _without_time(change: Change) -> Change:
    # Asked for no stamps, some servers send them all the same.
    point, sample = change
    return point, sample._replace(source_time=None)
