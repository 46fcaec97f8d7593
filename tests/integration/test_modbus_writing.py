"""Writing to a Modbus TCP device that counts the frames on its own side."""

import asyncio
import logging
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from drivers.base import Surroundings
from drivers.errors import DeviceFault
from drivers.modbus.connection import ModbusConnection
from drivers.modbus.point import ModbusPoint
from drivers.modbus.profile import ModbusProfile
from drivers.modbus.settings import ModbusDevice
from drivers.modbus.writing import ModbusWriter
from drivers.values import DataType, Quality, Sample, Seconds, Value
from drivers.writing import NotSent, Unanswered
from tests.integration.fake_plc import (
    Asked,
    Behaviour,
    FakePlc,
    altered,
    bare,
    close,
    exception,
    fake_plc,
    frame,
    garbage,
    good,
    in_pieces,
    late,
    misnumbered,
    only_late,
    oversized,
    reset,
    silent,
    truncated,
    twice,
    wrong_protocol,
)
from tests.integration.modbus_writer import open_writer, write
from tests.integration.register_writes import Written
from tests.permits import NotingPermit, NotingTransport, Permit, Refused

pytestmark = pytest.mark.real

SOON = Seconds(0.5)
"""The timeout of a write that is meant to run into it."""
IN_TIME = Seconds(10)
"""The timeout of one that is not."""
SETPOINT, COIL, BIT, FLOAT, NAME, SCALED, SIGNED, INPUT = range(8)
POINTS = [
    ModbusPoint("holding:10"),
    ModbusPoint("coil:3"),
    ModbusPoint("holding:20.4"),
    ModbusPoint("holding:30", DataType.FLOAT32, "CDAB"),
    ModbusPoint("holding:40", DataType.STRING, length=3),
    ModbusPoint("holding:50", DataType.INT16, exponent="holding:51"),
    ModbusPoint("holding:60", DataType.INT16),
    ModbusPoint("input:70"),
]


@pytest.fixture(autouse=True)
async def nothing_unforeseen(caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """Neither the library's log nor the loop's handler of exceptions says a word."""
    unforeseen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unforeseen.append(context))
    with caplog.at_level(logging.WARNING):
        yield
    assert not unforeseen
    assert not caplog.records


@pytest.fixture
async def plc() -> AsyncIterator[FakePlc]:
    async with fake_plc() as plc:
        plc.words[51] = 0xFFFF  # -1: tenths
        yield plc


def writing(plc: FakePlc, within: Seconds = IN_TIME, **profile: Any) -> AbstractAsyncContextManager[ModbusWriter]:
    return open_writer(ModbusDevice(plc.url, timeout=within, profile=ModbusProfile(**profile)), POINTS)


@pytest.mark.parametrize(
    ("point", "value", "frame"),
    [
        (SETPOINT, 4711, Written(6, 10, (4711,))),
        (SETPOINT, 12.0, Written(6, 10, (12,))),
        (SIGNED, -2, Written(6, 60, (0xFFFE,))),
        (COIL, True, Written(5, 3, (1,))),
        (COIL, False, Written(5, 3, (0,))),
        (BIT, True, Written(22, 20, (0xFFEF, 0x0010))),
        (BIT, False, Written(22, 20, (0xFFEF, 0x0000))),
        (FLOAT, 1.5, Written(16, 30, (0x0000, 0x3FC0))),
        (NAME, "pump", Written(16, 40, (0x7075, 0x6D70, 0x0000))),
        (SCALED, 23.4, Written(6, 50, (234,))),
    ],
)
async def test_a_write_is_one_frame_and_reads_back(plc: FakePlc, point: int, value: Value, frame: Written) -> None:
    plc.words[20] = 0xA5AF
    async with writing(plc) as writer:
        permit, raw = Permit(), writer.encode(point, value)
        await writer.write(point, "a_tag", raw, permit)
        assert plc.writes == [frame]
        assert permit.spent == [("boiler", "a_tag", raw, writer.generation)]
        assert await writer.read_back([point]) == [(point, writer.decode(point, raw))]
        assert writer.decode(point, raw) == Sample(value)
    assert plc.words[20] | 0x10 == 0xA5BF  # the other bits of the register are as they were


