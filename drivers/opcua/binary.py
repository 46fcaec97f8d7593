"""OPC UA Binary as a server sends it (OPC 10000-6, 5.2.2): the parts that values are made of. Pure.

Every function takes the bytes and a place in them, and returns where it ended. Nothing is believed of
lengths: what reaches past the end is BadEncoding.
"""

from struct import Struct
from struct import error as struct_error
from typing import TypeAlias
from uuid import UUID

from drivers.opcua.node_id import Identifier, NodeAddress

NumericId: TypeAlias = tuple[int, int | None]
"""Namespace index, and the identifier where it is a number."""

MAX_DEPTH = 16
"""Of values within values; what is deeper is an attack or a fault."""

unpack_u16 = Struct("<H").unpack_from
unpack_i32 = Struct("<i").unpack_from
unpack_u32 = Struct("<I").unpack_from
unpack_i64 = Struct("<q").unpack_from

_NODE_ID_SIZES = {0: 2, 1: 4, 2: 7, 4: 19}
_FORM = 0x3F
_WITH_URI = 0x80
_WITH_SERVER = 0x40


class BadEncoding(ValueError):
    """The bytes are not what the encoding rules allow."""


SHORT = (struct_error, IndexError)
"""What reading past the end raises."""


def read_bytes(data: bytes, at: int) -> tuple[bytes | None, int]:
    """Read a ByteString, or a String as it stands: a length, -1 for null, and so many bytes."""
    (length,) = unpack_i32(data, at)
    at += 4
    if length < 0:
        return None, at
    end = at + length
    if end > len(data):
        raise BadEncoding(f"{length} bytes are announced at {at}, and {len(data) - at} are there")
    return data[at:end], end


def read_count(data: bytes, at: int, least: int) -> tuple[int, int]:
    """Read the number of elements of an array, -1 for a null one; each takes at least so many bytes."""
    (count,) = unpack_i32(data, at)
    at += 4
    if not -1 <= count <= (len(data) - at) // least:
        raise BadEncoding(f"{count} elements are announced at {at}, for which there is no room")
    return count, at


def read_node_id(data: bytes, at: int) -> tuple[NumericId, int]:
    """Read a NodeId or an ExpandedNodeId; of the latter's URI and server nothing is kept."""
    form = data[at]
    numeric_id, at = _read_core(data, at)
    if form & _WITH_URI:
        _, at = read_bytes(data, at)
    if form & _WITH_SERVER:
        at += 4
    return numeric_id, at


def read_address(data: bytes, at: int) -> tuple[NodeAddress, int]:
    """Read a NodeId or an ExpandedNodeId with all that it says of the node; its server is passed over."""
    form = data[at]
    (namespace, number), end = _read_core(data, at)
    identifier: Identifier
    if number is not None:
        identifier = number
    elif form & _FORM == 4:
        identifier = UUID(bytes_le=data[at + 3 : end])
    else:
        raw = data[at + 7 : end]
        identifier = raw if form & _FORM == 5 else _read_text(raw, at)
    uri: bytes | None = None
    if form & _WITH_URI:
        uri, end = read_bytes(data, end)
    if form & _WITH_SERVER:
        end += 4
    return NodeAddress(_read_text(uri, at) if uri else namespace, identifier), end


def skip_extension_object(data: bytes, at: int) -> int:
    """Pass over a structure."""
    _, at = read_node_id(data, at)
    return read_bytes(data, at + 1)[1] if data[at] else at + 1


def skip_diagnostic_info(data: bytes, at: int, depth: int = 0) -> int:
    """Pass over diagnostics; the server is never asked for any, and may send them all the same."""
    if depth > MAX_DEPTH:
        raise BadEncoding("diagnostics within diagnostics without end")
    mask = data[at]
    at += 1 + 4 * (mask & 0x0F).bit_count()
    if mask & 0x10:
        _, at = read_bytes(data, at)
    if mask & 0x20:
        at += 4
    return skip_diagnostic_info(data, at, depth + 1) if mask & 0x40 else at


def skip_response_header(data: bytes, at: int) -> int:
    """Pass over a response's type and header. What they say of success is the caller's to have checked."""
    _, at = read_node_id(data, at)
    at = skip_diagnostic_info(data, at + 16)
    count, at = read_count(data, at, 4)
    for _ in range(count):
        _, at = read_bytes(data, at)
    return skip_extension_object(data, at)


def _read_core(data: bytes, at: int) -> tuple[NumericId, int]:
    """Read a node id without what may follow in an ExpandedNodeId."""
    kind = data[at] & _FORM
    if kind in _NODE_ID_SIZES:
        end = at + _NODE_ID_SIZES[kind]
        if end > len(data):
            raise BadEncoding(f"a node id is cut off at {at}")
        return _read_numeric(data, at, kind), end
    if kind in {3, 5}:
        numeric_id = (unpack_u16(data, at + 1)[0], None)
        return numeric_id, read_bytes(data, at + 3)[1]
    raise BadEncoding(f"a node id of the unknown form {data[at]:#x} is at {at}")


def _read_text(raw: bytes, at: int) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise BadEncoding(f"a node id at {at} is no text") from error


def _read_numeric(data: bytes, at: int, kind: int) -> NumericId:
    if kind == 0:
        return 0, data[at + 1]
    if kind == 1:
        return data[at + 1], unpack_u16(data, at + 2)[0]
    namespace = unpack_u16(data, at + 1)[0]
    return (namespace, unpack_u32(data, at + 3)[0]) if kind == 2 else (namespace, None)
