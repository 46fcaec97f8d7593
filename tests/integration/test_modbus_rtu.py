"""Modbus RTU on a pseudo terminal and through a serial server: noise, echo, silence, and answers that come too late."""

import asyncio
import logging
import os
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from drivers.base import Block, Surroundings
from drivers.errors import DeviceFault, LinkLost
from drivers.modbus import DRIVER
from drivers.modbus.connection import ModbusConnection
from drivers.modbus.point import ModbusPoint
from drivers.modbus.profile import ModbusProfile
from drivers.modbus.reader import ModbusReader
from drivers.modbus.rtu_link import RtuLink
from drivers.modbus.settings import ModbusDevice
from drivers.values import Sample, Seconds
from tests.integration.serial_bus import Asked, Behaviour, SerialBus, frame, good, serial_bus, serial_server
from tests.integration.serial_faults import (
    altered,
    around,
    broken_by,
    damaged,
    echoing,
    exception,
    garbage,
    in_pieces,
    late,
    miscounted,
    only_echo,
    silent,
    truncated,
    twice,
)

pytestmark = pytest.mark.real

SOON = Seconds(0.2)
"""The timeout of a request that is meant to run into it."""
IN_TIME = Seconds(10)
"""The timeout of one that is not."""
POINTS = [ModbusPoint("holding:0"), ModbusPoint("holding:1"), ModbusPoint("holding:3")]
FOREIGN = frame(9, 3, b"\x02\x12\x34")
"""An answer of a unit that nobody asked."""


@pytest.fixture(autouse=True)
async def nothing_unforeseen(caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """Neither the library's log nor the loop's handler of exceptions says a word."""
    unforeseen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unforeseen.append(context))
    with caplog.at_level(logging.WARNING):
        yield
    assert not unforeseen
    assert not caplog.records


