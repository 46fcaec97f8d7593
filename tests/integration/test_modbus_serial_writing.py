"""Writing over a serial line, where the answer to a write may be no more than the adapter's echo of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest

from drivers.modbus.point import ModbusPoint
from drivers.modbus.settings import ModbusDevice
from drivers.modbus.writing import ModbusWriter
from drivers.values import DataType, Sample, Seconds, Value
from drivers.writing import NotSent, Unanswered
from tests.integration.modbus_writer import open_writer, write
from tests.integration.register_writes import Written
from tests.integration.serial_bus import Asked, Behaviour, SerialBus, frame, good, serial_bus, serial_server
from tests.integration.serial_faults import (
    around,
    damaged,
    echoing,
    exception,
    garbage,
    in_pieces,
    late,
    only_echo,
    silent,
    truncated,
)
from tests.permits import Permit, Refused

pytestmark = pytest.mark.real

SOON = Seconds(0.5)
"""The timeout of a write that is meant to run into it."""
IN_TIME = Seconds(10)
"""The timeout of one that is not."""
SETPOINT, COIL, BIT, FLOAT = range(4)
POINTS = [
    ModbusPoint("holding:10"), ModbusPoint("coil:3"), ModbusPoint("holding:20.4"),
    ModbusPoint("holding:30", DataType.FLOAT32),
]  # fmt: skip
ONCE = [Written(6, 10, (5,))]


@pytest.fixture(params=["serial line", "serial server"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[SerialBus]:
    async with (serial_bus if request.param == "serial line" else serial_server)() as bus:
        yield bus


def writing(bus: SerialBus, within: Seconds = IN_TIME) -> AbstractAsyncContextManager[ModbusWriter]:
    return open_writer(ModbusDevice(bus.url, timeout=within), POINTS)


@pytest.mark.parametrize("behaviour", [good, echoing, in_pieces])
@pytest.mark.parametrize(
    ("point", "value", "written"),
    [
        (SETPOINT, 4711, Written(6, 10, (4711,))),
        (COIL, True, Written(5, 3, (1,))),
        (BIT, True, Written(22, 20, (0xFFEF, 0x0010))),
        (FLOAT, 1.5, Written(16, 30, (0x3FC0, 0x0000))),
    ],
)
async def test_a_write_is_one_frame_and_reads_back(
    bus: SerialBus, behaviour: Behaviour, point: int, value: Value, written: Written
) -> None:
    bus.always(behaviour)
    async with writing(bus) as writer:
        await write(writer, point, value)
        assert bus.writes == [written]
        assert await writer.read_back([point]) == [(point, Sample(value))]


async def test_the_echo_of_a_write_is_never_taken_for_its_answer(bus: SerialBus) -> None:
    bus.always(echoing)
    async with writing(bus, SOON) as writer:
        bus.script(echoing, only_echo)  # one reading, from which the echo is learned, and the write
        with pytest.raises(Unanswered) as raised:
            await write(writer, SETPOINT, 5)
        assert raised.value.kind == "timeout"
        assert await writer.read_back([SETPOINT]) == [(SETPOINT, Sample(0))]
    assert bus.writes == ONCE


async def test_nothing_is_written_while_it_is_not_known_whether_the_adapter_echoes(bus: SerialBus) -> None:
    bus.always(silent)
    async with writing(bus, SOON) as writer:
        permit = Permit()
        with pytest.raises(NotSent) as raised:
            await write(writer, SETPOINT, 5, permit)
        assert raised.value.kind == "echo_unknown"
        assert not permit.spent
    assert not bus.writes


async def test_an_answer_after_noise_teaches_nothing_of_an_echo_for_it_may_have_been_in_the_noise(
    bus: SerialBus,
) -> None:
    async with writing(bus, SOON) as writer:
        bus.script(around(before=b"\xff\xfe"))
        with pytest.raises(NotSent):
            await write(writer, SETPOINT, 5)
        assert not bus.writes
        bus.script(good)
        await write(writer, SETPOINT, 5)
    assert bus.writes == ONCE


async def test_a_refusal_teaches_as_much_of_an_echo_as_a_value(bus: SerialBus) -> None:
    async with writing(bus) as writer:
        bus.script(exception(2))
        await write(writer, SETPOINT, 5)
    assert bus.writes == ONCE


async def test_a_damaged_echo_leaves_a_write_unsettled_and_not_done_by_mistake(bus: SerialBus) -> None:
    async def echo_damaged_and_no_answer(bus: SerialBus, asked: Asked) -> None:
        raw = bytearray(asked.raw)
        raw[4] ^= 0x10
        bus.send(bytes(raw))

    async with writing(bus, SOON) as writer:
        bus.script(echoing, echo_damaged_and_no_answer)
        with pytest.raises(Unanswered):
            await write(writer, SETPOINT, 5)
    assert bus.writes == ONCE


def repeating(**other: int) -> Behaviour:
    async def answer(bus: SerialBus, asked: Asked) -> None:
        bus.send(bus.answer(asked._replace(**other)))  # type: ignore[arg-type]  # the fields that are numbers

    return answer


@pytest.mark.parametrize(
    "behaviour",
    [
        repeating(size=6), repeating(start=11), repeating(unit=2), repeating(function=5, size=0xFF00), damaged, garbage,
        truncated, silent,
    ],
)  # fmt: skip
@pytest.mark.parametrize("echoes", [False, True])
async def test_what_is_not_the_echo_of_the_device_settles_nothing(
    bus: SerialBus, behaviour: Behaviour, *, echoes: bool
) -> None:
    async def answer(bus: SerialBus, asked: Asked) -> None:
        if echoes:
            bus.send(asked.raw)
        await behaviour(bus, asked)

    async with writing(bus, SOON) as writer:
        bus.script(echoing if echoes else good, answer)
        with pytest.raises(Unanswered) as raised:
            await write(writer, SETPOINT, 5)
        assert raised.value.kind in {"timeout", "bad_reply"}
    assert bus.writes == ONCE


async def test_a_refused_permit_puts_not_one_byte_on_the_line(bus: SerialBus) -> None:
    async with writing(bus) as writer:
        with pytest.raises(Refused):
            await write(writer, SETPOINT, 5, Permit(allows=False))
        await writer.read_back([SETPOINT])
    assert not bus.writes


async def test_while_a_late_answer_may_come_the_unit_gets_no_write(bus: SerialBus) -> None:
    async with writing(bus, SOON) as writer:
        bus.script(good, late)
        with pytest.raises(Unanswered):
            await write(writer, SETPOINT, 5)
        written = asyncio.create_task(write(writer, SETPOINT, 6))
        await asyncio.sleep(0)
        assert bus.writes == ONCE
        bus.release()
        await written
        assert bus.writes == [*ONCE, Written(6, 10, (6,))]


async def test_the_answer_of_another_unit_is_not_the_answer(bus: SerialBus) -> None:
    async with writing(bus, SOON) as writer:
        foreign = frame(2, 6, b"\0\x0a\0\5")

        async def answer(bus: SerialBus, asked: Asked) -> None:
            bus.send(foreign)

        bus.script(good, answer)
        with pytest.raises(Unanswered):
            await write(writer, SETPOINT, 5)
