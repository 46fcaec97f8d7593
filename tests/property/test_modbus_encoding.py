"""What is encoded for a point reads back as the same, or is refused."""

import math
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.modbus.cell import Cell
from drivers.modbus.codec import FORMATS, INTEGERS, ORDERS, REGISTERS, Order
from drivers.modbus.encoding import decode, encode, is_whole
from drivers.modbus.exponent import HIGHEST, LOWEST
from drivers.values import DataType, Quality, Sample, Value

orders = st.sampled_from(ORDERS)
types = st.sampled_from(list(FORMATS))
anything = st.one_of(
    st.integers(), st.floats(), st.booleans(), st.text(), st.binary(), st.none(), st.tuples(st.integers()),
    st.sampled_from([0x8000, 0xFFFF, -1, -0x8000, 2**31, 2**64, 10**400, -0.0, 0.5, float("nan"), float("inf")]),
)  # fmt: skip


def cell_of(data_type: DataType, order: Order, **keys: Any) -> Cell:
    return Cell(0, 0, keys.pop("length", REGISTERS.get(data_type, 1)), data_type, order, **keys)


@settings(max_examples=500, deadline=None)
@given(types, orders, anything)
def test_a_number_reads_back_or_is_refused(data_type: DataType, order: Order, value: Any) -> None:
    cell = cell_of(data_type, order)
    try:
        raw = encode(cell, value)
    except ValueError:
        return
    assert is_whole(cell, raw)
    back = decode(cell, raw)
    assert back.quality is Quality.GOOD
    assert not isinstance(value, bool)
    if data_type in INTEGERS:
        assert (type(back.value), back.value) == (int, value)
    else:
        assert isinstance(back.value, float)
        ulp = 2.0 ** max(math.frexp(value)[1] - 24, -149) if data_type is DataType.FLOAT32 else math.ulp(float(value))
        assert abs(back.value - value) <= ulp


@settings(max_examples=300, deadline=None)
@given(types.filter(lambda kind: kind in INTEGERS), orders, st.data())
def test_every_whole_number_of_a_type_can_be_written(data_type: DataType, order: Order, data: st.DataObject) -> None:
    bits = 16 * REGISTERS[data_type]
    low, high = (0, 2**bits - 1) if data_type.value.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    cell = cell_of(data_type, order)
    value = data.draw(st.one_of(st.integers(low, high), st.sampled_from([low, high])))
    assert decode(cell, encode(cell, value)) == Sample(value)
    for beyond in (low - 1, high + 1):
        with pytest.raises(ValueError, match="does not fit"):
            encode(cell, beyond)


@settings(max_examples=300, deadline=None)
@given(orders, st.text(max_size=12), st.integers(1, 10), st.sampled_from(["utf-8", "latin-1"]))
def test_a_text_reads_back_or_is_refused(order: Order, text: str, length: int, encoding: Any) -> None:
    cell = cell_of(DataType.STRING, order, length=length, encoding=encoding)
    try:
        raw = encode(cell, text)
    except ValueError:
        try:
            coded = text.encode(encoding)
        except UnicodeEncodeError:
            return
        assert len(coded) > 2 * length or "\0" in text or text.endswith(" ")
        return
    assert decode(cell, raw) == Sample(text)


@settings(max_examples=100, deadline=None)
@given(orders, st.binary(min_size=6, max_size=6))
def test_bytes_read_back(order: Order, raw: bytes) -> None:
    cell = cell_of(DataType.BYTES, order, length=3)
    assert decode(cell, encode(cell, raw)) == Sample(raw)
    for other in (raw[:-1], raw + b"\0"):
        with pytest.raises(ValueError, match="is not 6 bytes"):
            encode(cell, other)


@settings(max_examples=300, deadline=None)
@given(st.integers(-0x8000, 0x7FFF), st.integers(LOWEST, HIGHEST))
def test_what_a_scaled_register_reads_can_be_written_back(raw: int, power: int) -> None:
    cell, exponent = cell_of(DataType.INT16, "ABCD"), Sample(power)
    value = decode(cell, struct.unpack(">H", struct.pack(">h", raw)), exponent).value
    words = encode(cell, value, exponent)
    assert words == struct.unpack(">H", struct.pack(">h", raw))
    assert decode(cell, words, exponent) == Sample(value)


@pytest.mark.parametrize(
    ("value", "power", "message"),
    [
        (0.25, -1, r"no multiple of its step, 1e-1; the nearest is 0\.2"),
        (15, 1, "no multiple of its step, 1e1"),
        (4000.0, -1, "40000 does not fit into int16"),
        (float("nan"), -1, "is not finite"),
        (True, -1, "is no number"),
        ("1", -1, "is no number"),
        (10**400, 0, "out of reach"),
        (10**308, -10, "does not fit into int16"),
        (1.0, 11, "its exponent is not known: 11 is none"),
        (1.0, 1.5, "its exponent is not known"),
    ],
)
def test_what_an_exponent_cannot_make_is_refused(value: Value, power: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        encode(cell_of(DataType.INT16, "ABCD"), value, Sample(power))


def test_what_says_that_there_is_no_value_is_never_written() -> None:
    sentinel = cell_of(DataType.INT16, "ABCD", not_implemented=frozenset({0x8000}))
    with pytest.raises(ValueError, match="what says that there is no value: not_implemented"):
        encode(sentinel, -0x8000)


@pytest.mark.parametrize("value", [1, 0, "true", None, 1.0])
def test_a_bit_takes_true_or_false_and_nothing_like_it(value: Value) -> None:
    cell = cell_of(DataType.BOOL, "ABCD", bit=3)
    assert [decode(cell, encode(cell, each)).value for each in (True, False)] == [True, False]
    with pytest.raises(ValueError, match="is not true or false"):
        encode(cell, value)