@pytest.mark.parametrize(
    ("refused", "point", "value", "frame"),
    [
        ((5,), COIL, True, Written(15, 3, (1,))),
        ((6,), SETPOINT, 7, Written(16, 10, (7,))),
        ((16,), SETPOINT, 7, Written(6, 10, (7,))),
    ],
)
async def test_a_function_that_the_device_lacks_is_stood_in_for(
    plc: FakePlc, refused: tuple[int, ...], point: int, value: Value, frame: Written
) -> None:
    async with writing(plc, functions_refused=refused) as writer:
        await write(writer, point, value)
        assert plc.writes == [frame]
        assert [sample.value for _, sample in await writer.read_back([point])] == [value]


async def test_not_one_byte_leaves_where_the_permit_refuses(plc: FakePlc) -> None:
    async with writing(plc) as writer:
        asked = len(plc.asked)
        permit = Permit(allows=False)
        with pytest.raises(Refused):
            await write(writer, SETPOINT, 1, permit)
        assert len(permit.spent) == 1
        await writer.read_back([SETPOINT])  # what had been sent would have come before it
        assert [each.function for each in plc.asked[asked:]] == [3]


async def test_a_silent_device_gets_one_frame_and_nobody_knows_what_it_did(plc: FakePlc) -> None:
    async with writing(plc, SOON) as writer:
        plc.script(silent)
        with pytest.raises(Unanswered) as raised:
            await write(writer, SETPOINT, 5)
        assert raised.value.kind == "timeout"
        assert await writer.read_back([SETPOINT]) == [(SETPOINT, Sample(0))]
    assert plc.writes == [Written(6, 10, (5,))]


async def test_a_write_is_taken_as_done_however_its_answer_arrives(plc: FakePlc) -> None:
    async with writing(plc) as writer:
        for behaviour in (good, in_pieces, twice):
            plc.script(behaviour)
            await write(writer, SETPOINT, 5)
        assert len(plc.writes) == 3


@pytest.mark.parametrize("code", [1, 2, 3, 6, 7, 10])
async def test_a_device_that_says_no_has_done_nothing(plc: FakePlc, code: int) -> None:
    async with writing(plc) as writer:
        plc.script(exception(code))
        with pytest.raises(DeviceFault) as raised:
            await write(writer, SETPOINT, 5)
        assert type(raised.value) is DeviceFault
        assert raised.value.kind == f"exception_{code}"
        assert "writing holding:10 of unit 1" in str(raised.value)
    assert len(plc.writes) == 1


@pytest.mark.parametrize("code", [4, 5, 8, 11, 99])
async def test_what_a_device_says_from_the_middle_of_the_work_leaves_open_what_it_did(plc: FakePlc, code: int) -> None:
    async with writing(plc) as writer:
        plc.script(exception(code))
        with pytest.raises(Unanswered) as raised:
            await write(writer, SETPOINT, 5)
        assert raised.value.kind == f"exception_{code}"
    assert len(plc.writes) == 1


