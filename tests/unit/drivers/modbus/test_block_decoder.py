"""What of a block is reported: everything once, and after that what changed and nothing else."""

import math
import struct

from drivers.modbus.block_decoder import BitDecoder, RegisterDecoder
from drivers.modbus.cell import Cell
from drivers.modbus.codec import ORDERS
from drivers.values import DataType, Sample, bad


def words(*values: int) -> bytes:
    return struct.pack(f">{len(values)}H", *values)


def numbers(count: int) -> RegisterDecoder:
    return RegisterDecoder([Cell(index, index, 1, DataType.UINT16) for index in range(count)], count)


def test_the_first_answer_reports_every_point() -> None:
    assert list(numbers(3).decode(words(0, 0, 7))) == [(0, Sample(0)), (1, Sample(0)), (2, Sample(7))]


def test_an_unchanged_block_reports_nothing() -> None:
    decoder = numbers(3)
    decoder.decode(words(1, 2, 3))
    assert not decoder.decode(words(1, 2, 3))


def test_only_the_points_whose_registers_changed_are_reported() -> None:
    decoder = numbers(4)
    decoder.decode(words(1, 2, 3, 4))
    assert list(decoder.decode(words(1, 20, 3, 0))) == [(1, Sample(20)), (3, Sample(0))]
    assert list(decoder.decode(words(1, 2, 3, 0))) == [(1, Sample(2))]


def test_registers_that_no_point_wants_report_nothing() -> None:
    decoder = RegisterDecoder([Cell(0, 1, 1, DataType.UINT16)], 4)
    decoder.decode(words(1, 2, 3, 4))
    assert not decoder.decode(words(9, 2, 9, 9))
    assert list(decoder.decode(words(9, 5, 9, 9))) == [(0, Sample(5))]


def test_a_nan_that_stays_is_not_reported_again() -> None:
    decoder = RegisterDecoder([Cell(0, 0, 2, DataType.FLOAT32), Cell(1, 2, 1, DataType.UINT16)], 3)
    first = dict(decoder.decode(words(0x7FC0, 0, 1)))
    assert isinstance(first[0].value, float)
    assert math.isnan(first[0].value)
    assert list(decoder.decode(words(0x7FC0, 0, 2))) == [(1, Sample(2))]
    assert list(decoder.decode(words(0x3F80, 0, 2))) == [(0, Sample(1.0))]


def test_infinities_pass_as_values() -> None:
    decoder = RegisterDecoder([Cell(0, 0, 2, DataType.FLOAT32)], 2)
    assert list(decoder.decode(words(0x7F80, 0))) == [(0, Sample(math.inf))]


def test_points_of_every_order_share_a_block() -> None:
    cells = [Cell(place, 2 * place, 2, DataType.UINT32, order) for place, order in enumerate(ORDERS)]
    decoder = RegisterDecoder(cells, 8)
    changes = decoder.decode(words(0x1234, 0x5678, 0x5678, 0x1234, 0x3412, 0x7856, 0x7856, 0x3412))
    assert sorted(changes) == [(place, Sample(0x12345678)) for place in range(4)]


def test_points_that_overlap_each_see_their_own_registers() -> None:
    cells = [
        Cell(0, 0, 2, DataType.UINT32),
        Cell(1, 1, 2, DataType.UINT32),
        Cell(2, 1, 1, DataType.INT16),
        Cell(3, 1, 1, DataType.UINT16),
        Cell(4, 0, 4, DataType.UINT64),
    ]
    decoder = RegisterDecoder(cells, 4)
    assert sorted(decoder.decode(words(0, 0xFFFF, 2, 3))) == [
        (0, Sample(0xFFFF)),
        (1, Sample(0xFFFF0002)),
        (2, Sample(-1)),
        (3, Sample(0xFFFF)),
        (4, Sample(0x0000FFFF00020003)),
    ]
    assert sorted(decoder.decode(words(0, 0xFFFF, 2, 4))) == [(4, Sample(0x0000FFFF00020004))]


def test_a_point_that_is_wanted_twice_is_reported_twice() -> None:
    decoder = RegisterDecoder([Cell(0, 0, 2, DataType.FLOAT32), Cell(1, 0, 2, DataType.FLOAT32)], 2)
    assert sorted(decoder.decode(words(0x3F80, 0))) == [(0, Sample(1.0)), (1, Sample(1.0))]


def test_only_the_bits_that_changed_are_reported() -> None:
    decoder = RegisterDecoder([Cell(bit, 0, 1, DataType.BOOL, bit=bit) for bit in range(16)], 1)
    decoder.decode(words(0x0001))
    assert sorted(decoder.decode(words(0x8001))) == [(15, Sample(value=True))]
    assert sorted(decoder.decode(words(0x8002))) == [(0, Sample(value=False)), (1, Sample(value=True))]


def test_a_raw_value_that_means_absent_gives_a_bad_sample_until_it_changes() -> None:
    cells = [
        Cell(0, 0, 1, DataType.INT16, not_implemented=frozenset({0x8000})),
        Cell(1, 1, 2, DataType.FLOAT32, not_implemented=frozenset({0x7FC00000})),
    ]
    decoder = RegisterDecoder(cells, 3)
    absent = bad("not_implemented")
    assert sorted(decoder.decode(words(0x8000, 0x7FC0, 0))) == [(0, absent), (1, absent)]
    assert sorted(decoder.decode(words(0xFFFF, 0x3F80, 0))) == [(0, Sample(-1)), (1, Sample(1.0))]
    assert sorted(decoder.decode(words(0x8000, 0x3F80, 0))) == [(0, absent)]


def test_a_raw_value_that_means_absent_is_compared_in_the_order_of_the_value() -> None:
    cell = Cell(0, 0, 2, DataType.UINT32, "CDAB", not_implemented=frozenset({0x00010002}))
    assert list(RegisterDecoder([cell], 2).decode(words(2, 1))) == [(0, bad("not_implemented"))]
    assert list(RegisterDecoder([cell], 2).decode(words(1, 2))) == [(0, Sample(0x00020001))]


def test_what_fills_up_a_text_may_change_unseen() -> None:
    decoder = RegisterDecoder([Cell(0, 0, 2, DataType.STRING)], 2)
    assert list(decoder.decode(b"AB\0\0")) == [(0, Sample("AB"))]
    assert not decoder.decode(b"AB  ")
    assert list(decoder.decode(b"AC  ")) == [(0, Sample("AC"))]


def test_only_the_coils_that_changed_are_reported() -> None:
    decoder = BitDecoder([(0, 0), (1, 7), (2, 8), (3, 8)])
    assert sorted(decoder.decode(b"\x81\x00")) == [
        (0, Sample(value=True)),
        (1, Sample(value=True)),
        (2, Sample(value=False)),
        (3, Sample(value=False)),
    ]
    assert not decoder.decode(b"\x81\x00")
    assert sorted(decoder.decode(b"\x80\x01")) == [
        (0, Sample(value=False)),
        (2, Sample(value=True)),
        (3, Sample(value=True)),
    ]


def test_bits_after_the_last_coil_report_nothing() -> None:
    decoder = BitDecoder([(0, 0)])
    decoder.decode(b"\x01")
    assert not decoder.decode(b"\xff")
