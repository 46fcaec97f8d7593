"""A DataValue as it comes over the wire to a Sample, with no object of the library in between. Pure.

The library's own decoding costs ten times as much, and gives up a whole message for one odd value.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import prod
from struct import Struct, unpack_from
from typing import Any, TypeAlias
from uuid import UUID

from drivers.opcua.binary import (
    MAX_DEPTH,
    BadEncoding,
    read_bytes,
    read_count,
    read_node_id,
    skip_diagnostic_info,
    skip_extension_object,
    unpack_i64,
    unpack_u32,
)
from drivers.opcua.quality import judge_status
from drivers.values import Quality, Sample, Value, bad


@dataclass(frozen=True, slots=True)
class Spoiled:
    """What stands in the place of a value that cannot be had."""

    reason: str


UNSUPPORTED = Spoiled("unsupported_type")
NOT_TEXT = Spoiled("bad_text")
TOO_LARGE = Spoiled("too_large")

MAX_ELEMENTS = 100_000
"""Of an array; to go through more would hold up the loop."""

Raw: TypeAlias = "Value | Spoiled"

_EPOCH = 116_444_736_000_000_000
"""1970 in ticks of 100 ns since 1601, as OPC UA counts time."""
_TICKS = 10_000_000
_FIRST_DAY = datetime(1601, 1, 1, tzinfo=UTC)
_LAST_TICK = 2_650_467_743_990_000_000
"""9999-12-31T23:59:59, from which on a time means "never"."""

_FIXED = {
    kind: (Struct("<" + code).unpack_from, Struct("<" + code).size, code)
    for kind, code in {
        1: "?",
        2: "b",
        3: "B",
        4: "h",
        5: "H",
        6: "i",
        7: "I",
        8: "q",
        9: "Q",
        10: "f",
        11: "d",
        19: "I",
    }.items()
}
"""The built-in types of fixed size by their number: decoder, size and struct code."""
_ARRAY = 0x80
_DIMENSIONS = 0x40


def read_data_value(data: bytes, at: int) -> tuple[Sample, int]:
    """Read one DataValue. Raises BadEncoding, or what SHORT names."""
    mask = data[at]
    at += 1
    value: Raw = None
    if mask & 0x01:
        fixed = _FIXED.get(data[at])
        if fixed is None:
            value, at = read_variant(data, at)
        else:
            (value,) = fixed[0](data, at + 1)
            at += 1 + fixed[1]
    status = 0
    if mask & 0x02:
        (status,) = unpack_u32(data, at)
        at += 4
    source_time = None
    if mask & 0x04:
        source_time = (unpack_i64(data, at)[0] - _EPOCH) / _TICKS
        at += 8
    if mask & 0x38:
        at += 2 * (mask >> 4 & 1) + 8 * (mask >> 3 & 1) + 2 * (mask >> 5 & 1)
    if status == 0 and value is not None and not isinstance(value, Spoiled):
        return Sample(value, Quality.GOOD, "", source_time), at
    return _doubt(value, status, source_time), at


def variant_type(data: bytes, at: int) -> int:
    """Return the number of the built-in type of the DataValue that begins here, 0 for none."""
    return data[at + 1] & 0x3F if data[at] & 0x01 else 0


def read_variant(data: bytes, at: int, depth: int = 0) -> tuple[Raw, int]:
    """Read a value of any type: an array as a tuple, a matrix as tuples of tuples."""
    if depth > MAX_DEPTH:
        raise BadEncoding("values within values without end")
    form = data[at]
    kind = form & 0x3F
    if not form & _ARRAY:
        if form & _DIMENSIONS:
            raise BadEncoding(f"dimensions of something that is no array are at {at}")
        return _read_scalar(data, at + 1, kind, depth)
    value, at = _read_array(data, at + 1, kind, depth)
    if form & _DIMENSIONS:
        count, at = read_count(data, at, 4)
        dimensions = unpack_from(f"<{max(count, 0)}i", data, at)
        at += 4 * len(dimensions)
        if isinstance(value, tuple) and dimensions:
            value = _shape(value, dimensions)
    return value, at


def _doubt(value: Raw, status: int, source_time: float | None) -> Sample:
    quality, reason = judge_status(status)
    if quality is Quality.BAD:
        return bad(reason, source_time)
    if isinstance(value, Spoiled):
        return bad(value.reason, source_time)
    if value is None:
        return bad("null", source_time)
    return Sample(value, quality, reason, source_time)


def _read_array(data: bytes, at: int, kind: int, depth: int) -> tuple[Raw, int]:
    fixed = _FIXED.get(kind)
    count, at = read_count(data, at, fixed[1] if fixed else 1)
    if count < 0:
        return None, at
    if fixed:
        end = at + count * fixed[1]
        return (unpack_from(f"<{count}{fixed[2]}", data, at) if count <= MAX_ELEMENTS else TOO_LARGE), end
    if count > MAX_ELEMENTS or (kind == 0 and count):
        raise BadEncoding(f"{count} elements of type {kind} are at {at}")
    elements: list[Value] = []
    spoiled: Spoiled | None = None
    for _ in range(count):
        element, at = _read_scalar(data, at, kind, depth)
        if isinstance(element, Spoiled):
            spoiled = element
        else:
            elements.append(element)
    return spoiled or tuple(elements), at


def _read_scalar(data: bytes, at: int, kind: int, depth: int) -> tuple[Raw, int]:
    fixed = _FIXED.get(kind)
    if fixed:
        return fixed[0](data, at)[0], at + fixed[1]
    if kind in _READERS:
        return _READERS[kind](data, at)
    if kind not in _SKIPPERS:
        raise BadEncoding(f"a value of the unknown type {kind} is at {at}")
    return UNSUPPORTED, _SKIPPERS[kind](data, at, depth)


def _skip_data_value(data: bytes, at: int, depth: int) -> int:
    mask = data[at]
    at += 1
    if mask & 0x01:
        _, at = read_variant(data, at, depth + 1)
    sizes = ((0x02, 4), (0x04, 8), (0x08, 8), (0x10, 2), (0x20, 2))
    return at + sum(size for bit, size in sizes if mask & bit)


def _shape(flat: tuple[Value, ...], dimensions: Sequence[int]) -> Raw:
    if any(size < 0 for size in dimensions) or prod(dimensions) != len(flat):
        raise BadEncoding(f"{len(flat)} elements do not fill a matrix of {dimensions}")
    for size in reversed(dimensions[1:]):
        if size == 0:
            return ()
        flat = tuple(flat[first : first + size] for first in range(0, len(flat), size))
    return flat


def _read_null(_: bytes, at: int) -> tuple[Raw, int]:
    return None, at


def _read_text(data: bytes, at: int) -> tuple[Raw, int]:
    text, at = read_bytes(data, at)
    if text is None:
        return None, at
    try:
        return text.decode(), at
    except UnicodeDecodeError:
        return NOT_TEXT, at


def _read_time(data: bytes, at: int) -> tuple[Raw, int]:
    ticks = min(max(unpack_i64(data, at)[0], 0), _LAST_TICK)
    return _FIRST_DAY + timedelta(microseconds=ticks // 10), at + 8


def _read_guid(data: bytes, at: int) -> tuple[Raw, int]:
    if at + 16 > len(data):
        raise BadEncoding(f"a GUID is cut off at {at}")
    return str(UUID(bytes_le=data[at : at + 16])), at + 16


def _read_localized_text(data: bytes, at: int) -> tuple[Raw, int]:
    mask = data[at]
    at += 1
    if mask & 0x01:
        _, at = read_bytes(data, at)
    return _read_text(data, at) if mask & 0x02 else ("", at)


_READERS: dict[int, Callable[[bytes, int], tuple[Any, int]]] = {
    0: _read_null,
    12: _read_text,
    13: _read_time,
    14: _read_guid,
    15: read_bytes,
    16: _read_text,
    21: _read_localized_text,
}
"""Built-in types of other sizes, by their number."""

_SKIPPERS: dict[int, Callable[[bytes, int, int], int]] = {
    17: lambda data, at, _: read_node_id(data, at)[1],
    18: lambda data, at, _: read_node_id(data, at)[1],
    20: lambda data, at, _: read_bytes(data, at + 2)[1],
    22: lambda data, at, _: skip_extension_object(data, at),
    23: _skip_data_value,
    24: lambda data, at, depth: read_variant(data, at, depth + 1)[1],
    25: lambda data, at, _: skip_diagnostic_info(data, at),
    **{kind: lambda data, at, _: read_bytes(data, at)[1] for kind in range(26, 32)},
}
"""Built-in types that no tag can hold, by their number; 26 to 31 are reserved and look like ByteStrings."""
