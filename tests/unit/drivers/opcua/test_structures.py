"""Structures byte for byte (OPC 10000-6, 5.2.6 to 5.2.8), and what becomes of those that make no sense."""

import struct

import pytest

from drivers.opcua.definitions import understand
from drivers.opcua.node_id import NodeAddress
from drivers.opcua.structures import BUILT_IN, MAX_PARTS, Field, FieldType, Form, Structure, Structures
from drivers.opcua.variant import MAX_BODY, Raw, Spoiled
from drivers.values import Value

ENCODING = NodeAddress(2, 5001)
OWN = NodeAddress(2, "Own")
NESTED = NodeAddress(2, "Nested")
BOOL, BYTE, INT32, DOUBLE, STRING, ANYTHING, VARIANT = (NodeAddress(0, number) for number in (1, 3, 6, 11, 12, 22, 24))


def number(value: int) -> bytes:
    return struct.pack("<i", value)


def real(value: float) -> bytes:
    return struct.pack("<d", value)


def text(value: str) -> bytes:
    return number(len(value)) + value.encode()


def decode(structure: Structure, body: bytes, **types: FieldType) -> Raw:
    known = {**BUILT_IN, OWN: structure, **{NodeAddress(2, name): found for name, found in types.items()}}
    return Structures({ENCODING: structure}, known).decode(ENCODING, body, 0)


PLAIN = Structure((Field("a", INT32), Field("b", STRING), Field("c", DOUBLE, rank=1)))
OPTIONAL = Structure(
    (Field("a", BYTE), Field("b", BYTE, optional=True), Field("c", BYTE), Field("d", BYTE, optional=True)),
    Form.OPTIONAL_FIELDS,
)
UNION = Structure((Field("a", INT32), Field("b", STRING)), Form.UNION)
NEST = Structure((Field("x", NESTED), Field("y", NESTED, rank=1)))
MATRIX = Structure((Field("m", BYTE, rank=2),))
WRAPPED = Structure((Field("a", INT32), Field("b", NESTED, optional=True)), Form.PLAIN_SUBTYPED)
ANY = Structure((Field("v", VARIANT), Field("w", VARIANT, rank=1)))
PAIR = Structure((Field("p", BYTE), Field("q", BOOL)))


@pytest.mark.parametrize(
    ("structure", "body", "value"),
    [
        (PLAIN, number(-1) + text("x") + number(2) + real(1.5) + real(2.5), {"a": -1, "b": "x", "c": (1.5, 2.5)}),
        (PLAIN, number(7) + number(-1) + number(-1), {"a": 7, "b": None, "c": None}),
        (OPTIONAL, number(0) + b"\x01\x02", {"a": 1, "c": 2}),
        (OPTIONAL, number(2) + b"\x01\x02\x03", {"a": 1, "c": 2, "d": 3}),
        (OPTIONAL, number(3) + b"\x01\x02\x03\x04", {"a": 1, "b": 2, "c": 3, "d": 4}),
        (UNION, number(0), {}),
        (UNION, number(1) + number(7), {"a": 7}),
        (UNION, number(2) + text("x"), {"b": "x"}),
        (NEST, b"\x07\x01" + number(2) + b"\x08\x00\x09\x01", {
            "x": {"p": 7, "q": True}, "y": ({"p": 8, "q": False}, {"p": 9, "q": True}),
        }),
        (MATRIX, number(2) + number(2) + number(3) + bytes(range(6)), {"m": ((0, 1, 2), (3, 4, 5))}),
        (ANY, b"\x06" + number(7) + number(2) + b"\x01\x01\x86" + number(1) + number(9), {"v": 7, "w": (True, (9,))}),
        (PAIR, b"\x01\x01more", {"p": 1, "q": True}),  # a later version of the type, with a field that we do not know
    ],
)  # fmt: skip
def test_a_structure_becomes_a_mapping(structure: Structure, body: bytes, value: Value) -> None:
    assert decode(structure, body, Nested=PAIR) == value


