"""What a server's own structures are made of, and their values as mappings. Pure; nothing is generated or executed.

A server describes each of its data types by a StructureDefinition (OPC 10000-3, 8.48); how such a structure stands on
the wire follows from that (OPC 10000-6, 5.2.6 to 5.2.8). The definition of a definition is known beforehand.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from math import prod
from struct import unpack_from
from typing import TypeAlias

from drivers.opcua.binary import MAX_DEPTH, SHORT, BadEncoding, read_count, unpack_u32
from drivers.opcua.node_id import NodeAddress
from drivers.opcua.variant import (
    MAX_BODY,
    STRUCTURE,
    TOO_LARGE,
    UNSUPPORTED,
    Raw,
    Spoiled,
    read_array,
    read_scalar,
    read_variant,
    shape,
)
from drivers.values import Value

MAX_PARTS = 10_000
"""Values within one structure; to go through more would hold up the loop."""
MAX_FIELDS = 1000

BAD_STRUCTURE = Spoiled("bad_structure")
_VARIANT = 24

FieldType: TypeAlias = "int | Structure"
"""The number of a built-in type, or a structure."""


class Form(IntEnum):
    """How a structure stands on the wire (OPC 10000-3, 8.49)."""

    PLAIN = 0
    OPTIONAL_FIELDS = 1
    UNION = 2
    PLAIN_SUBTYPED = 3
    UNION_SUBTYPED = 4


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a structure."""

    name: str
    type: NodeAddress
    """Its data type, as the server calls it."""
    rank: int = -1
    """Dimensions; -1 for a single value."""
    optional: bool = False
    """That it may be left out; in a subtyped form, that it is wrapped so that it may be of a subtype."""


@dataclass(frozen=True, slots=True)
class Structure:
    """A structure as the server defines it."""

    fields: tuple[Field, ...]
    form: Form = Form.PLAIN


class Structures:
    """The structures of one server on one connection."""

    def __init__(self, by_encoding: Mapping[NodeAddress, Structure], types: Mapping[NodeAddress, FieldType]) -> None:
        """By encoding: the node ids of their binary encodings. Types: what the data types of the fields are."""
        self._by_encoding = by_encoding
        self._types = types
        self._left = 0
        self.unknown: set[NodeAddress] = set()
        """Encodings that were met and are not known; at most MAX_FIELDS."""

    def decode(self, encoding: NodeAddress, body: bytes, depth: int) -> Raw:
        """Return a structure as a mapping, or why there is none; a broken one costs nothing but itself."""
        structure = self._by_encoding.get(encoding)
        if structure is None:
            if len(self.unknown) < MAX_FIELDS:
                self.unknown.add(encoding)
            return UNSUPPORTED
        if len(body) > MAX_BODY:
            return TOO_LARGE
        if depth == 0:
            self._left = MAX_PARTS
        try:
            value, end = self._read_structure(body, 0, structure, depth + 1)
        except _UnreadableError as error:
            return error.spoiled
        except (BadEncoding, *SHORT):
            return BAD_STRUCTURE
        return value if end <= len(body) else BAD_STRUCTURE

    def _read_structure(self, data: bytes, at: int, structure: Structure, depth: int) -> tuple[Value, int]:
        if depth > MAX_DEPTH:
            raise BadEncoding("structures within structures without end")
        form, fields = structure.form, structure.fields
        if form in {Form.UNION, Form.UNION_SUBTYPED}:
            (switch,) = unpack_u32(data, at)
            if switch > len(fields):
                raise BadEncoding(f"a union has no field {switch}")
            fields, at = fields[switch - 1 : switch] if switch else (), at + 4
        present = ~0
        if form is Form.OPTIONAL_FIELDS:
            (present,) = unpack_u32(data, at)
            at += 4
        value: dict[str, Value] = {}
        wrapped = form in {Form.PLAIN_SUBTYPED, Form.UNION_SUBTYPED}
        bit = 1
        for field in fields:
            if form is Form.OPTIONAL_FIELDS and field.optional:
                bit, is_there = bit << 1, present & bit
                if not is_there:
                    continue
            value[field.name], at = self._read_field(data, at, field, depth, wrapped=wrapped and field.optional)
        return value, at

    def _read_field(self, data: bytes, at: int, field: Field, depth: int, *, wrapped: bool) -> tuple[Value, int]:
        kind = self._types.get(field.type)
        if kind is None:
            raise _UnreadableError(UNSUPPORTED)
        if wrapped:
            kind = STRUCTURE if isinstance(kind, Structure) else _VARIANT
        if field.rank < 1:
            return self._read_one(data, at, kind, depth)
        if field.rank == 1 and isinstance(kind, int) and kind != _VARIANT:
            self._spend(read_count(data, at, 1)[0])
            value, at = read_array(data, at, kind, self, depth)
            return _checked(value), at
        sizes, at = self._read_sizes(data, at, field.rank)
        elements: list[Value] = []
        for _ in range(prod(sizes)):
            element, at = self._read_one(data, at, kind, depth)
            elements.append(element)
        flat = tuple(elements)
        return (shape(flat, sizes) if field.rank > 1 else flat), at

    def _read_sizes(self, data: bytes, at: int, rank: int) -> tuple[tuple[int, ...], int]:
        # Every element counts, also those that take no bytes.
        if rank == 1:
            (count,) = unpack_from("<i", data, at)
            sizes, at = (max(count, 0),), at + 4
        else:
            count, at = read_count(data, at, 4)
            sizes = tuple(unpack_from(f"<{max(count, 0)}i", data, at))
            at += 4 * len(sizes)
            if len(sizes) != rank or any(size < 0 for size in sizes):
                raise BadEncoding(f"{sizes} are no {rank} dimensions")
        self._spend(prod(sizes))
        return sizes, at

    def _read_one(self, data: bytes, at: int, kind: FieldType, depth: int) -> tuple[Value, int]:
        self._spend(1)
        if isinstance(kind, Structure):
            return self._read_structure(data, at, kind, depth + 1)
        if kind == _VARIANT:
            value, at = read_variant(data, at, self, depth + 1)
        else:
            value, at = read_scalar(data, at, kind, self, depth)
        return _checked(value), at

    def _spend(self, parts: int) -> None:
        self._left -= max(parts, 0)
        if self._left < 0:
            raise _UnreadableError(TOO_LARGE)


