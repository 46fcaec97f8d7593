"""A device that answers wrongly: each fault has its name, nothing of it is believed, and the next good read works."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from drivers.base import Block, Connection, Reader, Surroundings
from drivers.errors import DeviceFault, LinkLost
from drivers.modbus import DRIVER
from drivers.modbus.connection import ModbusConnection
from drivers.modbus.point import ModbusPoint
from drivers.modbus.settings import ModbusDevice
from drivers.values import Sample, Seconds
from tests.integration.fake_plc import (
    Asked,
    Behaviour,
    FakePlc,
    altered,
    bare,
    close,
    exception,
    fake_plc,
    garbage,
    good,
    half_a_header,
    in_pieces,
    late,
    miscounted,
    misnumbered,
    only_late,
    oversized,
    reset,
    silent,
    truncated,
    twice,
    wrong_protocol,
)
from tests.servers import free_port

pytestmark = pytest.mark.real

SOON = Seconds(0.3)
"""The timeout of a request that is meant to run into it."""
IN_TIME = Seconds(10)
"""The timeout of one that is not."""
NEVER_ENDS = (silent, truncated, half_a_header)
POINTS = [ModbusPoint("holding:0"), ModbusPoint("holding:1"), ModbusPoint("holding:3")]


@pytest.fixture(autouse=True)
async def nothing_unforeseen(caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """Neither the library's log nor the loop's handler of exceptions says a word."""
    unforeseen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unforeseen.append(context))
    with caplog.at_level(logging.WARNING):
        yield
    assert not unforeseen
    assert not caplog.records


@asynccontextmanager
async def opened(device: ModbusDevice) -> AsyncIterator[ModbusConnection]:
    connection = ModbusConnection(device)
    await connection.open()
    try:
        yield connection
    finally:
        await connection.close()


async def prepared(
    connection: Connection, device: ModbusDevice, points: Sequence[ModbusPoint] = POINTS
) -> tuple[Reader, Block]:
    reader = connection.reader(device, points)
    (block,) = (await reader.prepare()).polled
    return reader, block


async def fault_of(plc: FakePlc, behaviour: Behaviour) -> DeviceFault:
    """Return what a read raises; then see that a good one works, on a new connection if this one was lost."""
    device = ModbusDevice(plc.url, timeout=IN_TIME)
    hasty = ModbusDevice(plc.url, timeout=SOON if behaviour in NEVER_ENDS else IN_TIME)
    plc.words[:4] = [10, 11, 12, 13]
    plc.script(behaviour)
    async with opened(device) as connection:
        reader, block = await prepared(connection, hasty)
        with pytest.raises(DeviceFault) as caught:
            await reader.read(block)
        if not isinstance(caught.value, LinkLost):
            await read_well(*await prepared(connection, device))
    if isinstance(caught.value, LinkLost):
        async with opened(device) as connection:
            await read_well(*await prepared(connection, device))
    return caught.value


async def read_well(reader: Reader, block: Block) -> None:
    assert sorted(await reader.read(block)) == [(0, Sample(10)), (1, Sample(11)), (2, Sample(13))]


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        pytest.param(misnumbered(lambda transaction: 0), "bad_reply", id="transaction-0"),
        pytest.param(misnumbered(lambda transaction: transaction + 1), "bad_reply", id="transaction-ahead"),
        pytest.param(misnumbered(lambda transaction: transaction ^ 0xFF00), "bad_reply", id="transaction-swapped"),
        pytest.param(altered(unit=lambda unit: unit + 1), "bad_reply", id="unit"),
        pytest.param(altered(unit=lambda unit: 0), "bad_reply", id="unit-0"),
        pytest.param(altered(function=lambda function: 4), "bad_reply", id="function-4-for-3"),
        pytest.param(altered(function=lambda function: 1), "bad_reply", id="function-of-bits"),
        pytest.param(altered(function=lambda function: 0x63), "bad_reply", id="function-unknown"),
        pytest.param(altered(size=lambda size: size - 1), "bad_reply", id="too-few"),
        pytest.param(altered(size=lambda size: size + 1), "bad_reply", id="too-many"),
        pytest.param(altered(size=lambda size: 0), "bad_reply", id="none"),
        pytest.param(miscounted(by=2), "bad_reply", id="byte-count-high"),
        pytest.param(miscounted(by=-2), "bad_reply", id="byte-count-low"),
        pytest.param(bare(3), "bad_reply", id="no-byte-count"),
        pytest.param(bare(0x83), "bad_reply", id="no-exception-code"),
        pytest.param(bare(0), "bad_reply", id="function-0"),
        pytest.param(exception(2, lambda function: 0x84), "bad_reply", id="exception-of-another-function"),
        pytest.param(silent, "timeout", id="silent"),
        *(pytest.param(exception(code), f"exception_{code}", id=f"exception-{code}") for code in (1, 4, 11, 99)),
    ],
)
async def test_a_wrong_reply_is_a_fault_and_the_link_goes_on(behaviour: Behaviour, kind: str) -> None:
    async with fake_plc() as plc:
        fault = await fault_of(plc, behaviour)
        assert fault.kind == kind
        assert not isinstance(fault, LinkLost)
        assert plc.connections == 1
        assert str(fault).startswith(f"holding:0..3 of unit 1 at {plc.url}: ")
        assert "\n" not in str(fault)


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        pytest.param(garbage, "bad_reply", id="garbage"),
        pytest.param(wrong_protocol, "bad_reply", id="protocol-id"),
        pytest.param(oversized, "bad_reply", id="oversized"),
        pytest.param(truncated, "bad_reply", id="truncated"),
        pytest.param(half_a_header, "bad_reply", id="half-a-header"),
        pytest.param(close, "disconnected", id="closed"),
        pytest.param(reset, "disconnected", id="reset"),
    ],
)
async def test_a_stream_that_lost_its_place_is_given_up(behaviour: Behaviour, kind: str) -> None:
    async with fake_plc() as plc:
        fault = await fault_of(plc, behaviour)
        assert fault.kind == kind
        assert isinstance(fault, LinkLost)
        assert plc.connections == 2


@pytest.mark.parametrize(
    "behaviour", [garbage, wrong_protocol, close, reset, altered(size=lambda size: size + 1), misnumbered(lambda _: 0)]
)
async def test_what_is_certainly_wrong_is_told_at_once_and_not_after_the_timeout(behaviour: Behaviour) -> None:
    async with fake_plc() as plc, asyncio.timeout(IN_TIME / 2):
        await fault_of(plc, behaviour)


@pytest.mark.parametrize("behaviour", [good, in_pieces, twice])
async def test_a_right_reply_is_taken_however_it_arrives(behaviour: Behaviour) -> None:
    async with fake_plc() as plc:
        plc.words[:4] = [10, 11, 12, 13]
        plc.always(behaviour)
        device = ModbusDevice(plc.url)
        async with opened(device) as connection:
            reader, block = await prepared(connection, device)
            await read_well(reader, block)
            for value in range(20, 30):
                plc.words[1] = value
                assert list(await reader.read(block)) == [(1, Sample(value))]


async def test_a_late_reply_is_not_taken_for_the_next_request() -> None:
    async with fake_plc() as plc:
        plc.words[:4] = [10, 11, 12, 13]
        device = ModbusDevice(plc.url, timeout=SOON)
        counted: list[str] = []
        async with opened(device) as connection:
            reader = connection.reader(device, POINTS, Surroundings(count=counted.append))
            (block,) = (await reader.prepare()).polled
            await read_well(reader, block)
            plc.words[1] = 1
            plc.script(late)
            with pytest.raises(DeviceFault, match="no answer within") as caught:
                await reader.read(block)
            assert caught.value.kind == "timeout"
            plc.words[1] = 2
            assert list(await reader.read(block)) == [(1, Sample(2))]
            assert counted == ["stray"]


async def test_a_late_reply_alone_leaves_the_next_request_unanswered() -> None:
    async with fake_plc() as plc:
        device = ModbusDevice(plc.url, timeout=SOON)
        plc.script(late, only_late)
        async with opened(device) as connection:
            reader, block = await prepared(connection, device)
            for _ in range(2):
                with pytest.raises(DeviceFault, match="no answer within"):
                    await reader.read(block)
            assert [index for index, _ in await reader.read(block)] == [0, 1, 2]


async def test_a_heap_of_late_replies_does_not_hide_the_right_one() -> None:
    points = [ModbusPoint(f"holding:{register}") for register in range(120)]
    async with fake_plc() as plc:
        device = ModbusDevice(plc.url, timeout=SOON)
        plc.script(late, late)
        async with opened(device) as connection:
            reader, block = await prepared(connection, device, points)
            for _ in range(2):
                with pytest.raises(DeviceFault, match="no answer within"):
                    await reader.read(block)
            assert len(await reader.read(block)) == 120


@pytest.mark.parametrize("code", [1, 2, 3, 4, 8, 10, 11, 99])
async def test_an_exception_is_a_fault_of_its_own_kind(code: int) -> None:
    async with fake_plc() as plc:
        plc.script(exception(code))
        device = ModbusDevice(plc.url, timeout=IN_TIME)
        async with opened(device) as connection:
            reader, block = await prepared(connection, device, POINTS[:1])
            with pytest.raises(DeviceFault, match=f"exception {code}, ") as caught:
                await reader.read(block)
            assert caught.value.kind == f"exception_{code}"
            assert list(await reader.read(block)) == [(0, Sample(0))]


@pytest.mark.parametrize("code", [5, 6])
async def test_a_busy_device_is_asked_again_within_its_timeout(code: int) -> None:
    async with fake_plc() as plc:
        plc.words[:4] = [10, 11, 12, 13]
        plc.script(exception(code), exception(code))
        device = ModbusDevice(plc.url, timeout=IN_TIME)
        async with opened(device) as connection:
            await read_well(*await prepared(connection, device))
        assert len(plc.asked) == 3


async def test_a_device_that_stays_busy_is_a_fault_after_two_more_requests() -> None:
    async with fake_plc() as plc:
        plc.always(exception(6))
        device = ModbusDevice(plc.url, timeout=IN_TIME)
        async with opened(device) as connection:
            reader, block = await prepared(connection, device)
            with pytest.raises(DeviceFault, match="exception 6, device busy") as caught:
                await reader.read(block)
            assert caught.value.kind == "exception_6"
        assert len(plc.asked) == 3


async def test_a_busy_device_is_not_asked_again_once_its_time_is_up() -> None:
    async with fake_plc() as plc:
        plc.always(exception(6))
        device = ModbusDevice(plc.url, timeout=Seconds(0.05))
        async with opened(device) as connection:
            reader, block = await prepared(connection, device)
            with pytest.raises(DeviceFault):
                await reader.read(block)
        assert len(plc.asked) == 1


async def test_a_unit_is_heard_by_whatever_it_sends_and_not_by_what_a_gateway_says_of_it() -> None:
    async with fake_plc() as plc:
        plc.script(silent, exception(11), misnumbered(lambda transaction: 0))
        device = ModbusDevice(plc.url, timeout=SOON)
        async with opened(device) as connection:
            reader, block = await prepared(connection, device)
            link = connection._link
            assert link is not None
            for _ in range(2):
                with pytest.raises(DeviceFault):
                    await reader.read(block)
                assert link.heard(1) == float("-inf")
            with pytest.raises(DeviceFault):
                await reader.read(block)
            assert link.heard(1) <= asyncio.get_running_loop().time()
            assert link.heard(1) > 0
            assert link.heard(2) == float("-inf")


async def test_three_requests_in_a_row_without_a_byte_end_the_link() -> None:
    async with fake_plc() as plc:
        plc.always(silent)
        device = ModbusDevice(plc.url, timeout=SOON)
        async with opened(device) as connection:
            reader, block = await prepared(connection, device)
            kinds = []
            for _ in range(3):
                with pytest.raises(DeviceFault) as caught:
                    await reader.read(block)
                kinds.append((type(caught.value), caught.value.kind))
            assert kinds == [(DeviceFault, "timeout"), (DeviceFault, "timeout"), (LinkLost, "timeout")]
            assert "3 requests in a row" in await connection.lost()
            asked = len(plc.asked)
            with pytest.raises(LinkLost):
                await reader.read(block)
            assert len(plc.asked) == asked


async def test_one_answer_in_between_shows_that_the_link_lives() -> None:
    async with fake_plc() as plc:
        device = ModbusDevice(plc.url, timeout=SOON)
        plc.script(silent, silent, exception(1), silent, silent, good)
        async with opened(device) as connection:
            reader, block = await prepared(connection, device)
            kinds = []
            for _ in range(5):
                with pytest.raises(DeviceFault) as caught:
                    await reader.read(block)
                kinds.append(caught.value.kind)
            assert kinds == ["timeout", "timeout", "exception_1", "timeout", "timeout"]
            assert len(await reader.read(block)) == 3
            assert plc.connections == 1


async def test_a_failed_read_does_not_change_what_counts_as_the_last_one() -> None:
    async with fake_plc() as plc:
        plc.words[:4] = [10, 11, 12, 13]
        device = ModbusDevice(plc.url)
        async with opened(device) as connection:
            reader, block = await prepared(connection, device)
            await read_well(reader, block)
            plc.words[1] = 99
            plc.script(altered(function=lambda function: 4))
            with pytest.raises(DeviceFault):
                await reader.read(block)
            assert list(await reader.read(block)) == [(1, Sample(99))]


async def test_a_request_without_a_connection_sends_and_opens_nothing() -> None:
    async with fake_plc() as plc:
        device = ModbusDevice(plc.url)
        connection = DRIVER.connect(device)
        reader, block = await prepared(connection, device)
        with pytest.raises(LinkLost, match="not connected"):
            await reader.read(block)
        await connection.open()
        plc.hang_up()
        async with asyncio.timeout(10):
            assert await connection.lost() == "the device closed the connection"
        with pytest.raises(LinkLost, match="the device closed the connection") as caught:
            await reader.read(block)
        assert caught.value.kind == "disconnected"
        assert plc.connections == 1
        assert not plc.asked
        await connection.close()


async def test_bytes_that_nobody_asked_for_end_the_link_when_they_are_no_modbus() -> None:
    async with fake_plc() as plc:
        device = ModbusDevice(plc.url)
        async with opened(device) as connection:
            reader, block = await prepared(connection, device)
            await reader.read(block)
            plc.push(b"\0\1\0\0\0\3\1\x83\2")
            await reader.read(block)
            plc.push(b"NO MODBUS")
            async with asyncio.timeout(10):
                assert "no Modbus TCP" in await connection.lost()


async def test_closing_ends_a_request_in_flight() -> None:
    async with fake_plc() as plc:
        plc.always(silent)
        device = ModbusDevice(plc.url, timeout=Seconds(60))
        async with opened(device) as connection, asyncio.timeout(10):
            reader, block = await prepared(connection, device)
            reading = asyncio.create_task(reader.read(block))
            await plc.was_asked(1)
            await connection.close()
            with pytest.raises(LinkLost) as caught:
                await reading
            assert caught.value.kind == "closed"


async def test_closing_is_allowed_at_any_time_and_twice() -> None:
    device = ModbusDevice(f"tcp://127.0.0.1:{free_port()}")
    connection = DRIVER.connect(device)
    await connection.close()
    with pytest.raises(LinkLost):
        await connection.open()
    await connection.close()
    await connection.close()


async def test_a_port_where_nothing_listens_is_refused() -> None:
    device = ModbusDevice(f"tcp://127.0.0.1:{free_port()}")
    with pytest.raises(LinkLost, match=r"tcp://127\.0\.0\.1:\d+: connection refused; nothing listens there") as caught:
        await DRIVER.connect(device).open()
    assert caught.value.kind == "refused"


async def test_a_host_that_takes_no_connection_is_a_timeout() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.settimeout(0)
            one.connect_ex(full.getsockname())
        device = ModbusDevice(f"tcp://127.0.0.1:{full.getsockname()[1]}")
        with pytest.raises(LinkLost, match="no connection within") as caught:
            await ModbusConnection(device, connect_within=SOON).open()
        assert caught.value.kind == "timeout"
        for one in waiting:
            one.close()


async def test_a_host_that_nobody_knows_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    with pytest.raises(LinkLost, match="tcp://plc:502: Name or service not known") as caught:
        await DRIVER.connect(ModbusDevice("tcp://plc")).open()
    assert caught.value.kind == "unknown_host"


async def test_every_address_of_a_host_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(*_: object, **__: object) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0)) for host in ("127.0.0.2", "127.0.0.1")]

    async with fake_plc() as plc:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
        device = ModbusDevice(f"tcp://plc:{plc.port}")
        async with opened(device) as connection:
            reader, block = await prepared(connection, device)
            assert len(await reader.read(block)) == 3


async def test_units_share_a_connection_and_keep_their_own_answers() -> None:
    async with fake_plc() as plc:
        one, two = ModbusDevice(plc.url, unit=1), ModbusDevice(plc.url, unit=2)
        async with opened(one) as connection:
            first, block_one = await prepared(connection, one, [ModbusPoint("holding:0")])
            second, block_two = await prepared(connection, two, [ModbusPoint("input:5")])
            await first.read(block_one)
            await second.read(block_two)
        assert [(asked.unit, asked.function, asked.start) for asked in plc.asked] == [(1, 3, 0), (2, 4, 5)]
        assert plc.connections == 1


async def test_requests_made_at_once_go_out_one_after_the_other() -> None:
    async with fake_plc() as plc:
        plc.words[:3] = [10, 11, 12]
        plc.script(late, silent)
        device = ModbusDevice(plc.url, timeout=SOON)
        async with opened(device) as connection:
            readers = [await prepared(connection, device, [ModbusPoint(f"holding:{place}")]) for place in range(3)]
            answers = await asyncio.gather(*(reader.read(block) for reader, block in readers), return_exceptions=True)
        assert [type(answer) for answer in answers] == [DeviceFault, DeviceFault, list]
        assert answers[2] == [(0, Sample(12))]


async def test_the_socket_sends_at_once_and_is_kept_alive() -> None:
    async with fake_plc() as plc, opened(ModbusDevice(plc.url)) as connection:
        assert connection._link is not None
        wire = connection._link.transport.get_extra_info("socket")
        assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


async def test_transaction_ids_start_anew_after_the_last_one_and_are_never_0() -> None:
    async with fake_plc() as plc:
        device = ModbusDevice(plc.url)
        async with opened(device) as connection:
            reader, block = await prepared(connection, device)
            assert connection._link is not None
            connection._link.transaction = 65534
            for _ in range(3):
                await reader.read(block)
        assert [asked.transaction for asked in plc.asked] == [65535, 1, 2]


async def half_dead(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Answer for unit 1 alone."""
    await (good if asked.unit == 1 else silent)(plc, asked, writer)


