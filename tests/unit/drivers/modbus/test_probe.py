"""A probe asks for as little as it can, and takes any sign of the unit for an answer."""

import pytest

from drivers.errors import DeviceFault, LinkLost
from drivers.modbus.reader import ModbusReader
from drivers.modbus.request import ReadRequest
from drivers.modbus.settings import ModbusDevice
from drivers.values import Seconds
from tests.unit.drivers.modbus.fake_unit import URL, FakeUnit, holdings


class Wire:
    """Answers as it is told, and knows when the unit was last heard."""

    def __init__(self, fault: DeviceFault | None = None) -> None:
        self.fault = fault
        self.now = 100.0
        self.arrives_late = False
        self.asked: list[tuple[ReadRequest, float]] = []

    async def ask(self, request: ReadRequest, seconds: float) -> bytes:
        self.asked.append((request, seconds))
        if self.arrives_late:
            self.now += 1
        if self.fault is not None:
            raise self.fault
        return bytes(request.size)

    def reader(self, own: float = 1.0) -> ModbusReader:
        device = ModbusDevice(URL, timeout=Seconds(own))
        return ModbusReader(device, holdings(7, 8, 9), self.ask, heard=lambda: self.now)


async def test_a_probe_asks_for_one_register() -> None:
    unit = FakeUnit()
    await unit.reader(holdings(7, 8, 9)).probe(Seconds(1))
    assert [str(asked) for asked in unit.asked] == ["holding:7"]


@pytest.mark.parametrize(("within", "own", "seconds"), [(0.2, 1.0, 0.2), (5.0, 0.5, 0.5)])
async def test_a_probe_waits_no_longer_than_either_may(within: float, own: float, seconds: float) -> None:
    wire = Wire()
    await wire.reader(own).probe(Seconds(within))
    assert [given for _, given in wire.asked] == [seconds]


@pytest.mark.parametrize("kind", ["exception_1", "exception_2", "exception_4", "exception_6", "exception_99"])
async def test_a_refusal_shows_that_the_unit_is_there(kind: str) -> None:
    await Wire(DeviceFault(kind, "no")).reader().probe(Seconds(1))


@pytest.mark.parametrize("kind", ["exception_10", "exception_11", "timeout", "bad_reply"])
async def test_what_a_gateway_says_for_the_unit_shows_nothing(kind: str) -> None:
    with pytest.raises(DeviceFault):
        await Wire(DeviceFault(kind, "no")).reader().probe(Seconds(1))


async def test_a_late_answer_to_an_earlier_request_spares_the_question() -> None:
    wire = Wire(DeviceFault("timeout", "no answer"))
    reader = wire.reader()
    (block,) = (await reader.prepare()).polled
    with pytest.raises(DeviceFault):
        await reader.read(block)
    wire.now += 1
    asked = len(wire.asked)
    await reader.probe(Seconds(1))
    assert len(wire.asked) == asked
    with pytest.raises(DeviceFault):
        await reader.probe(Seconds(1))


async def test_a_late_answer_during_the_probe_is_one() -> None:
    wire = Wire(DeviceFault("timeout", "no answer"))
    wire.arrives_late = True
    await wire.reader().probe(Seconds(1))


async def test_what_was_heard_before_the_silence_is_no_sign_of_life() -> None:
    wire = Wire()
    reader = wire.reader()
    (block,) = (await reader.prepare()).polled
    await reader.read(block)
    wire.now += 1
    wire.fault = DeviceFault("timeout", "no answer")
    with pytest.raises(DeviceFault):
        await reader.read(block)
    with pytest.raises(DeviceFault):
        await reader.probe(Seconds(1))


async def test_a_lost_link_is_told_as_such() -> None:
    wire = Wire(LinkLost("timeout", "gone"))
    wire.arrives_late = True
    with pytest.raises(LinkLost):
        await wire.reader().probe(Seconds(1))


async def test_a_unit_without_points_is_asked_for_nothing() -> None:
    unit = FakeUnit()
    await unit.reader([]).probe(Seconds(1))
    assert unit.asked == []
