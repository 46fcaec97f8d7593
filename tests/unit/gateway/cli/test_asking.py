"""Asking without a session: parts instead of blocks that are refused, and each block until nothing more comes of it."""

from drivers.base import Block
from gateway.cli.asking import TRIES, Outcome, ask_for
from tests.unit.drivers.modbus.fake_unit import FakeUnit, holdings


async def outcomes(unit: FakeUnit, *offsets: int) -> list[Outcome]:
    reader = unit.reader(holdings(*offsets))
    plan = await reader.prepare()
    return [outcome async for outcome in ask_for(reader, plan.polled)]


def values(found: list[Outcome]) -> dict[int, object]:
    return {point: sample.value for each in found for point, sample in each.changes}


def refused(found: list[Outcome]) -> dict[str, str]:
    return {each.block.label: each.fault.kind for each in found if each.fault is not None}


async def test_the_parts_of_a_refused_block_are_asked_for_in_its_place() -> None:
    unit = FakeUnit()
    unit.absent = {12, 15}
    found = await outcomes(unit, 10, 11, 13, 15, 16)
    assert values(found) == {0: 10, 1: 11, 2: 13, 4: 16}
    assert refused(found) == {"holding:15": "exception_2"}


async def test_a_block_is_asked_for_until_each_of_its_points_has_had_its_turn() -> None:
    unit = FakeUnit()
    unit.absent = set(range(120)) - {77}
    assert values(await outcomes(unit, *range(120))) == {77: 77}


async def test_a_block_that_stays_refused_is_given_up() -> None:
    unit = FakeUnit()
    unit.refuses_all = "exception_2"
    found = await outcomes(unit, *range(10))
    assert refused(found) == {"holding:0..9": "exception_2"}
    assert [str(asked) for asked in unit.asked].count("holding:0..9") == TRIES


async def test_a_silent_device_is_asked_once() -> None:
    unit = FakeUnit()
    unit.silent = True
    assert refused(await outcomes(unit, 1, 2)) == {"holding:1..2": "timeout"}
    assert len(unit.asked) == 1


async def test_no_block_is_left_out() -> None:
    unit = FakeUnit()
    unit.absent = {200}
    found = await outcomes(unit, 0, 100, 200, 300)
    blocks: list[Block] = [each.block for each in found]
    assert [block.points for block in blocks] == [(0,), (1,), (2,), (3,)]
