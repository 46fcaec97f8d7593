"""The built-in types of OPC UA and those of a tag. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from drivers.base import Change
from drivers.opcua.binary import NumericId
from drivers.values import DataType, Value, bad

_BUILT_IN = {
    1: DataType.BOOL,
    2: DataType.INT16,  # SByte: the narrowest that holds it
    3: DataType.UINT16,  # Byte
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
    19: DataType.UINT32,
    21: DataType.STRING,
}
"""By the number of the built-in type, which is also its node id in namespace 0."""

_PYTHON = {
    DataType.BOOL: bool,
    DataType.FLOAT32: float,
    DataType.FLOAT64: float,
    DataType.STRING: str,
    DataType.BYTES: bytes,
    DataType.DATETIME: datetime,
}


def built_in_type(number: int) -> DataType | None:
    """Return the type of a value whose variant has this number, None for one that no tag can hold."""
    return _BUILT_IN.get(number)


def declared_type(node_id: NumericId | None) -> DataType | None:
    """Return the type that a DataType attribute says, None where it is abstract or the server's own."""
    if node_id is None or node_id[0] != 0 or node_id[1] is None:
        return None
    return _BUILT_IN.get(node_id[1])


def python_type(data_type: DataType) -> type:
    """Return the Python type of the values of a type; whole numbers of any width are int."""
    return _PYTHON.get(data_type, int)


class Vetting:
    """What the samples of some points have to be before the gateway hears of them."""

    def __init__(self, expected: Mapping[int, type | None], *, with_time: bool) -> None:
        """Expected: the Python type of each point's values, None for any. Without time, stamps are dropped."""
        self._expected = expected
        self._with_time = with_time

    def vet(self, changes: Iterable[Change]) -> list[Change]:
        """Keep the changes of these points alone; values of another type than theirs become BAD."""
        expected = self._expected
        vetted = [
            change if (wanted := expected[change[0]]) is None or _fits(change[1].value, wanted) else _spoil(change)
            for change in changes
            if change[0] in expected
        ]
        return vetted if self._with_time else [_without_time(change) for change in vetted]


def _fits(value: Value, wanted: type) -> bool:
    if type(value) is wanted or value is None:
        return True
    return isinstance(value, tuple) and all(_fits(element, wanted) for element in value)


def _spoil(change: Change) -> Change:
    point, sample = change
    return point, bad("wrong_type", sample.source_time)


def _without_time(change: Change) -> Change:
    # Asked for no stamps, some servers send them all the same.
    point, sample = change
    return point, sample._replace(source_time=None)
