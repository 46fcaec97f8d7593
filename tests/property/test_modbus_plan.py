"""The plan of reading, over any set of points: complete, within its limits, and as short as can be."""

from collections.abc import Iterator
from itertools import pairwise

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from drivers.modbus.read_plan import Limits, Wanted, plan_reads
from drivers.modbus.register import RegisterRange, Table

starts = st.integers(0, 40)
lengths = st.integers(1, 6)


@st.composite
def cases(draw: st.DrawFn, most: int, tables: tuple[Table, ...] = tuple(Table)) -> tuple[list[Wanted], Limits]:
    limits = Limits(
        max_block=draw(st.integers(6, 20)),
        max_gap=draw(st.integers(0, 8)),
        max_bits=draw(st.integers(6, 20)),
        max_bit_gap=draw(st.integers(0, 8)),
        holes=[
            RegisterRange(draw(st.sampled_from(tables)), start, start + draw(lengths))
            for start in draw(st.lists(starts, max_size=3))
        ],
    )
    wanted = []
    for index in range(draw(st.integers(0, most))):
        start = draw(starts)
        wanted.append(Wanted(index, RegisterRange(draw(st.sampled_from(tables)), start, start + draw(lengths))))
    assume(not any(overlap(one.range, hole) for one in wanted for hole in limits.holes))
    return wanted, limits


def overlap(one: RegisterRange, other: RegisterRange) -> bool:
    return one.table is other.table and one.start < other.end and other.start < one.end


@settings(max_examples=300, deadline=None)
@given(cases(most=25))
def test_every_point_is_read_once_within_the_limits_and_no_hole_ever(case: tuple[list[Wanted], Limits]) -> None:
    wanted, limits = case
    reads = plan_reads(wanted, limits)
    by_point = {one.point: one.range for one in wanted}
    assert sorted(point for read in reads for point in read.points) == sorted(by_point)
    for read in reads:
        assert is_allowed([by_point[point] for point in read.points], limits)
        assert read.range == hull([by_point[point] for point in read.points])
        assert list(read.points) == sorted(read.points)
        assert not any(overlap(read.range, hole) for hole in limits.holes)


@settings(max_examples=150, deadline=None)
@given(cases(most=6, tables=(Table.HOLDING,)))
def test_no_other_grouping_takes_fewer_requests(case: tuple[list[Wanted], Limits]) -> None:
    wanted, limits = case
    fewest = min(
        len(groups)
        for groups in partitions([one.range for one in wanted])
        if all(is_allowed(group, limits) for group in groups)
    )
    assert len(plan_reads(wanted, limits)) == fewest


@settings(max_examples=100, deadline=None)
@given(cases(most=12).flatmap(lambda case: st.tuples(st.just(case), st.permutations(case[0]))))
def test_the_order_of_the_points_does_not_matter(drawn: tuple[tuple[list[Wanted], Limits], list[Wanted]]) -> None:
    (wanted, limits), shuffled = drawn
    assert plan_reads(shuffled, limits) == plan_reads(wanted, limits)


def hull(group: list[RegisterRange]) -> RegisterRange:
    return RegisterRange(group[0].table, min(one.start for one in group), max(one.end for one in group))


def is_allowed(group: list[RegisterRange], limits: Limits) -> bool:
    """Tell whether one request may bring these: said anew, register by register."""
    whole = hull(group)
    bits = whole.table in (Table.COIL, Table.DISCRETE)
    longest, gap = (limits.max_bits, limits.max_bit_gap) if bits else (limits.max_block, limits.max_gap)
    used = sorted({register for one in group for register in range(one.start, one.end)})
    return (
        len({one.table for one in group}) == 1
        and len(range(whole.start, whole.end)) <= longest
        and all(after - before - 1 <= gap for before, after in pairwise(used))
        and not any(overlap(whole, hole) for hole in limits.holes)
    )


def partitions(items: list[RegisterRange]) -> Iterator[list[list[RegisterRange]]]:
    if not items:
        yield []
        return
    head, *rest = items
    for groups in partitions(rest):
        yield [[head], *groups]
        for place, group in enumerate(groups):
            yield [*groups[:place], [head, *group], *groups[place + 1 :]]