@pytest.fixture(params=["serial line", "serial server"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[SerialBus]:
    async with (serial_bus if request.param == "serial line" else serial_server)() as bus:
        bus.words[:4] = [10, 11, 12, 13]
        yield bus


@pytest.fixture
async def line() -> AsyncIterator[SerialBus]:
    async with serial_bus() as bus:
        bus.words[:4] = [10, 11, 12, 13]
        yield bus


class Master:
    """An open connection, and what its readers count of the wire."""

    def __init__(self, bus: SerialBus, connection: ModbusConnection) -> None:
        self.bus = bus
        self.connection = connection
        self.counted: Counter[str] = Counter()

    async def unit(
        self, unit: int = 1, within: Seconds = IN_TIME, points: Sequence[ModbusPoint] = POINTS, **keys: Any
    ) -> tuple[ModbusReader, Block]:
        around = Surroundings(count=self._count)
        device = ModbusDevice(self.bus.url, unit=unit, timeout=within, **keys)
        reader = self.connection.reader(device, points, around)
        (block,) = (await reader.prepare()).polled
        return reader, block

    def _count(self, kind: str) -> None:
        if kind in {"stray", "noise", "echo", "crc", "busy"}:
            self.counted[kind] += 1


@asynccontextmanager
async def opened(bus: SerialBus) -> AsyncIterator[Master]:
    connection = ModbusConnection(ModbusDevice(bus.url))
    await connection.open()
    try:
        yield Master(bus, connection)
    finally:
        await connection.close()


def fill(file: int) -> None:
    """Write until not one byte more is taken."""
    for size in (4096, 64, 1):
        with suppress(BlockingIOError):
            while True:
                os.write(file, b"\xff" * size)


async def read_well(reader: ModbusReader, block: Block) -> None:
    assert sorted(await reader.read(block)) == [(0, Sample(10)), (1, Sample(11)), (2, Sample(13))]


@pytest.mark.parametrize(
    ("behaviour", "kind", "counts"),
    [
        pytest.param(silent, "timeout", {}, id="silent"),
        pytest.param(garbage, "timeout", {"noise": 1}, id="garbage"),
        pytest.param(damaged, "bad_reply", {"crc": 1}, id="damaged"),
        pytest.param(broken_by(b"\x55"), "bad_reply", {"crc": 1}, id="noise-inside"),
        pytest.param(truncated, "bad_reply", {"crc": 1}, id="truncated"),
        pytest.param(only_echo, "timeout", {"echo": 1}, id="only-echo"),
        pytest.param(altered(unit=lambda unit: unit + 1), "timeout", {"stray": 1}, id="unit"),
        pytest.param(altered(unit=lambda unit: 0), "timeout", {"stray": 1}, id="unit-0"),
        pytest.param(altered(function=lambda function: 4), "bad_reply", {"stray": 1}, id="function-4-for-3"),
        pytest.param(altered(function=lambda function: 0x63), "timeout", {"noise": 1}, id="function-unknown"),
        pytest.param(altered(size=lambda size: size - 1), "bad_reply", {"stray": 1}, id="too-few"),
        pytest.param(altered(size=lambda size: size + 1), "bad_reply", {"stray": 1}, id="too-many"),
        pytest.param(altered(size=lambda size: 0), "bad_reply", {"stray": 1}, id="none"),
        pytest.param(miscounted(by=2), "timeout", {"noise": 1}, id="byte-count-high"),
        pytest.param(miscounted(by=-2), "timeout", {"noise": 1}, id="byte-count-low"),
        pytest.param(exception(2, lambda function: 0x84), "bad_reply", {"stray": 1}, id="exception-of-another"),
        *(pytest.param(exception(code), f"exception_{code}", {}, id=f"exception-{code}") for code in (1, 4, 11, 99)),
    ],
)
async def test_a_wrong_reply_is_a_fault_and_the_line_goes_on(
    bus: SerialBus, behaviour: Behaviour, kind: str, counts: dict[str, int]
) -> None:
    bus.script(behaviour)
    async with opened(bus) as master:
        reader, block = await master.unit(within=SOON)
        with pytest.raises(DeviceFault) as caught:
            await reader.read(block)
        assert caught.value.kind == kind
        assert not isinstance(caught.value, LinkLost)
        assert str(caught.value).startswith(f"holding:0..3 of unit 1 at {bus.url}: ")
        assert "\n" not in str(caught.value)
        assert master.counted == counts
        await read_well(*await master.unit())


@pytest.mark.parametrize(
    ("behaviour", "counts"),
    [
        pytest.param(in_pieces, {}, id="in-pieces"),
        pytest.param(twice, {"stray": 1}, id="twice"),
        pytest.param(around(before=b"\x00\xff\x55"), {"noise": 1}, id="noise-before"),
        pytest.param(around(before=b"\x01"), {"noise": 1}, id="its-own-unit-before"),
        pytest.param(around(before=b"\x01\x03\x08"), {"crc": 1}, id="a-beginning-before"),
        pytest.param(around(after=b"\x00\x01\x03"), {"noise": 1}, id="noise-after"),
        pytest.param(around(before=FOREIGN), {"stray": 1}, id="another-unit-before"),
        pytest.param(around(before=FOREIGN * 2, after=FOREIGN), {"stray": 3}, id="another-unit-around"),
        pytest.param(echoing, {"echo": 1}, id="echo"),
    ],
)
async def test_what_is_on_the_line_beside_the_answer_is_dropped_and_counted(
    bus: SerialBus, behaviour: Behaviour, counts: dict[str, int]
) -> None:
    bus.script(behaviour)
    async with opened(bus) as master:
        reader, block = await master.unit()
        await read_well(reader, block)
        for value in range(20, 23):
            bus.words[1] = value
            assert list(await reader.read(block)) == [(1, Sample(value))]
        assert master.counted == counts


@pytest.mark.parametrize("code", [1, 2, 3, 4, 8, 10, 11, 99])
async def test_an_exception_is_a_fault_of_its_own_kind(bus: SerialBus, code: int) -> None:
    bus.script(exception(code))
    async with opened(bus) as master:
        reader, block = await master.unit(points=POINTS[:1])
        with pytest.raises(DeviceFault, match=f"exception {code}, ") as caught:
            await reader.read(block)
        assert caught.value.kind == f"exception_{code}"
        assert list(await reader.read(block)) == [(0, Sample(10))]


async def test_a_right_answer_after_a_beginning_that_never_ends_is_found_when_the_time_is_up(bus: SerialBus) -> None:
    async def refused_after_a_beginning(bus: SerialBus, asked: Asked) -> None:
        bus.send(bytes([1, 3, 8]))
        await exception(4)(bus, asked)

    bus.script(refused_after_a_beginning)
    async with opened(bus) as master:
        reader, block = await master.unit(within=SOON)
        with pytest.raises(DeviceFault) as caught:
            await reader.read(block)
        assert caught.value.kind == "exception_4"


async def test_an_adapter_that_echoes_is_remembered(bus: SerialBus) -> None:
    bus.script(good, echoing)
    async with opened(bus) as master:
        link = master.connection._link
        assert isinstance(link, RtuLink)
        learned = [link.echoes]
        reader, block = await master.unit()
        await read_well(reader, block)
        learned.append(link.echoes)
        await reader.read(block)
        assert [*learned, link.echoes] == [None, False, True]


async def test_a_late_answer_is_never_taken_for_that_of_another_range(bus: SerialBus) -> None:
    bus.words[100:102] = [70, 71]
    bus.script(late)
    async with opened(bus) as master:
        one, block_one = await master.unit(within=SOON, points=[ModbusPoint("holding:0"), ModbusPoint("holding:1")])
        two, block_two = await master.unit(points=[ModbusPoint("holding:100"), ModbusPoint("holding:101")])
        with pytest.raises(DeviceFault, match="no answer within"):
            await one.read(block_one)
        reading = asyncio.create_task(two.read(block_two))
        await asyncio.sleep(0.05)
        assert len(bus.asked) == 1  # the same unit is left alone
        bus.release()
        assert sorted(await reading) == [(0, Sample(70)), (1, Sample(71))]
        assert master.counted == {"stray": 1}


async def test_a_unit_that_answers_never_is_asked_again_when_its_answer_can_come_no_more(bus: SerialBus) -> None:
    bus.script(silent)
    async with opened(bus) as master:
        reader, block = await master.unit(within=SOON)
        with pytest.raises(DeviceFault, match="no answer within"):
            await reader.read(block)
        await read_well(reader, block)
        first, second = bus.asked
        assert second.at - first.at >= 2 * SOON - 0.02


async def test_a_unit_that_owes_an_answer_is_not_asked_within_less_than_it_may_take(bus: SerialBus) -> None:
    bus.script(late)
    async with opened(bus) as master:
        reader, block = await master.unit(within=SOON)
        with pytest.raises(DeviceFault, match="no answer within"):
            await reader.read(block)
        with pytest.raises(DeviceFault, match="the answer to an earlier request may still come") as caught:
            await reader.probe(Seconds(0.05))
        assert caught.value.kind == "timeout"
        assert len(bus.asked) == 1
        bus.release()
        await reader.probe(SOON)  # its late answer was heard


async def test_other_units_are_asked_while_one_owes_an_answer(bus: SerialBus) -> None:
    bus.script(late)
    async with opened(bus) as master:
        slow, block = await master.unit(1, within=SOON)
        with pytest.raises(DeviceFault, match="no answer within"):
            await slow.read(block)
        answering = asyncio.create_task(slow.read(block))
        await read_well(*await master.unit(2))
        assert [asked.unit for asked in bus.asked] == [1, 2]
        bus.release()
        await read_well(*await master.unit(2))
        await answering
        assert master.counted == {"stray": 1}


async def test_a_late_answer_of_one_unit_in_the_middle_of_another_s_request_is_a_stray(bus: SerialBus) -> None:
    async def after_the_late_one(bus: SerialBus, asked: Asked) -> None:
        bus.release()
        await good(bus, asked)

    bus.script(late, after_the_late_one)
    async with opened(bus) as master:
        slow, block = await master.unit(1, within=SOON)
        with pytest.raises(DeviceFault, match="no answer within"):
            await slow.read(block)
        await read_well(*await master.unit(2))
        assert master.counted == {"stray": 1}
        await slow.probe(SOON)  # heard meanwhile, so nothing is asked
        assert len(bus.asked) == 2


async def test_bytes_that_lie_on_the_line_before_a_request_are_not_taken_for_its_answer(bus: SerialBus) -> None:
    bus.words[0] = 99
    async with opened(bus) as master:
        reader, block = await master.unit(points=POINTS[:1])
        await reader.read(block)
        bus.send(frame(1, 3, b"\x02\x00\x05"))
        if bus.url.startswith("rtu+tcp"):
            await asyncio.sleep(0.05)  # it takes a while through two sockets; on the line it lies there at once
        assert list(await reader.read(block)) == []
        assert master.counted == {"stray": 1}


@pytest.mark.parametrize("code", [5, 6])
async def test_a_busy_unit_is_asked_again_within_its_timeout(bus: SerialBus, code: int) -> None:
    bus.script(exception(code), exception(code))
    async with opened(bus) as master:
        await read_well(*await master.unit())
        assert len(bus.asked) == 3
        assert master.counted == {"busy": 2}


async def test_a_unit_that_stays_busy_is_a_fault(bus: SerialBus) -> None:
    bus.always(exception(6))
    async with opened(bus) as master:
        reader, block = await master.unit()
        with pytest.raises(DeviceFault) as caught:
            await reader.read(block)
        assert caught.value.kind == "exception_6"
        assert len(bus.asked) == 3
        hasty, block = await master.unit(within=Seconds(0.05))
        with pytest.raises(DeviceFault):
            await hasty.read(block)
        assert len(bus.asked) == 4


async def test_an_absent_unit_costs_its_neighbours_nothing_but_time(bus: SerialBus) -> None:
    async with opened(bus) as master:
        there, block = await master.unit(2)
        await read_well(there, block)
        absent, its_block = await master.unit(7, within=Seconds(0.02))
        for value in range(30, 35):
            with pytest.raises(DeviceFault, match="no answer within") as caught:
                await absent.read(its_block)
            assert not isinstance(caught.value, LinkLost)
            bus.words[1] = value
            assert list(await there.read(block)) == [(1, Sample(value))]


async def test_a_line_on_which_nobody_answers_stays_open(line: SerialBus) -> None:
    line.always(silent)
    async with opened(line) as master:
        reader, block = await master.unit(within=Seconds(0.02))
        for _ in range(8):
            with pytest.raises(DeviceFault) as caught:
                await reader.read(block)
            assert not isinstance(caught.value, LinkLost)
        line.always(good)
        await read_well(*await master.unit())


async def test_a_serial_server_that_falls_silent_ends_the_link() -> None:
    async with serial_server() as bus, opened(bus) as master:
        bus.always(silent)
        reader, block = await master.unit(within=Seconds(0.05))
        kinds = []
        for _ in range(3):
            with pytest.raises(DeviceFault) as caught:
                await reader.read(block)
            kinds.append(type(caught.value))
        assert kinds == [DeviceFault, DeviceFault, LinkLost]


async def test_a_line_that_hangs_up_is_lost_and_says_why(line: SerialBus) -> None:
    async with opened(line) as master:
        reader, block = await master.unit()
        await read_well(reader, block)
        line.hang_up()
        async with asyncio.timeout(10):
            assert "the serial port" in await master.connection.lost()
        with pytest.raises(LinkLost, match="the serial port") as caught:
            await reader.read(block)
        assert caught.value.kind == "disconnected"


async def test_a_line_that_hangs_up_ends_the_request_in_flight(bus: SerialBus) -> None:
    bus.always(silent)
    async with opened(bus) as master, asyncio.timeout(10):
        reader, block = await master.unit(within=Seconds(60))
        reading = asyncio.create_task(reader.read(block))
        await bus.was_asked(1)
        bus.hang_up()
        with pytest.raises(LinkLost) as caught:
            await reading
        assert caught.value.kind == "disconnected"


async def test_closing_ends_a_request_that_waits_for_its_unit(bus: SerialBus) -> None:
    bus.script(silent)
    async with opened(bus) as master, asyncio.timeout(10):
        hasty, block = await master.unit(within=Seconds(0.02), profile=ModbusProfile(pause=Seconds(60)))
        with pytest.raises(DeviceFault):
            await hasty.read(block)
        reading = asyncio.create_task(hasty.read(block))
        await asyncio.sleep(0)
        await master.connection.close()
        with pytest.raises(LinkLost) as caught:
            await reading
        assert caught.value.kind == "closed"


async def test_the_port_is_free_again_once_the_connection_is_closed(line: SerialBus) -> None:
    for _ in range(3):
        async with opened(line) as master:
            await read_well(*await master.unit())


async def test_a_port_in_use_is_told_as_such(line: SerialBus) -> None:
    other = ModbusDevice(line.url.replace("115200", "9600"))
    assert DRIVER.endpoint(other) != DRIVER.endpoint(ModbusDevice(line.url))
    async with opened(line):
        with pytest.raises(LinkLost, match="in use, by another program or by a device here with other") as caught:
            await ModbusConnection(other).open()
        assert caught.value.kind == "busy"
        assert str(caught.value).startswith(f"{other.url}: ")


@pytest.mark.parametrize(
    ("path", "kind", "says"),
    [
        ("/dev/ttyUSB_not_there", "no_device", "is the adapter plugged in"),
        ("/dev/null", "unusable", "Inappropriate ioctl"),
        ("/dev", "unusable", "Is a directory"),
    ],
)
async def test_a_port_that_cannot_be_opened_says_why(path: str, kind: str, says: str) -> None:
    device = ModbusDevice(f"rtu://{path}")
    connection = ModbusConnection(device)
    with pytest.raises(LinkLost, match=says) as caught:
        await connection.open()
    assert caught.value.kind == kind
    assert str(caught.value).startswith(f"rtu://{path}?baudrate=19200&parity=E&stopbits=1: ")
    assert "\n" not in str(caught.value)
    await connection.close()


async def test_a_port_that_takes_nothing_is_given_up_before_an_old_request_goes_out_with_a_new_one(
    line: SerialBus,
) -> None:
    async with opened(line) as master:
        reader, block = await master.unit(within=Seconds(0.02))
        link = master.connection._link
        assert link is not None
        file = link.transport.get_extra_info("serial").fileno()
        line.stop_listening()
        fill(file)
        with pytest.raises(DeviceFault, match="no answer"):
            await reader.read(block)
        with pytest.raises(LinkLost, match="takes no bytes"):
            await reader.read(block)


async def test_between_frames_the_line_is_silent_for_as_long_as_it_is_set(line: SerialBus) -> None:
    async with opened(line) as master:
        reader, block = await master.unit(quiet=Seconds(0.05))
        for _ in range(3):
            await reader.read(block)
        gaps = [after.at - before.at for before, after in zip(line.asked, line.asked[1:], strict=False)]
        assert min(gaps) >= 0.05


async def test_a_unit_gets_the_pauses_that_it_wants_and_its_neighbour_does_not(bus: SerialBus) -> None:
    async with opened(bus) as master:
        started = asyncio.get_running_loop().time()
        slow = ModbusProfile(pause_after_connect=Seconds(0.2), pause=Seconds(0.3))
        one, block_one = await master.unit(1, profile=slow)
        two, block_two = await master.unit(2)
        await one.read(block_one)
        assert bus.asked[0].at - started >= 0.15
        waiting = asyncio.create_task(one.read(block_one))
        await asyncio.sleep(0)
        await two.read(block_two)
        await waiting
        assert [asked.unit for asked in bus.asked] == [1, 2, 1]
        assert bus.asked[2].at - bus.asked[0].at >= 0.3
        slow_to_turn, block = await master.unit(2, delay=Seconds(0.2))
        await slow_to_turn.read(block)
        assert bus.asked[3].at - bus.asked[2].at >= 0.2


async def test_a_line_that_is_never_silent_is_told_as_such(line: SerialBus) -> None:
    async def babble() -> None:
        while True:
            line.send(b"\xff")
            await asyncio.sleep(0.002)

    async with opened(line) as master:
        reader, block = await master.unit(within=Seconds(0.1), quiet=Seconds(0.5))
        babbling = asyncio.create_task(babble())
        await asyncio.sleep(0.05)
        with pytest.raises(DeviceFault, match="the line is never silent for 500 ms") as caught:
            await reader.read(block)
        assert caught.value.kind == "noise"
        assert not line.asked
        babbling.cancel()
        await read_well(*await master.unit())
