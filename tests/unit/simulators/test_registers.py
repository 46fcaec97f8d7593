"""The simulated PLC's own encoding of registers."""

from math import inf, isnan, nan

import pytest

from simulators.faces.registers import Registers, decode, encode, width
from simulators.faults import Reading
from simulators.spec import RegisterSpec, RegisterType, Signal, Table


def spec(name: str, table: Table, offset: int, kind: RegisterType) -> RegisterSpec:
    return RegisterSpec(name=name, signal=name, table=table, offset=offset, type=kind)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("bool", True, [1]),
        ("int16", -2, [0xFFFE]),
        ("uint16", 40_000, [40_000]),
        ("int32", -2, [0xFFFF, 0xFFFE]),
        ("uint32", 0x12345678, [0x1234, 0x5678]),
        ("int64", 1, [0, 0, 0, 1]),
        ("uint64", 1 << 63, [0x8000, 0, 0, 0]),
        ("float32", 450.0, [0x43E1, 0]),
        ("float64", 1.0, [0x3FF0, 0, 0, 0]),
    ],
)
def test_a_value_is_laid_out_with_its_high_word_first(kind: RegisterType, value: Signal, words: list[int]) -> None:
    assert encode(kind, value) == words
    assert decode(kind, words) == value
    assert width(kind) == len(words)


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("int16", 1e6, 32_767),
        ("int16", -1e6, -32_768),
        ("uint16", -5, 0),
        ("uint16", 1e6, 65_535),
        ("int16", nan, -32_768),
    ],
)
def test_what_an_integer_cannot_hold_becomes_the_nearest_that_it_can(
    kind: RegisterType, value: float, shown: int
) -> None:
    assert decode(kind, encode(kind, value)) == shown


def test_a_float_carries_nan_and_overflows_to_infinity() -> None:
    assert isnan(float(decode("float32", encode("float32", nan))))
    assert decode("float32", encode("float32", -1e300)) == -inf


def test_points_that_overlap_are_refused() -> None:
    with pytest.raises(ValueError, match="b: input:1 is taken"):
        Registers([spec("a", "input", 0, "float32"), spec("b", "input", 1, "uint16")])


def test_a_number_in_a_table_of_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="does not suit"):
        Registers([spec("a", "coil", 0, "uint16")])


def test_a_write_of_one_word_keeps_the_points_other_word() -> None:
    point = spec("a", "holding", 10, "float32")
    registers = Registers([point])
    registers.show(point, Reading(450.0))
    assert list(registers.written("holding", 10, [0x43F0])) == [(point, 480.0)]


def test_a_stretch_touches_each_point_once() -> None:
    points = [spec("a", "input", 0, "float32"), spec("b", "input", 2, "uint16"), spec("c", "input", 9, "uint16")]
    registers = Registers(points)
    assert registers.touched("input", 1, 4) == points[:2]
    assert registers.touched("holding", 0, 100) == []
    assert registers.places("input") == [0, 1, 2, 9]
