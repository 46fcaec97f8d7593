"""How many requests a set of points takes, and what they never ask for."""

from itertools import permutations

import pytest

from drivers.modbus.read_plan import Limits, PlannedRead, Wanted, plan_reads
from drivers.modbus.register import RegisterRange, Table

HOLDING = Table.HOLDING


def ranges(*spans: tuple[int, int], table: Table = HOLDING) -> list[Wanted]:
    return [Wanted(index, RegisterRange(table, start, end)) for index, (start, end) in enumerate(spans)]


def labels(reads: list[PlannedRead]) -> list[str]:
    return [str(read.range) for read in reads]


@pytest.mark.parametrize(("max_block", "requests"), [(125, 8), (120, 9), (1, 1000)])
def test_a_thousand_registers_in_a_row_take_as_few_requests_as_can_be(max_block: int, requests: int) -> None:
    wanted = ranges(*((register, register + 1) for register in range(1000)))
    assert len(plan_reads(wanted, Limits(max_block=max_block))) == requests


def test_a_value_of_several_registers_is_never_split() -> None:
    reads = plan_reads(ranges(*((2 * place, 2 * place + 2) for place in range(10))), Limits(max_block=5))
    assert labels(reads) == [f"holding:{start}..{start + 3}" for start in range(0, 20, 4)]


@pytest.mark.parametrize(("gap", "requests"), [(3, 1), (2, 2)])
def test_a_gap_is_read_for_nothing_up_to_its_limit(gap: int, requests: int) -> None:
    assert len(plan_reads(ranges((0, 1), (4, 5)), Limits(max_gap=gap))) == requests


def test_bits_have_limits_of_their_own() -> None:
    wanted = ranges((0, 1), (100, 101), (1999, 2000), (2000, 2001), table=Table.COIL)
    limits = Limits(max_gap=0, max_bit_gap=1900)
    assert labels(plan_reads(wanted, limits)) == ["coil:0..1999", "coil:2000"]


def test_a_hole_is_not_read_for_nothing() -> None:
    hole = RegisterRange(HOLDING, 3, 4)
    assert labels(plan_reads(ranges((0, 2), (5, 6)), Limits(holes=[hole]))) == ["holding:0..1", "holding:5"]


def test_a_hole_of_another_table_is_none() -> None:
    hole = RegisterRange(Table.INPUT, 3, 4)
    assert labels(plan_reads(ranges((0, 2), (5, 6)), Limits(holes=[hole]))) == ["holding:0..5"]


def test_a_point_in_a_hole_is_refused_naming_both() -> None:
    hole = RegisterRange(HOLDING, 3, 11)
    with pytest.raises(ValueError, match=r"holding:2\.\.3 lies in the hole holding:3\.\.10"):
        plan_reads(ranges((2, 4)), Limits(holes=[hole]))


def test_a_point_longer_than_a_request_is_refused() -> None:
    with pytest.raises(ValueError, match=r"holding:0\.\.3 takes 4 addresses, and one request brings 3"):
        plan_reads(ranges((0, 4)), Limits(max_block=3))


def test_points_that_share_registers_share_a_request() -> None:
    reads = plan_reads(ranges((4, 8), (0, 2), (4, 5), (4, 5)), Limits())
    assert reads == [PlannedRead(RegisterRange(HOLDING, 0, 8), (0, 1, 2, 3))]


def test_points_that_begin_together_are_read_together() -> None:
    spans = [(0, 1), (1, 2), (1, 6)]
    for order in permutations(spans):
        assert labels(plan_reads(ranges(*order), Limits(max_block=5))) == ["holding:0", "holding:1..5"]


def test_tables_are_never_mixed() -> None:
    wanted = [Wanted(index, RegisterRange(table, 0, 1)) for index, table in enumerate(Table)]
    assert sorted(labels(plan_reads(wanted, Limits()))) == ["coil:0", "discrete:0", "holding:0", "input:0"]


def test_no_points_take_no_request() -> None:
    assert plan_reads([], Limits()) == []
