"""Whatever a device lacks: each point that it has is read, what it lacks costs nothing else, and it stays so."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.modbus.point import ModbusPoint
from drivers.values import DataType, Sample
from tests.unit.drivers.modbus.fake_unit import FakeUnit, Scans

addresses = st.integers(0, 40)
layouts = st.lists(st.tuples(addresses, st.booleans()), min_size=1, max_size=20, unique_by=lambda each: each[0])
SCANS = 60
"""More than enough for any block of 20 points to be cut to the last one."""


def points(layout: list[tuple[int, bool]]) -> list[ModbusPoint]:
    return [ModbusPoint(f"holding:{at}", DataType.UINT32 if wide else DataType.UINT16) for at, wide in layout]


def expected(layout: list[tuple[int, bool]], absent: set[int]) -> dict[int, Sample]:
    taken = {place: range(at, at + (2 if wide else 1)) for place, (at, wide) in enumerate(layout)}
    return {
        place: Sample((where[0] << 16 | where[-1]) if len(where) == 2 else where[0])
        for place, where in taken.items()
        if not absent.intersection(where)
    }


@settings(max_examples=150, deadline=None)
@given(layouts, st.sets(addresses), st.integers(2, 50), st.integers(0, 8))
async def test_every_point_that_exists_is_read_and_no_other(
    layout: list[tuple[int, bool]], absent: set[int], longest: int, gap: int
) -> None:
    unit, learned = FakeUnit(), dict[str, Any]()
    unit.absent, unit.longest = absent, longest
    there = expected(layout, absent)
    scans = Scans(unit.reader(points(layout), learned, max_gap=gap))
    await scans.run(SCANS)
    assert scans.samples == there
    assert scans.faults.keys() == set(range(len(layout))) - there.keys()
    again = Scans(unit.reader(points(layout), learned, max_gap=gap))
    await again.run(SCANS)
    assert again.samples == there


@settings(max_examples=60, deadline=None)
@given(layouts, st.sets(addresses))
async def test_what_was_learned_is_never_cut_again(layout: list[tuple[int, bool]], absent: set[int]) -> None:
    unit, learned = FakeUnit(), dict[str, Any]()
    unit.absent = absent
    for _ in range(6):  # a gap beside a missing point is proved at the next connection
        unit.counted.clear()
        await Scans(unit.reader(points(layout), learned)).run(SCANS)
    assert unit.counted == []


@settings(max_examples=60, deadline=None)
@given(layouts, st.sets(addresses), st.sampled_from(["exception_2", "exception_3", "exception_4"]))
async def test_a_device_that_refuses_all_for_a_while_loses_nothing(
    layout: list[tuple[int, bool]], absent: set[int], refusal: str
) -> None:
    unit, learned = FakeUnit(), dict[str, Any]()
    unit.absent, unit.refuses_all = absent, refusal
    scans = Scans(unit.reader(points(layout), learned))
    await scans.run(10)
    planned = (await unit.reader(points(layout)).prepare()).polled
    assert scans.labels == [block.label for block in planned]
    assert learned == {}
    unit.refuses_all = ""
    await scans.run(SCANS)
    assert scans.samples == expected(layout, absent)