def test_a_field_that_may_be_of_a_subtype_is_wrapped_with_its_encoding() -> None:
    known = {**BUILT_IN, NESTED: PAIR}
    structures = Structures({ENCODING: WRAPPED, NodeAddress(2, 5002): PAIR}, known)
    wrapped = b"\x01\x02" + struct.pack("<H", 5002) + b"\x01" + number(2) + b"\x05\x01"
    assert structures.decode(ENCODING, number(7) + wrapped, 0) == {"a": 7, "b": {"p": 5, "q": True}}


@pytest.mark.parametrize(
    ("structure", "body", "reason"),
    [
        (PLAIN, b"", "bad_structure"),
        (PLAIN, number(1) + number(100) + b"x", "bad_structure"),
        (PLAIN, number(1) + number(1) + b"\xff" + number(0), "bad_text"),
        (PLAIN, number(1) + number(-1) + number(2**31 - 1), "bad_structure"),
        (UNION, number(3), "bad_structure"),
        (MATRIX, number(2) + number(-1) + number(-1), "bad_structure"),
        (MATRIX, number(3) + number(1) * 3 + b"\x01", "bad_structure"),
        (MATRIX, number(2) + number(2**30) * 2, "too_large"),
        (PLAIN, bytes(MAX_BODY + 1), "too_large"),
        (Structure((Field("a", NodeAddress(2, "Unknown")),)), b"\x01", "unsupported_type"),
        (Structure((Field("a", NodeAddress(0, 23)),)), b"\x00", "unsupported_type"),
        (Structure((Field("a", BYTE, rank=1),)), number(MAX_PARTS + 1) + bytes(MAX_PARTS + 1), "too_large"),
    ],
)  # fmt: skip
def test_a_structure_that_makes_no_sense_costs_nothing_but_itself(
    structure: Structure, body: bytes, reason: str
) -> None:
    assert decode(structure, body) == Spoiled(reason)


def test_elements_that_take_no_bytes_are_counted_all_the_same() -> None:
    empty = Structure(())
    assert decode(Structure((Field("a", NESTED, rank=1),)), number(2**31 - 1), Nested=empty) == Spoiled("too_large")


def test_a_type_that_holds_itself_without_end_is_given_up() -> None:
    assert decode(Structure((Field("a", OWN),)), bytes(1000)) == Spoiled("bad_structure")


def test_an_encoding_that_is_not_known_is_remembered() -> None:
    structures = Structures({}, BUILT_IN)
    assert structures.decode(ENCODING, b"", 0) == Spoiled("unsupported_type")
    assert structures.unknown == {ENCODING}


FIELD: dict[str, Value] = {"Name": "a", "DataType": "i=6", "ValueRank": -1, "IsOptional": False}
DEFINITION: dict[str, Value] = {"DefaultEncodingId": "ns=2;i=5001", "StructureType": 0, "Fields": (FIELD,)}


def test_a_definition_is_understood() -> None:
    assert understand(DEFINITION) == (ENCODING, Structure((Field("a", INT32),)))


@pytest.mark.parametrize(
    "change",
    [
        {"StructureType": 5},
        {"StructureType": None},
        {"Fields": None},
        {"Fields": (FIELD, FIELD)},
        {"Fields": (None,)},
        {"Fields": ({**FIELD, "Name": None},)},
        {"Fields": ({**FIELD, "ValueRank": 0},)},
        {"Fields": ({**FIELD, "ValueRank": -2},)},
        {"Fields": ({**FIELD, "DataType": None},)},
        {"Fields": (FIELD,) * 1001},
        {"DefaultEncodingId": None},
    ],
)
def test_what_describes_no_structure_is_no_definition(change: dict[str, Value]) -> None:
    assert understand({**DEFINITION, **change}) is None
    assert understand(7) is None
