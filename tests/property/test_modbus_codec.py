"""Decoding undoes encoding, and a block is decoded as if every point were looked at alone."""

import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.modbus.block_decoder import BitDecoder, RegisterDecoder
from drivers.modbus.cell import Cell
from drivers.modbus.codec import FORMATS, ORDERS, REGISTERS, Order, encode_number, encode_text
from drivers.values import DataType, Sample

orders = st.sampled_from(ORDERS)
REGISTERS_IN_BLOCK = 12


def numbers(data_type: DataType) -> st.SearchStrategy[Any]:
    width = 16 * REGISTERS[data_type]
    if data_type.value.startswith("float"):
        return st.floats(width=32 if width == 32 else 64)
    if data_type.value.startswith("u"):
        return st.integers(0, 2**width - 1)
    return st.integers(-(2 ** (width - 1)), 2 ** (width - 1) - 1)


typed_numbers = st.sampled_from(list(FORMATS)).flatmap(lambda kind: st.tuples(st.just(kind), numbers(kind)))


@settings(max_examples=300, deadline=None)
@given(typed_numbers, orders)
def test_a_number_comes_back_from_its_registers(typed: tuple[DataType, Any], order: Order) -> None:
    data_type, value = typed
    raw = encode_number(value, data_type, order)
    ((point, sample),) = RegisterDecoder([Cell(0, 0, len(raw) // 2, data_type, order)], len(raw) // 2).decode(raw)
    assert point == 0
    assert sample.value == value or (math.isnan(value) and math.isnan(sample.value))  # type: ignore[arg-type]  # a float
    assert type(sample.value) is type(value)


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=10), orders)
def test_a_text_comes_back_from_its_registers(text: str, order: Order) -> None:
    text = text.rstrip(" ")
    raw = encode_text(text, 20, order)
    assert list(RegisterDecoder([Cell(0, 0, 20, DataType.STRING, order)], 20).decode(raw)) == [(0, Sample(text))]


@st.composite
def cells(draw: st.DrawFn) -> list[Cell]:
    drawn = []
    for point in range(draw(st.integers(1, 12))):
        data_type = draw(st.sampled_from([*FORMATS, DataType.BOOL, DataType.BYTES]))
        length = REGISTERS.get(data_type) or (1 if data_type is DataType.BOOL else draw(st.integers(1, 3)))
        bit = draw(st.integers(0, 15)) if data_type is DataType.BOOL else None
        start = draw(st.integers(0, REGISTERS_IN_BLOCK - length))
        drawn.append(Cell(point, start, length, data_type, draw(orders), bit))
    return drawn


raws = st.lists(st.integers(0, 0xFFFF), min_size=REGISTERS_IN_BLOCK, max_size=REGISTERS_IN_BLOCK)


@settings(max_examples=150, deadline=None)
@given(cells(), st.lists(st.tuples(raws, st.integers(0, REGISTERS_IN_BLOCK)), min_size=1, max_size=4))
def test_a_block_is_decoded_as_its_points_would_be_one_by_one(
    wanted: list[Cell], answers: list[tuple[list[int], int]]
) -> None:
    decoder = RegisterDecoder(wanted, REGISTERS_IN_BLOCK)
    words = [0] * REGISTERS_IN_BLOCK
    last: dict[int, str] = {}
    for new, kept in answers:
        words = words[:kept] + new[kept:]
        raw = b"".join(word.to_bytes(2, "big") for word in words)
        now = {cell.point: repr(plainly(words, cell)) for cell in wanted}
        changes = decoder.decode(raw)
        reported = {point: repr(sample.value) for point, sample in changes}
        assert len(reported) == len(changes)
        assert reported.items() <= now.items()
        # A NaN may be told again where its bits changed, and no other value.
        assert {point for point in now if now[point] != last.get(point)} <= reported.keys()
        assert all(now[point] != last.get(point) or now[point] == "nan" for point in reported)
        last = now


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, 39), min_size=1, max_size=30),
    st.lists(st.binary(min_size=5, max_size=5), min_size=1, max_size=4),
)
def test_bits_are_decoded_as_they_would_be_one_by_one(places: list[int], answers: list[bytes]) -> None:
    decoder = BitDecoder(enumerate(places))
    last: dict[int, bool] = {}
    for raw in answers:
        number = int.from_bytes(raw, "little")
        now = {point: bool(number >> place & 1) for point, place in enumerate(places)}
        expected = [(point, Sample(value)) for point, value in now.items() if last.get(point) is not value]
        assert sorted(decoder.decode(raw)) == expected
        last = now


def plainly(words: list[int], cell: Cell) -> Any:
    """Decode one point from numbers, not from bytes: an account of the orders that shares nothing with the codec."""
    taken = words[cell.start : cell.start + cell.length]
    if cell.order in ("BADC", "DCBA"):
        taken = [(word & 0xFF) << 8 | word >> 8 for word in taken]
    if cell.bit is not None:
        return bool(taken[0] >> cell.bit & 1)
    if cell.data_type is DataType.BYTES:
        return b"".join(word.to_bytes(2, "big") for word in taken)
    if cell.order in ("CDAB", "DCBA"):
        taken = taken[::-1]
    raw = 0
    for word in taken:
        raw = raw << 16 | word
    width = 16 * cell.length
    if cell.data_type.value.startswith("float"):
        return plain_float(raw, width)
    is_negative = not cell.data_type.value.startswith("u") and raw >> (width - 1)
    return raw - (1 << width) if is_negative else raw


def plain_float(raw: int, width: int) -> float:
    """Read an IEEE 754 number from its three parts."""
    fraction_bits, exponent_bits = (23, 8) if width == 32 else (52, 11)
    sign = -1.0 if raw >> (width - 1) else 1.0
    exponent = raw >> fraction_bits & (1 << exponent_bits) - 1
    fraction = raw & (1 << fraction_bits) - 1
    bias = (1 << exponent_bits - 1) - 1
    if exponent == (1 << exponent_bits) - 1:
        return math.nan if fraction else sign * math.inf
    if exponent == 0:
        return sign * math.ldexp(fraction, 1 - bias - fraction_bits)
    return sign * math.ldexp(fraction | 1 << fraction_bits, exponent - bias - fraction_bits)