class _UnreadableError(Exception):
    """A structure holds something that no tag can hold."""

    def __init__(self, spoiled: Spoiled) -> None:
        super().__init__(spoiled.reason)
        self.spoiled = spoiled


def _checked(value: Raw) -> Value:
    if isinstance(value, Spoiled):
        raise _UnreadableError(value)
    return value


def _in_namespace_0(number: int) -> NodeAddress:
    return NodeAddress(0, number)


_FIELD = Structure((
    Field("Name", _in_namespace_0(12)),
    Field("Description", _in_namespace_0(21)),
    Field("DataType", _in_namespace_0(17)),
    Field("ValueRank", _in_namespace_0(6)),
    Field("ArrayDimensions", _in_namespace_0(7), rank=1),
    Field("MaxStringLength", _in_namespace_0(7)),
    Field("IsOptional", _in_namespace_0(1)),
))  # fmt: skip
_DEFINITION = Structure((
    Field("DefaultEncodingId", _in_namespace_0(17)),
    Field("BaseDataType", _in_namespace_0(17)),
    Field("StructureType", _in_namespace_0(6)),
    Field("Fields", _in_namespace_0(101), rank=1),
))  # fmt: skip

BUILT_IN: Mapping[NodeAddress, FieldType] = {
    **{_in_namespace_0(number): number for number in range(1, 26)},
    # Abstract types travel as what they are made of: numbers in a Variant, an enumeration as an Int32.
    **{_in_namespace_0(number): _VARIANT for number in (26, 27, 28)},
    _in_namespace_0(29): 6,
}
"""The data types that need no definition, and how they stand on the wire."""


def definitions() -> Structures:
    """Return a reader of StructureDefinitions themselves, by their encoding i=122."""
    return Structures({_in_namespace_0(122): _DEFINITION}, {**BUILT_IN, _in_namespace_0(101): _FIELD})
