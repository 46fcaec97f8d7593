"""A bad point costs one tag: blocks that a device refuses are cut, and what that teaches outlives the connection."""

import json
from typing import Any

import pytest

from drivers.base import Split
from drivers.errors import DeviceFault
from drivers.modbus.lessons import MOST_HOLES
from drivers.modbus.point import ModbusPoint
from drivers.modbus.reader import ModbusReader
from drivers.modbus.refusal import FAILURES, WITNESSES
from drivers.modbus.request import ReadRequest
from drivers.modbus.settings import ModbusDevice
from drivers.values import DataType, Sample
from tests.unit.drivers.modbus.fake_unit import URL, FakeUnit, Scans, holdings


async def test_a_point_that_does_not_exist_costs_its_own_tag_only() -> None:
    unit = FakeUnit()
    unit.absent = {105}
    scans = Scans(unit.reader(holdings(*range(100, 110))))
    await scans.run(6)
    assert scans.faults == {5: "exception_2"}
    assert scans.samples == {point: Sample(100 + point) for point in range(10) if point != 5}


async def test_a_point_that_stands_alone_is_refused_as_ever() -> None:
    unit = FakeUnit()
    unit.absent = {5}
    reader = unit.reader(holdings(5))
    (block,) = (await reader.prepare()).polled
    for _ in range(3):
        with pytest.raises(DeviceFault) as caught:
            await reader.read(block)
        assert type(caught.value) is DeviceFault
        assert caught.value.kind == "exception_2"


async def test_an_address_between_the_points_becomes_a_learned_hole() -> None:
    unit, learned = FakeUnit(), dict[str, Any]()
    unit.absent = {13}
    points = holdings(10, 12, 14, 16)
    scans = Scans(unit.reader(points, learned))
    await scans.run(2)
    assert scans.labels == ["holding:10..12", "holding:14..16"]
    assert not scans.faults
    assert learned == {"profile": {"holes": ["holding:13"]}}
    asked = len(unit.asked)
    again = Scans(unit.reader(points, learned))
    await again.run()
    assert again.labels == ["holding:10..12", "holding:14..16"]
    assert len(unit.asked) == asked + 2


async def test_a_gap_beside_the_hole_is_not_taken_for_one() -> None:
    unit, learned = FakeUnit(), dict[str, Any]()
    unit.absent = {13}
    scans = Scans(unit.reader(holdings(0, 2, 4, 6, 8, 10, 12, 14), learned))
    await scans.run(3)
    assert learned == {"profile": {"holes": ["holding:13"]}}
    again = Scans(unit.reader(holdings(0, 2, 4, 6, 8, 10, 12, 14), learned))
    await again.run()
    assert again.labels == ["holding:0..12", "holding:14"]


async def test_a_request_that_is_too_long_teaches_how_long_one_may_be() -> None:
    unit, learned = FakeUnit(), dict[str, Any]()
    unit.longest = 60
    points = holdings(*range(120))
    scans = Scans(unit.reader(points, learned))
    await scans.run(2)
    assert not scans.faults
    assert len(scans.samples) == 120
    assert learned == {"profile": {"max_block": 60}}
    unit.asked.clear()
    await Scans(unit.reader(points, learned)).run()
    assert [str(asked) for asked in unit.asked] == ["holding:0..59", "holding:60..119"]


async def test_bits_have_a_longest_request_of_their_own() -> None:
    unit, learned = FakeUnit(), dict[str, Any]()
    unit.longest = 100
    scans = Scans(unit.reader([ModbusPoint(f"coil:{place}") for place in range(200)], learned))
    await scans.run(2)
    assert not scans.faults
    assert learned == {"profile": {"max_bits": 100}}


async def test_a_learned_length_never_makes_a_long_point_unreadable() -> None:
    unit = FakeUnit()
    points = [ModbusPoint("holding:0", DataType.STRING, length=40), *holdings(40, 41)]
    scans = Scans(unit.reader(points, {"profile": {"max_block": 8}}))
    await scans.run()
    assert scans.labels == ["holding:0..39", "holding:40..41"]
    assert not scans.faults


async def test_a_device_that_refuses_everything_keeps_its_plan_and_teaches_nothing() -> None:
    unit, learned = FakeUnit(), dict[str, Any]()
    unit.refuses_all = "exception_2"
    points = [*holdings(*range(20)), ModbusPoint("input:0"), ModbusPoint("input:3")]
    scans = Scans(unit.reader(points, learned))
    await scans.run(10)
    assert scans.labels == ["holding:0..19", "input:0..3"]
    assert len(scans.faults) == len(points)
    assert learned == {}
    unit.refuses_all = ""
    await scans.run()
    assert scans.labels == ["holding:0..19", "input:0..3"]
    assert not scans.faults


async def test_a_refusal_costs_a_bounded_number_of_requests() -> None:
    unit = FakeUnit()
    unit.refuses_all = "exception_2"
    scans = Scans(unit.reader(holdings(*range(100))))
    await scans.run()
    assert len(unit.asked) == 1 + WITNESSES


async def test_every_point_of_a_refused_block_has_its_turn_to_prove_it_wrong() -> None:
    unit = FakeUnit()
    unit.absent = set(range(100)) - {37}
    scans = Scans(unit.reader(holdings(*range(100))))
    await scans.run(40)
    assert scans.samples == {37: Sample(37)}
    assert 37 not in scans.faults


async def test_a_device_that_loses_its_program_meanwhile_is_not_cut_further() -> None:
    unit = FakeUnit()
    unit.absent = {3}
    scans = Scans(unit.reader(holdings(*range(8))))
    await scans.run(4)
    before = scans.labels
    unit.refuses_all = "exception_2"
    await scans.run(20)
    assert scans.labels == before
    unit.refuses_all = ""
    await scans.run()
    assert scans.faults == {3: "exception_2"}


