"""A publish response and a read response, from their bytes to samples. Pure."""

from typing import NamedTuple

from drivers.opcua.binary import (
    SHORT,
    BadEncoding,
    NumericId,
    read_address,
    read_count,
    read_node_id,
    skip_response_header,
    unpack_i32,
    unpack_u32,
)
from drivers.opcua.data_value import read_data_value, variant_type
from drivers.opcua.node_id import NodeAddress
from drivers.opcua.variant import Structured
from drivers.values import Sample

DATA_CHANGE: NumericId = (0, 811)
STATUS_CHANGE: NumericId = (0, 820)

MAX_BYTES = 8192
"""Of changes that are read at once: long texts and structures take as long as many numbers."""

_NODE_ID = 17


class Part(NamedTuple):
    """One notification of a message: its kind, and where its body is."""

    kind: NumericId
    start: int
    end: int


class Publication(NamedTuple):
    """One publish response; without parts it is a keep-alive."""

    subscription: int
    sequence: int
    """The message's number; a keep-alive carries that of the next message."""
    parts: tuple[Part, ...]


class Result(NamedTuple):
    """One node's answer to a read."""

    sample: Sample
    variant_type: int
    """The number of the built-in type of the value, 0 for none."""
    node_id: NodeAddress | None
    """The value, where it is a node id."""


def read_publication(data: bytes) -> Publication:
    """Read a publish response but for the notifications' bodies. Raises BadEncoding."""
    try:
        at = skip_response_header(data, 0)
        (subscription,) = unpack_u32(data, at)
        count, at = read_count(data, at + 4, 4)
        at += 4 * max(count, 0) + 1
        (sequence,) = unpack_u32(data, at)
        count, at = read_count(data, at + 12, 3)
        parts = []
        for _ in range(count):
            part = _read_part(data, at)
            parts.append(part)
            at = part.end
    except SHORT as error:
        raise BadEncoding("a publish response is cut off") from error
    return Publication(subscription, sequence, tuple(parts))


def read_change_count(data: bytes, part: Part) -> tuple[int, int]:
    """Return how many changes a data change notification holds, and where they begin. Raises BadEncoding."""
    try:
        return read_count(data, part.start, 5)
    except SHORT as error:
        raise BadEncoding("a notification is cut off") from error


def read_changes(
    data: bytes, at: int, count: int, structures: Structured | None = None
) -> tuple[list[tuple[int, Sample]], int]:
    """Read up to so many changes, as client handles with samples, and return where they ended. Raises BadEncoding.

    It is fewer of them, but one at least, where they take more than MAX_BYTES.
    """
    changes: list[tuple[int, Sample]] = []
    append, read, last = changes.append, read_data_value, at + MAX_BYTES
    try:
        for _ in range(count):
            (handle,) = unpack_u32(data, at)
            sample, at = read(data, at + 4, structures)
            append((handle, sample))
            if at > last:
                break
    except SHORT as error:
        raise BadEncoding("a change is cut off") from error
    if at > len(data):
        raise BadEncoding("a change is cut off")
    return changes, at


def read_status_change(data: bytes, part: Part) -> int:
    """Return the status code of a status change notification. Raises BadEncoding."""
    try:
        return int(unpack_u32(data, part.start)[0])
    except SHORT as error:
        raise BadEncoding("a status change is cut off") from error


def read_results(data: bytes, structures: Structured | None = None) -> list[Result]:
    """Read a read response, in the order of the request. Raises BadEncoding."""
    results = []
    try:
        count, at = read_count(data, skip_response_header(data, 0), 1)
        for _ in range(count):
            kind = variant_type(data, at)
            node_id = read_address(data, at + 2)[0] if kind == _NODE_ID and data[at + 1] == _NODE_ID else None
            sample, at = read_data_value(data, at, structures)
            results.append(Result(sample, kind, node_id))
    except SHORT as error:
        raise BadEncoding("a read response is cut off") from error
    if at > len(data):
        raise BadEncoding("a read response is cut off")
    return results


def _read_part(data: bytes, at: int) -> Part:
    kind, at = read_node_id(data, at)
    if not data[at]:
        return Part(kind, at + 1, at + 1)
    (length,) = unpack_i32(data, at + 1)
    start = at + 5
    # Some old servers do not fill in the length; then the notification is the only one.
    end = start + length if length >= 0 else len(data)
    if end > len(data):
        raise BadEncoding("a notification is cut off")
    return Part(kind, start, end)
