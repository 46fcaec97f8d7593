"""A Variant as it comes over the wire, to a value. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import prod
from struct import Struct, unpack_from
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from drivers.opcua.binary import (
    MAX_DEPTH,
    BadEncoding,
    read_address,
    read_bytes,
    read_count,
    skip_diagnostic_info,
    unpack_i64,
    unpack_u16,
)
from drivers.opcua.node_id import NodeAddress, format_node_id
from drivers.values import Value


@dataclass(frozen=True, slots=True)
class Spoiled:
    """What stands in the place of a value that cannot be had."""

    reason: str


UNSUPPORTED = Spoiled("unsupported_type")
NOT_TEXT = Spoiled("bad_text")
TOO_LARGE = Spoiled("too_large")

MAX_ELEMENTS = 100_000
"""Of an array; to go through more would hold up the loop."""
MAX_BODY = 1 << 16
"""Bytes of a structure, or of an array of structures; likewise."""

Raw: TypeAlias = "Value | Spoiled"


class Structured(Protocol):
    """Who knows what the structures of a server are made of."""

    def decode(self, encoding: NodeAddress, body: bytes, depth: int) -> "Raw":
        """Return a structure as a mapping. Never raises."""


_FIRST_DAY = datetime(1601, 1, 1, tzinfo=UTC)
_LAST_TICK = 2_650_467_743_990_000_000
"""9999-12-31T23:59:59, from which on a time means "never"."""

FIXED = {
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
STRUCTURE = 22
"""The number of an ExtensionObject, in which structures travel."""
_NOTHING = NodeAddress(0, 0)
_ARRAY = 0x80
_DIMENSIONS = 0x40


def read_variant(data: bytes, at: int, structures: Structured | None = None, depth: int = 0) -> tuple[Raw, int]:
    """Read a value of any type: an array as a tuple, a matrix as tuples of tuples."""
    if depth > MAX_DEPTH:
        raise BadEncoding("values within values without end")
    form = data[at]
    kind = form & 0x3F
    if not form & _ARRAY:
        if form & _DIMENSIONS:
            raise BadEncoding(f"dimensions of something that is no array are at {at}")
        return read_scalar(data, at + 1, kind, structures, depth)
    value, at = read_array(data, at + 1, kind, structures, depth)
    if form & _DIMENSIONS:
        count, at = read_count(data, at, 4)
        dimensions = unpack_from(f"<{max(count, 0)}i", data, at)
        at += 4 * len(dimensions)
        if isinstance(value, tuple) and dimensions:
            value = shape(value, dimensions)
    return value, at


def read_array(data: bytes, at: int, kind: int, structures: Structured | None, depth: int) -> tuple[Raw, int]:
    """Read a count and as many elements of a built-in type."""
    fixed = FIXED.get(kind)
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
    start = at
    for _ in range(count):
        if kind == STRUCTURE and at - start > MAX_BODY:
            structures, spoiled = None, TOO_LARGE
        element, at = read_scalar(data, at, kind, structures, depth)
        if isinstance(element, Spoiled):
            spoiled = spoiled or element
        else:
            elements.append(element)
    return spoiled or tuple(elements), at


def read_scalar(data: bytes, at: int, kind: int, structures: Structured | None, depth: int) -> tuple[Raw, int]:
    """Read one element of a built-in type."""
    fixed = FIXED.get(kind)
    if fixed:
        return fixed[0](data, at)[0], at + fixed[1]
    if kind in _READERS:
        return _READERS[kind](data, at)
    if kind == STRUCTURE:
        return _read_structure(data, at, structures, depth)
    if kind not in _SKIPPERS:
        raise BadEncoding(f"a value of the unknown type {kind} is at {at}")
    return UNSUPPORTED, _SKIPPERS[kind](data, at, depth)


def _skip_data_value(data: bytes, at: int, depth: int) -> int:
    mask = data[at]
    at += 1
    if mask & 0x01:
        _, at = read_variant(data, at, None, depth + 1)
    sizes = ((0x02, 4), (0x04, 8), (0x08, 8), (0x10, 2), (0x20, 2))
    return at + sum(size for bit, size in sizes if mask & bit)


def shape(flat: tuple[Value, ...], dimensions: Sequence[int]) -> Value:
    """Return a matrix as tuples of tuples."""
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


def _read_node_id(data: bytes, at: int) -> tuple[Raw, int]:
    address, at = read_address(data, at)
    return format_node_id(address), at


def _read_qualified_name(data: bytes, at: int) -> tuple[Raw, int]:
    (namespace,) = unpack_u16(data, at)
    name, at = _read_text(data, at + 2)
    return (f"{namespace}:{name}" if namespace and isinstance(name, str) else name), at


def _read_structure(data: bytes, at: int, structures: Structured | None, depth: int) -> tuple[Raw, int]:
    encoding, at = read_address(data, at)
    form = data[at]
    if form == 0:
        return (None if encoding == _NOTHING else UNSUPPORTED), at + 1
    body, at = read_bytes(data, at + 1)
    if form != 1 or body is None or structures is None:  # 2 is XML
        return UNSUPPORTED, at
    return structures.decode(encoding, body, depth), at


_READERS: dict[int, Callable[[bytes, int], tuple[Any, int]]] = {
    0: _read_null,
    12: _read_text,
    13: _read_time,
    14: _read_guid,
    15: read_bytes,
    16: _read_text,
    17: _read_node_id,
    18: _read_node_id,
    20: _read_qualified_name,
    21: _read_localized_text,
}
"""Built-in types of other sizes, by their number."""

_SKIPPERS: dict[int, Callable[[bytes, int, int], int]] = {
    23: _skip_data_value,
    24: lambda data, at, depth: read_variant(data, at, None, depth + 1)[1],
    25: lambda data, at, _: skip_diagnostic_info(data, at),
    **{kind: lambda data, at, _: read_bytes(data, at)[1] for kind in range(26, 32)},
}
"""Built-in types that no tag can hold, by their number; 26 to 31 are reserved and look like ByteStrings."""