def acknowledged(**other: Any) -> Behaviour:
    """Do what was asked, and acknowledge something else."""

    async def answer(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
        plc.answer(asked)
        writer.write(plc.answer(asked._replace(**other)))

    return answer


async def acknowledged_in_part(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(frame(asked.transaction, asked.unit, asked.function, struct.pack(">H", asked.start)))


@pytest.mark.parametrize(
    "behaviour",
    [
        acknowledged(size=6),
        acknowledged(start=11),
        acknowledged(function=16, size=1, data=b"\x02\0\5"),
        altered(unit=lambda unit: unit + 1),
        misnumbered(lambda _: 0),
        misnumbered(lambda number: number + 7),
        acknowledged_in_part,
        bare(6),
        exception(2, lambda _: 0x90),
        garbage,
        oversized,
        wrong_protocol,
    ],
)
async def test_an_answer_that_is_not_the_echo_settles_nothing(plc: FakePlc, behaviour: Behaviour) -> None:
    async with writing(plc) as writer:
        plc.script(behaviour)
        with pytest.raises(Unanswered) as raised:
            await write(writer, SETPOINT, 5)
        assert raised.value.kind == "bad_reply"
    assert plc.writes == [Written(6, 10, (5,))]


@pytest.mark.parametrize(
    ("point", "value", "other"), [(COIL, True, {"size": 0}), (FLOAT, 1.0, {"size": 3}), (BIT, True, {"data": b"\0\1"})]
)
async def test_every_part_of_the_echo_counts(plc: FakePlc, point: int, value: Value, other: dict[str, Any]) -> None:
    async def answer(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
        changed = asked._replace(**other)
        repeated = struct.pack(">HH", changed.start, changed.size) + (changed.data if asked.function == 22 else b"")
        writer.write(frame(asked.transaction, asked.unit, asked.function, repeated))

    async with writing(plc) as writer:
        plc.script(answer)
        with pytest.raises(Unanswered) as raised:
            await write(writer, point, value)
        assert raised.value.kind == "bad_reply"


@pytest.mark.parametrize("behaviour", [close, reset, truncated])
async def test_a_connection_that_ends_after_the_frame_left_settles_nothing(plc: FakePlc, behaviour: Behaviour) -> None:
    async with writing(plc, SOON) as writer:
        plc.script(behaviour)
        with pytest.raises(Unanswered):
            await write(writer, SETPOINT, 5)
        permit = Permit()
        with pytest.raises(NotSent):
            await write(writer, SETPOINT, 6, permit)
        assert not permit.spent
    assert plc.writes == [Written(6, 10, (5,))]


async def test_a_late_answer_is_never_taken_for_that_of_the_next_write(plc: FakePlc) -> None:
    async with writing(plc, SOON) as writer:
        plc.script(late, only_late)
        for value in (5, 5):
            with pytest.raises(Unanswered):
                await write(writer, SETPOINT, value)
        assert len(plc.writes) == 2


async def test_the_writer_of_a_connection_that_is_gone_sends_nothing_over_the_next_one(plc: FakePlc) -> None:
    async with writing(plc) as old:
        raw = old.encode(SETPOINT, 5)
    async with writing(plc) as new:
        permit = Permit()
        with pytest.raises(NotSent):
            await old.write(SETPOINT, "a_tag", raw, permit)
        assert not permit.spent
        assert old.generation != new.generation
        await new.read_back([SETPOINT])
    assert not plc.writes


async def test_a_device_that_hangs_up_just_before_gets_nothing(plc: FakePlc) -> None:
    async with writing(plc) as writer:
        plc.hang_up()
        await plc.left()
        permit = Permit()
        with pytest.raises((NotSent, Unanswered)) as raised:
            await write(writer, SETPOINT, 5, permit)
        assert isinstance(raised.value, NotSent) is not bool(permit.spent)
    assert not plc.writes


async def test_a_write_waits_for_the_request_before_it_and_is_permitted_only_then(plc: FakePlc) -> None:
    go_on = asyncio.Event()

    async def slow(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
        await go_on.wait()
        await good(plc, asked, writer)

    async with writing(plc) as writer:
        before = len(plc.asked)
        plc.script(slow)
        permit = Permit()
        reading = asyncio.create_task(writer.read_back([FLOAT]))
        await plc.was_asked(before + 1)
        sending = asyncio.create_task(write(writer, SETPOINT, 5, permit))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not permit.spent
        go_on.set()
        await reading
        await sending
        assert len(permit.spent) == len(plc.writes) == 1


async def test_what_an_exponent_no_longer_means_is_not_sent(plc: FakePlc) -> None:
    async with writing(plc) as writer:
        raw = writer.encode(SCALED, 23.4)
        plc.words[51] = 0xFFFE
        permit = Permit()
        with pytest.raises(NotSent) as raised:
            await writer.write(SCALED, "a_tag", raw, permit)
        assert raised.value.kind == "exponent_changed"
        assert not permit.spent
        assert writer.encode(SCALED, 23.4) == (2340,)
    assert not plc.writes


async def test_a_value_whose_exponent_is_not_there_has_no_encoding(plc: FakePlc) -> None:
    plc.script(exception(2))
    async with writing(plc) as writer:
        with pytest.raises(ValueError, match="exponent is not known: not_read"):
            writer.encode(SCALED, 1.0)
        await writer.read_back([SCALED])
        assert writer.encode(SCALED, 1.0) == (10,)


@pytest.mark.parametrize("raw", [(1, 2), (), (-1,), (65536,), (True,), [1], 1, True, (1.0,), None])
async def test_what_no_encoding_gives_is_not_sent(plc: FakePlc, raw: object) -> None:
    async with writing(plc) as writer:
        permit = Permit()
        with pytest.raises(NotSent):
            await writer.write(SETPOINT, "a_tag", raw, permit)
        assert not permit.spent
    assert not plc.writes


async def test_what_cannot_be_written_has_no_encoding(plc: FakePlc) -> None:
    async with writing(plc) as writer:
        with pytest.raises(ValueError, match=r"^input:70 cannot be written: only coils and holding registers"):
            writer.encode(INPUT, 1)
        assert await writer.read_back([INPUT]) == [(INPUT, Sample(0))]


async def test_reading_back_asks_for_exactly_those_registers_and_for_each_once(plc: FakePlc) -> None:
    plc.words[20] = 0x10
    async with writing(plc) as writer:
        before = len(plc.asked)
        assert await writer.read_back([BIT, SETPOINT, BIT]) == [
            (BIT, Sample(value=True)), (SETPOINT, Sample(0)), (BIT, Sample(value=True)),
        ]  # fmt: skip
        assert [each[2:5] for each in plc.asked[before:]] == [(3, 20, 1), (3, 10, 1)]
        plc.script(exception(2))
        with pytest.raises(DeviceFault):
            await writer.read_back([SETPOINT])


async def test_the_frame_goes_to_the_transport_before_the_loop_turns(plc: FakePlc) -> None:
    async with writing(plc) as writer:
        link, events = writer._connection.link, list[str]()
        assert link is not None
        link.transport = NotingTransport(link.transport, events)  # type: ignore[assignment]  # it does all that one does
        await write(writer, SETPOINT, 5, NotingPermit(events))
        assert events[:3] == ["spent", "sent", "turned"]
    assert len(plc.writes) == 1


async def test_a_write_is_not_given_up_sooner_for_the_sake_of_neighbours(plc: FakePlc) -> None:
    device = ModbusDevice(plc.url)
    connection = ModbusConnection(device)
    await connection.open()
    writer = ModbusWriter("boiler", connection, device, {0: POINTS[SETPOINT]}, Surroundings(patience=Seconds(0.05)))

    async def slow(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        await good(plc, asked, writer)

    plc.script(slow)
    await write(writer, 0, 5)
    await connection.close()
    assert plc.writes == [Written(6, 10, (5,))]


async def test_after_a_write_without_an_answer_nothing_of_it_is_sent_once_the_link_is_closed(plc: FakePlc) -> None:
    async with writing(plc, SOON) as writer:
        link = writer._connection.link
        assert link is not None
        wire = link.transport.get_extra_info("socket")

        def lingers() -> int:
            return int(struct.unpack("ii", wire.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))[0])

        await write(writer, SETPOINT, 1)
        settled = lingers()
        plc.script(silent)
        with pytest.raises(Unanswered):
            await write(writer, SETPOINT, 2)
        unsettled = lingers()
        await writer.read_back([SETPOINT])
        assert (settled, unsettled, lingers()) == (0, 1, 0)


async def test_a_sentinel_reads_back_as_no_value_and_is_never_written(plc: FakePlc) -> None:
    async with writing(plc, not_implemented={"uint16": 0xFFFF}) as writer:
        with pytest.raises(ValueError, match="says that there is no value: not_implemented"):
            writer.encode(SETPOINT, 0xFFFF)
        plc.words[10] = 0xFFFF
        ((_, sample),) = await writer.read_back([SETPOINT])
        assert sample.quality is Quality.BAD