async def test_points_that_are_missing_are_remembered_until_they_answer() -> None:
    unit, learned = FakeUnit(), dict[str, Any]()
    unit.absent = {5}
    points = holdings(*range(10))
    await Scans(unit.reader(points, learned)).run(6)
    assert learned == {"missing": ["holding:5"]}
    unit.asked.clear()
    scans = Scans(unit.reader(points, learned))
    await scans.run()
    assert scans.labels == ["holding:0..4", "holding:6..9", "holding:5"]
    assert scans.faults == {5: "exception_2"}
    unit.absent = set()
    await scans.run()
    assert learned == {}
    assert scans.samples[5] == Sample(5)


async def test_a_device_with_one_table_less_is_not_asked_in_shreds() -> None:
    unit, learned = FakeUnit(), dict[str, Any]()
    unit.absent = set(range(100, 130))
    scans = Scans(unit.reader(holdings(*range(10), *range(100, 130)), learned, max_gap=0))
    await scans.run(12)
    assert scans.labels == ["holding:0..9", "holding:100..129"]
    assert len(learned["missing"]) == 30
    again = Scans(unit.reader(holdings(*range(10), *range(100, 130)), learned, max_gap=0))
    await again.run()
    assert again.labels == ["holding:0..9", "holding:100..129"]


async def test_a_block_that_fails_once_is_asked_again_as_it_is() -> None:
    unit = FakeUnit()
    unit.broken = {3}
    scans = Scans(unit.reader(holdings(*range(6))))
    await scans.run(FAILURES - 1)
    unit.broken = set()
    await scans.run()
    assert scans.labels == ["holding:0..5"]


async def test_a_point_that_fails_for_long_costs_its_own_tag_only_and_teaches_nothing() -> None:
    unit, learned = FakeUnit(), dict[str, Any]()
    unit.broken = {3}
    scans = Scans(unit.reader(holdings(*range(6)), learned))
    await scans.run(FAILURES)
    assert scans.faults == {3: "exception_4"}
    await scans.run(5)
    assert scans.faults == {3: "exception_4"}
    assert learned == {}


async def test_the_bits_of_one_register_stay_together() -> None:
    unit = FakeUnit()
    unit.absent = {1}
    points = [ModbusPoint(f"holding:{register}.{bit}") for register in (0, 1) for bit in range(4)]
    scans = Scans(unit.reader(points))
    await scans.run(3)
    assert scans.labels == ["holding:0", "holding:1"]
    assert scans.faults == dict.fromkeys(range(4, 8), "exception_2")


async def test_what_was_learned_can_be_written_as_json_and_has_the_device_s_own_counting() -> None:
    unit, learned = FakeUnit(), dict[str, Any]()
    unit.absent = {11, 15}  # on the wire; the manual says 12 and 16
    scans = Scans(unit.reader(holdings(11, 12, 14, 20), learned, base=1))
    await scans.run(6)
    written = json.loads(json.dumps(learned))
    assert written == {"profile": {"holes": ["holding:15-19"]}, "missing": ["holding:12"]}
    again = Scans(unit.reader(holdings(11, 12, 14, 20), written, base=1))
    await again.run()
    assert again.labels == ["holding:10", "holding:13", "holding:19", "holding:11"]


async def test_a_hole_that_the_tags_now_lie_in_counts_for_nothing() -> None:
    unit = FakeUnit()
    learned: dict[str, Any] = {"profile": {"holes": ["holding:3", "nonsense", 7]}, "missing": "holding:1"}
    scans = Scans(unit.reader(holdings(2, 3, 4), learned))
    await scans.run()
    assert scans.labels == ["holding:2..4"]


async def test_a_cut_is_counted_and_says_what_is_asked_for_now() -> None:
    unit = FakeUnit()
    unit.absent = {1}
    reader = unit.reader(holdings(0, 2))
    (block,) = (await reader.prepare()).polled
    with pytest.raises(Split, match=r"no such address; asking for holding:0 and holding:2 from now on") as caught:
        await reader.read(block)
    assert caught.value.kind == "exception_2"
    assert unit.counted == ["block_split"]


async def test_only_so_many_holes_are_remembered_and_the_others_are_counted() -> None:
    unit, learned = FakeUnit(), dict[str, Any]()
    unit.absent = set(range(1, 1400, 20))
    scans = Scans(unit.reader(holdings(*range(0, 1400, 20), *range(2, 1400, 20)), learned))
    await scans.run(2)
    assert not scans.faults
    assert len(learned["profile"]["holes"]) == MOST_HOLES
    assert unit.counted.count("lesson_dropped") == 70 - MOST_HOLES


async def test_a_device_that_comes_to_life_in_the_moment_it_is_looked_into_is_not_cut() -> None:
    unit = FakeUnit()
    unit.refuses_all = "exception_2"

    async def wakes_up(request: ReadRequest, seconds: float) -> bytes:
        try:
            return await unit.ask(request, seconds)
        finally:
            unit.refuses_all = ""

    scans = Scans(ModbusReader(ModbusDevice(URL), holdings(*range(6)), wakes_up))
    await scans.run()
    assert scans.labels == ["holding:0..5"]
    assert scans.samples == {point: Sample(point) for point in range(6)}


async def test_a_timeout_cuts_nothing() -> None:
    unit = FakeUnit()
    unit.silent = True
    scans = Scans(unit.reader(holdings(*range(6))))
    await scans.run(5)
    assert scans.labels == ["holding:0..5"]
    assert len(unit.asked) == 5
