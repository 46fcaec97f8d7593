"""From a value to the Variant that a node takes: of the node's own type, and of no other. Pure.

A server may turn a Variant of another type into its own, and then holds something that nobody judged.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from math import isfinite
from struct import Struct
from typing import NamedTuple

from drivers.opcua.data_types import built_in_type
from drivers.opcua.settings import OpcUaDevice, OpcUaPoint
from drivers.values import DataType, Sample, Value


class Target(NamedTuple):
    """What one node takes."""

    kind: int
    """The number of its built-in type (OPC 10000-6, 5.1.2)."""
    is_array: bool = False


class Encoded(NamedTuple):
    """A Variant to be written."""

    kind: int
    value: Value
    """As the node will hold it; of an array a tuple."""


_BITS = {2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 32, 8: 64, 9: 64}
_UNSIGNED = {3, 5, 7, 9}
_FLOAT32 = Struct("<f")
_FIRST_DAY = datetime(1601, 1, 2, tzinfo=UTC)
"""Later than the first one, which stands for no time at all."""
_LONGEST_SHOWN = 80


def check_kind(kind: int) -> None:
    """Raise ValueError where values of that built-in type cannot be written."""
    if kind not in _ENCODERS:
        named = built_in_type(kind)
        raise ValueError(f"values of its type cannot be written ({'unknown' if named is None else named.value})")


def check_writable(device: OpcUaDevice, point: OpcUaPoint) -> None:  # noqa: ARG001  (servers differ in nothing here)
    """Raise ValueError where values of the configured type cannot be written."""
    if point.type is DataType.STRUCTURE:
        raise ValueError(f"{point.node}: a structure cannot be written; leave writable out")


def encode(target: Target, value: Value) -> Encoded:
    """Return the Variant of a value. Raises ValueError where the node cannot hold it."""
    check_kind(target.kind)
    if not target.is_array:
        return Encoded(target.kind, _element(target.kind, value))
    if not isinstance(value, tuple):
        raise ValueError(f"{_shown(value)} is no array")  # noqa: TRY004  (the value is wrong, not the call)
    return Encoded(target.kind, tuple(_element(target.kind, element) for element in value))


def decode(encoded: Encoded) -> Sample:
    """Return what the reader makes of it once the node holds it."""
    return Sample(encoded.value)


def fits(target: Target, raw: object) -> bool:
    """Tell whether that is what `encode` gives for this node."""
    try:
        return isinstance(raw, Encoded) and same(encode(target, raw.value), raw)
    except ValueError:
        return False


def same(one: Encoded, other: Encoded) -> bool:
    """Tell whether two are alike to the type of each element; to Python 1 and True are equal."""
    return one == other and _types(one.value) == _types(other.value)


def _types(value: Value) -> list[type]:
    return [type(each) for each in value] if isinstance(value, tuple) else [type(value)]


def _element(kind: int, value: Value) -> Value:
    try:
        return _ENCODERS[kind](kind, value)
    except (ValueError, OverflowError):
        named = built_in_type(kind)
        raise ValueError(f"{_shown(value)} does not fit into {named.value if named else kind}") from None


def _bool(kind: int, value: Value) -> Value:  # noqa: ARG001  (others look at it)
    if not isinstance(value, bool):
        raise ValueError  # noqa: TRY004  (the value is wrong, not the call)
    return value


def _number(value: Value) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise ValueError


def _integer(kind: int, value: Value) -> Value:
    number, bits = _number(value), _BITS[kind]
    low, high = (0, 2**bits - 1) if kind in _UNSIGNED else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    whole = int(number)
    if whole == number and low <= whole <= high:
        return whole
    raise ValueError


def _float(kind: int, value: Value) -> Value:
    number = float(_number(value))
    if not isfinite(number):
        raise ValueError
    if built_in_type(kind) is DataType.FLOAT32:
        (number,) = _FLOAT32.unpack(_FLOAT32.pack(number))
    return number


def _text(kind: int, value: Value) -> Value:  # noqa: ARG001
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004
    value.encode()  # half a character is a text to Python alone
    return value


def _time(kind: int, value: Value) -> Value:  # noqa: ARG001
    if isinstance(value, datetime) and value.tzinfo is not None and value >= _FIRST_DAY:
        return value.astimezone(UTC)
    raise ValueError


def _bytes(kind: int, value: Value) -> Value:  # noqa: ARG001
    if not isinstance(value, bytes):
        raise ValueError  # noqa: TRY004
    return value


def _shown(value: Value) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


_ENCODERS: dict[int, Callable[[int, Value], Value]] = {
    1: _bool, **dict.fromkeys(_BITS, _integer), 10: _float, 11: _float, 12: _text, 13: _time, 15: _bytes,
}  # fmt: skip
