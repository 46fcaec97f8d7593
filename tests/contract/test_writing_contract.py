"""One suite for every driver that can write: what the gate relies on, whatever the protocol."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from drivers import registry
from drivers.base import Connection
from drivers.errors import DeviceFault, DriverError
from drivers.values import Quality, Value
from drivers.writing import NotSent, Unanswered, Writer, load_writer
from tests.contract.writing_benches import (
    EchoingWriteBench,
    FakePlcWriteBench,
    MemoryWriteBench,
    NodeModbusWriteBench,
    NodeOpcUaWriteBench,
    OpcUaWriteBench,
    PymodbusWriteBench,
    SerialWriteBench,
    TlsWriteBench,
    WriteBench,
)
from tests.permits import Permit, Refused

BENCHES: dict[str, type[WriteBench]] = {
    "memory": MemoryWriteBench,
    "modbus": FakePlcWriteBench,
    "modbus, tls": TlsWriteBench,
    "modbus, serial line": SerialWriteBench,
    "modbus, serial line with an echo": EchoingWriteBench,
    "modbus, pymodbus": PymodbusWriteBench,
    "modbus, modbus-serial": NodeModbusWriteBench,
    "opcua": OpcUaWriteBench,
    "opcua, node-opcua": NodeOpcUaWriteBench,
}
PATIENCE = 10.0
"""Seconds that an event may take on a busy machine before a test gives up."""


@pytest.fixture(params=[pytest.param(name, marks=[pytest.mark.real] * (name != "memory")) for name in BENCHES])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[WriteBench]:
    bench = BENCHES[request.param]()
    await bench.start()
    yield bench
    await bench.stop()


@asynccontextmanager
async def connected(bench: WriteBench) -> AsyncIterator[Connection]:
    connection: Connection = registry.load(bench.driver).connect(bench.device)
    await connection.open()
    try:
        yield connection
    finally:
        await connection.close()


async def prepared(bench: WriteBench, connection: Connection) -> Writer:
    writer_of = load_writer(bench.driver)
    assert writer_of is not None
    writer = writer_of("boiler", connection, bench.device, bench.points, None)
    await writer.prepare()
    return writer


@asynccontextmanager
async def writing(bench: WriteBench) -> AsyncIterator[Writer]:
    async with connected(bench) as connection:
        yield await prepared(bench, connection)


async def write(writer: Writer, value: Value, permit: Permit | None = None, point: int = 0) -> None:
    await writer.write(point, "a_tag", writer.encode(point, value), Permit() if permit is None else permit)


async def test_a_write_is_one_frame_under_one_permit_and_reads_back(bench: WriteBench) -> None:
    async with writing(bench) as writer:
        permit, raw = Permit(), writer.encode(0, 7)
        await writer.write(0, "a_tag", raw, permit)
        assert await bench.writes() == 1
        assert permit.spent == [("boiler", "a_tag", raw, writer.generation)]
        ((point, sample),) = await writer.read_back([0])
        assert (point, sample._replace(source_time=None)) == (0, writer.decode(0, raw))
        assert writer.decode(0, raw).value == 7


async def test_each_write_is_a_frame_of_its_own(bench: WriteBench) -> None:
    async with writing(bench) as writer:
        for value in (7, 7, 8):
            await write(writer, value)
        assert await bench.writes() == 3


async def test_where_the_permit_refuses_nothing_is_sent_and_its_own_word_goes_through(bench: WriteBench) -> None:
    async with writing(bench) as writer:
        permit = Permit(allows=False)
        with pytest.raises(Refused):
            await write(writer, 7, permit)
        assert len(permit.spent) == 1
        ((_, sample),) = await writer.read_back([0])
        assert sample.value != 7
        assert await bench.writes() == 0
        await write(writer, 7)  # and the connection is none the worse for it
        assert await bench.writes() == 1


async def test_a_silent_far_side_gets_one_frame_and_what_became_of_it_is_open(bench: WriteBench) -> None:
    async with writing(bench) as writer:
        await bench.fall_silent()
        permit = Permit()
        try:
            with pytest.raises(Unanswered):
                await write(writer, 7, permit)
            assert len(permit.spent) == 1
        finally:
            await bench.speak()
        async with asyncio.timeout(PATIENCE):
            while not await bench.writes():  # noqa: ASYNC110  (one that hung takes it in when it wakes, and tells nobody)
                await asyncio.sleep(0.01)
    async with writing(bench) as writer:
        await writer.read_back([0])
        assert await bench.writes() == 1


async def test_what_the_far_side_refuses_is_a_fault_and_nothing_is_changed(bench: WriteBench) -> None:
    await bench.refuse()
    async with writing(bench) as writer:
        with pytest.raises(DeviceFault) as raised:
            await write(writer, 7, point=1)
        assert type(raised.value) is DeviceFault
        assert "\n" not in str(raised.value)
        assert await bench.writes() == 1


async def test_over_a_connection_that_was_closed_no_permit_is_spent_and_the_next_is_another(bench: WriteBench) -> None:
    async with writing(bench) as old:
        raw = old.encode(0, 7)
    async with writing(bench) as new:
        permit = Permit()
        with pytest.raises(NotSent):
            await old.write(0, "a_tag", raw, permit)
        assert not permit.spent
        assert old.generation != new.generation
        ((_, sample),) = await new.read_back([0])
        assert sample.value != 7
        assert await bench.writes() == 0


async def test_the_writers_on_one_connection_are_of_one_generation(bench: WriteBench) -> None:
    async with connected(bench) as connection:
        one, other = await prepared(bench, connection), await prepared(bench, connection)
        assert one.generation == other.generation


@pytest.mark.parametrize("value", [True, 1.5, float("nan"), float("inf"), "7", b"7", None, (7,), 2**70, -(2**70)])
async def test_what_the_point_cannot_hold_has_no_encoding(bench: WriteBench, value: Value) -> None:
    async with writing(bench) as writer:
        with pytest.raises(ValueError, match=r".") as raised:
            writer.encode(0, value)
        assert "\n" not in str(raised.value)
        assert len(str(raised.value)) < 400


async def test_a_whole_number_is_the_same_as_a_float(bench: WriteBench) -> None:
    async with writing(bench) as writer:
        assert writer.encode(0, 7.0) == writer.encode(0, 7)
        assert type(writer.encode(0, 7.0)) is type(writer.encode(0, 7))


async def test_reading_back_is_what_the_far_side_holds_now(bench: WriteBench) -> None:
    async with writing(bench) as writer:
        await write(writer, 7)
        await bench.set(9)
        ((point, sample),) = await writer.read_back([0])
        assert (point, sample.value, sample.quality) == (0, 9, Quality.GOOD)


def test_a_driver_without_a_write_half_has_none_and_its_points_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.BUILT_IN, "blueprint", "drivers._blueprint")
    assert load_writer("blueprint") is None
    with pytest.raises(ValueError, match="this driver only reads; leave writable out"):
        registry.load("blueprint").check_writable(None, None)


def test_the_write_half_of_an_unknown_driver_is_an_error() -> None:
    with pytest.raises(DriverError, match="no driver is called 'no_such_driver'"):
        load_writer("no_such_driver")