async def test_a_dead_unit_does_not_end_the_link_of_a_living_one() -> None:
    async with fake_plc() as plc:
        plc.words[:4] = [10, 11, 12, 13]
        plc.always(half_dead)
        living, dead = ModbusDevice(plc.url, timeout=IN_TIME), ModbusDevice(plc.url, unit=2, timeout=Seconds(0.05))
        async with opened(living) as connection:
            await read_well(*await prepared(connection, living))
            reader, block = await prepared(connection, dead)
            for _ in range(6):
                with pytest.raises(DeviceFault) as caught:
                    await reader.read(block)
                assert not isinstance(caught.value, LinkLost)
            await read_well(*await prepared(connection, living))
            assert plc.connections == 1


async def test_a_link_is_lost_when_also_the_unit_that_had_answered_falls_silent() -> None:
    async with fake_plc() as plc:
        plc.words[:4] = [10, 11, 12, 13]
        hasty = Seconds(0.05)
        living, dead = ModbusDevice(plc.url, timeout=hasty), ModbusDevice(plc.url, unit=2, timeout=hasty)
        async with opened(living) as connection:
            await read_well(*await prepared(connection, ModbusDevice(plc.url, timeout=IN_TIME)))
            plc.always(silent)
            reader, block = await prepared(connection, dead)
            for _ in range(3):
                with pytest.raises(DeviceFault) as caught:
                    await reader.read(block)
                assert not isinstance(caught.value, LinkLost)
            reader, block = await prepared(connection, living)
            with pytest.raises(LinkLost, match="no answer to 4 requests in a row"):
                await reader.read(block)
