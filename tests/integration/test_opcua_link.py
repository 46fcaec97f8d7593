"""The OPC UA driver and servers that go away, hang, fall silent or talk nonsense: what it notices, and how soon."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from drivers.base import Plan
from drivers.errors import DeviceFault, LinkLost
from drivers.opcua import DRIVER
from drivers.opcua.settings import OpcUaDevice
from drivers.values import Seconds
from tests.integration.opcua_link import SCAN, Link, connected, node
from tests.integration.opcua_server import OpcUaServer, ServerSpec, Value, opcua_server
from tests.servers import free_port

pytestmark = pytest.mark.real

NODES = {"Speed": Value(3000.0), "Load": Value(50.0)}

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="module")
def server() -> Iterator[OpcUaServer]:
    with opcua_server(ServerSpec(nodes=NODES)) as running:
        yield running


def device(server: OpcUaServer, timeout: float = 4) -> OpcUaDevice:
    return OpcUaDevice(url=server.url, scan=SCAN, timeout=Seconds(timeout))


async def test_a_server_that_dies_is_missed_at_once_and_found_again() -> None:
    with opcua_server(ServerSpec(nodes=NODES)) as server:
        async with connected(device(server), node("Speed")) as link:
            await link.subscribe()
            server.kill()
            assert "connection" in await link.lost(within=10)
        server.start()
        async with connected(device(server), node("Speed")) as link:
            told = await link.subscribe()
            assert told.value(0) == 3000.0


@pytest.mark.parametrize(("patience", "within"), [(0.5, 2.0), (2, 3.5)])
async def test_a_server_that_hangs_is_given_up_after_half_the_timeout(patience: float, within: float) -> None:
    with opcua_server(ServerSpec(nodes=NODES)) as server:
        async with connected(device(server, timeout=2 * patience), node("Speed")) as link:
            await link.subscribe()
            server.pause()
            stopped = time.monotonic()
            assert "hangs" in await link.lost(within=within)
            assert time.monotonic() - stopped >= patience - 2 * SCAN
            closing = time.monotonic()
        assert time.monotonic() - closing < 0.9


async def test_a_hung_server_is_missed_without_any_subscription() -> None:
    with opcua_server(ServerSpec(nodes=NODES)) as server:
        async with connected(device(server, timeout=1), node("Speed")) as link:
            server.pause()
            assert "hangs" in await link.lost(within=10)


async def test_a_read_at_a_hung_server_ends_with_the_link() -> None:
    with opcua_server(ServerSpec(nodes=NODES)) as server:
        async with connected(device(server, timeout=1), node("Speed")) as link:
            server.pause()
            with pytest.raises(DeviceFault, match="Read") as caught:
                await link.read()
            assert caught.value.kind in {"timeout", "connection_lost"}


async def test_a_slow_server_is_not_called_dead() -> None:
    with opcua_server(ServerSpec(nodes=NODES)) as server:
        async with connected(device(server), node("Speed")) as link:
            told = await link.subscribe()
            server.pause()
            await asyncio.sleep(1.2)
            server.resume()
            before = told.answers
            await told.until(lambda: told.answers >= before + 3)


async def test_a_gateway_that_was_held_up_does_not_blame_the_server(server: OpcUaServer) -> None:
    async with connected(device(server, timeout=1), node("Speed")) as link:
        told = await link.subscribe()
        time.sleep(2.5)  # noqa: ASYNC251  (the whole process is held up)
        before = told.answers
        await told.until(lambda: told.answers >= before + 5)


async def test_a_subscription_that_falls_silent_ends_the_link() -> None:
    with opcua_server(ServerSpec(nodes=NODES)) as server:
        async with connected(device(server), node("Speed")) as link:
            await link.subscribe()
            server.do("stop_publishing")
            assert "nothing is published" in await link.lost(within=10)


async def test_a_subscription_that_the_server_dropped_ends_the_link() -> None:
    with opcua_server(ServerSpec(nodes=NODES)) as server:
        async with connected(device(server), node("Speed")) as link:
            await link.subscribe()
            server.do("drop_subscriptions")
            assert await link.lost(within=10)


async def test_a_status_change_that_ends_the_subscription_ends_the_link() -> None:
    with opcua_server(ServerSpec(nodes=NODES)) as server:
        async with connected(device(server), node("Speed")) as link:
            await link.subscribe()
            server.do("say_that_something_changed", status=0x800A0000)
            assert "timeout" in await link.lost(within=10)


async def test_the_servers_clock_stands_in_for_keep_alives_that_come_too_rarely() -> None:
    with opcua_server(ServerSpec(nodes=NODES, keep_alive_count=1000)) as server:
        async with connected(device(server), node("Speed")) as link:
            told = await link.subscribe()
            assert told.period == 1.0
            before = told.answers
            await told.until(lambda: told.answers >= before + 2)
            assert [point for point, _ in told.history] == [0]
            server.do("stop_publishing")
            assert "nothing is published" in await link.lost(within=10)


@pytest.mark.parametrize("requests", [1, 2])
async def test_a_server_that_keeps_few_publish_requests_is_heard_all_the_same(requests: int) -> None:
    with opcua_server(ServerSpec(nodes=NODES, publish_requests=requests)) as server:
        async with connected(device(server), node("Speed")) as link:
            told = await link.subscribe()
            for number in range(1, 4):
                server.write("Speed", Value(float(number)))
                await told.until(lambda number=number: told.value(0) == number)  # type: ignore[misc]  # of one lap
            before = told.answers
            await told.until(lambda: told.answers >= before + 3)


async def test_closing_leaves_nothing_at_the_server() -> None:
    with opcua_server(ServerSpec(nodes=NODES)) as server:
        async with connected(device(server), node("Speed")) as link:
            await link.subscribe()
            assert server.do("counts") == (1, 1)
        assert server.do("counts") == (0, 0)


@pytest.mark.parametrize("how", ["drop_subscriptions", "stop_publishing"])
async def test_after_a_lost_subscription_no_session_is_left_at_a_server_that_lives(how: str) -> None:
    with opcua_server(ServerSpec(nodes=NODES)) as server:
        async with connected(device(server), node("Speed")) as link:
            await link.subscribe()
            server.do(how)
            await link.lost(within=10)
            assert server.do("counts")[0] == 1
        assert server.do("counts") == (0, 0)


async def test_a_connection_can_be_closed_twice_and_without_being_open(server: OpcUaServer) -> None:
    connection = DRIVER.connect(device(server))
    await connection.close()
    connection = DRIVER.connect(device(server))
    await connection.open()
    await connection.close()
    await connection.close()
    assert await connection.lost()


async def test_two_devices_share_one_connection(server: OpcUaServer) -> None:
    async with connected(device(server), node("Speed")) as first:
        reader = first.connection.reader(device(server), [node("Load")])
        second = Link(first.connection, reader, await reader.prepare())
        assert (await first.subscribe()).value(0) == 3000.0
        assert (await second.subscribe()).value(0) == 50.0
        assert server.do("counts")[0] == 1


async def test_what_a_server_refuses_in_part_it_has_not_to_keep_and_can_be_asked_for_again() -> None:
    with opcua_server(ServerSpec(nodes=NODES, subscriptions=1)) as server:
        async with connected(device(server), node("Speed")) as first:
            for _ in range(3):
                two = [node("Load"), replace(node("Speed"), interval=Seconds(0.05))]
                second = Link(first.connection, reader := first.connection.reader(device(server), two), Plan([]))
                await reader.prepare()
                with pytest.raises(DeviceFault, match="BadTooManySubscriptions"):
                    await reader.subscribe(second.told)
                assert server.do("counts") == (1, 0)
            told = await first.subscribe()
            before, foreign = told.answers, second.told.answers
            await told.until(lambda: told.answers >= before + 3)
            assert second.told.answers == foreign
            tasks = [task.get_name() for task in asyncio.all_tasks()]
            assert len([name for name in tasks if name.startswith("opcua upkeep")]) == 2


async def test_the_library_keeps_quiet(server: OpcUaServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with connected(device(server), node("Missing")) as link:
        await link.subscribe()
    assert [record for record in caplog.records if record.name.startswith("asyncua")] == []


@asynccontextmanager
async def listening(talk: Talk) -> AsyncIterator[OpcUaDevice]:
    """Something that is no OPC UA server listens at a port of loopback."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    try:
        yield OpcUaDevice(url=f"opc.tcp://127.0.0.1:{port}", timeout=Seconds(1))
    finally:
        listener.close()
        await asyncio.sleep(0)


async def refusal(device: OpcUaDevice) -> LinkLost:
    connection = DRIVER.connect(device)
    try:
        with pytest.raises(LinkLost) as caught:
            await connection.open()
    finally:
        await connection.close()
    assert "\n" not in str(caught.value)
    assert device.address in str(caught.value)
    return caught.value


async def test_nobody_at_the_port_is_named() -> None:
    fault = await refusal(OpcUaDevice(url=f"opc.tcp://127.0.0.1:{free_port()}"))
    assert fault.kind == "refused"
    assert "is the server running?" in str(fault)


async def test_an_unknown_host_is_named() -> None:
    fault = await refusal(OpcUaDevice(url="opc.tcp://no-such-host.invalid"))
    assert fault.kind == "unknown_host"


async def test_a_listener_that_never_answers_costs_the_timeout_and_no_more() -> None:
    async def be_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(be_silent) as device:
        started = time.monotonic()
        fault = await refusal(device)
        assert fault.kind == "timeout"
        assert 0.9 <= time.monotonic() - started <= 3


async def test_a_listener_of_another_protocol_is_refused() -> None:
    async def talk_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        await writer.drain()

    async with listening(talk_http) as device:
        fault = await refusal(device)
        assert fault.kind in {"connection_lost", "bad_reply"}


async def test_a_chunk_without_end_is_cut_off_and_not_stored() -> None:
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.read(100)
        writer.write(b"ACKF" + (0xFFFF_FFF0).to_bytes(4, "little"))
        while True:
            writer.write(bytes(65536))
            sent += 65536
            await writer.drain()

    async with listening(flood) as device:
        fault = await refusal(device)
        assert fault.kind == "connection_lost"
    assert sent < 32 << 20
