"""The OPC UA rows of the fault matrix that are about connections, O1 to O4: what is lost is known, and comes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import NamedTuple

import pytest
import pytest_asyncio

from tests.integration.node_servers import NodeOpcUa
from tests.integration.opcua_server import OpcUaServer, ServerSpec, Value
from tests.scenarios.deadlines import MAX_AGE, SEEN
from tests.scenarios.matrix_site import MARGIN, NOTICED, matrix_site
from tests.scenarios.opcua_rows import Row, configured, fresh, holding, started
from tests.scenarios.tcp_proxy import TcpProxy, tcp_proxy

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]

NAMES = ("reading", "second")
OF_ASYNCUA = ("restart", "hung", "held", "half-open", "silent", "dropped")
SECOND_MAKE = "second-make"
PROXIED = ("held", "half-open")
CHECKED = {"verify": "1s", "compare": "2s"}
"""Keys of a device whose subscription is held against what is read."""


class Rows(NamedTuple):
    """A row for each server, by the name of the device."""

    rows: dict[str, Row]
    proxies: dict[str, TcpProxy]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rows(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rows]:
    folder = tmp_path_factory.mktemp("opcua-rows")
    held = {device: {name: fresh() for name in NAMES} for device in (*OF_ASYNCUA, SECOND_MAKE)}
    async with AsyncExitStack() as stack:
        specs = {each: ServerSpec({name: Value(value) for name, value in held[each].items()}) for each in OF_ASYNCUA}
        servers = await started(stack, folder, specs, {SECOND_MAKE: holding(held[SECOND_MAKE])})
        proxies = {name: await stack.enter_async_context(tcp_proxy(servers[name].port)) for name in PROXIED}
        urls = {name: f"opc.tcp://127.0.0.1:{proxies.get(name, server).port}/" for name, server in servers.items()}
        devices = {name: configured(url, NAMES) for name, url in urls.items()}
        devices[SECOND_MAKE] |= CHECKED
        site = await stack.enter_async_context(matrix_site(folder, devices))
        yield Rows({name: Row(site, name, servers[name], held[name]) for name in servers}, proxies)


async def restarts_with_other_values(row: Row, server: OpcUaServer) -> None:
    server.kill()
    await row.is_lost(SEEN)
    for name in row.holds:
        row.holds[name] = value = fresh()
        row.said.add(value)
        server.spec.nodes[name] = Value(value)
    await asyncio.to_thread(server.start)


async def test_o1_after_a_restart_nothing_is_believed_that_was_not_told_since(rows: Rows) -> None:
    row = rows.rows["restart"]
    assert isinstance(row.server, OpcUaServer)
    await row.begins()
    await restarts_with_other_values(row, row.server)
    await row.is_back()
    for name in row.holds:  # every item is monitored again
        await row.changes(name)
    await row.is_back()
    await row.was_connected_anew()


async def test_o1_a_server_of_a_second_make_restarts(rows: Rows) -> None:
    row = rows.rows[SECOND_MAKE]
    assert isinstance(row.server, NodeOpcUa)
    await row.begins()
    row.server.kill()
    await row.is_lost(SEEN)
    values = {name: fresh() for name in row.holds}
    row.holds.update(values)
    row.said.update(values.values())
    row.server.becomes(nodes={name: {"type": "Double", "value": value} for name, value in values.items()})
    await row.server.start()
    await row.is_back()
    await row.changes("second")
    await row.is_back()
    await row.was_connected_anew()


async def test_o2_a_server_that_hangs_is_given_up_and_found_again(rows: Rows) -> None:
    row = rows.rows["hung"]
    assert isinstance(row.server, OpcUaServer)
    await row.begins()
    row.server.pause()
    await row.is_lost()
    row.server.resume()
    await row.changes("reading")
    await row.is_back()
    await row.was_connected_anew()


async def test_o3_a_line_that_is_slow_is_not_called_dead(rows: Rows) -> None:
    row, proxy = rows.rows["held"], rows.proxies["held"]
    await row.begins()
    since, connections = row.site.client.seen[-1].at, proxy.connections
    proxy.delay = 0.3
    for _ in range(3):
        await row.changes("reading")
        await row.is_back()
    proxy.delay = 0.0
    of_it = [seen for seen in row.site.client.seen if seen.topic.startswith("tag/held/") and seen.at > since]
    assert {seen.payload["quality"] for seen in of_it} == {"good"}
    assert proxy.connections == connections


@pytest.mark.parametrize("how", PROXIED)
async def test_o3_after_a_silence_the_session_is_made_anew_and_nothing_is_taken_for_granted(
    rows: Rows, how: str
) -> None:
    row, proxy = rows.rows[how], rows.proxies[how]
    await row.begins()
    if how == "held":
        proxy.hold()
    else:
        proxy.drop_packets()
    await row.is_lost()
    await row.changes("reading")  # unseen
    proxy.flow()
    await row.is_back()
    await row.changes("second")
    await row.is_back()
    assert proxy.connections >= 2
    await row.was_connected_anew()


async def test_o3_a_session_that_timed_out_at_the_server_is_made_anew(rows: Rows) -> None:
    row = rows.rows[SECOND_MAKE]
    assert isinstance(row.server, NodeOpcUa)
    await row.begins()
    since = row.site.client.seen[-1].at
    await row.server.drop_sessions()
    await was_bad(row, since)
    await row.changes("reading")
    await row.is_back()
    assert await row.server.counts() == {"sessions": 1, "subscriptions": 1}


async def test_o4_a_subscription_that_falls_silent_is_missed_in_time(rows: Rows) -> None:
    row = rows.rows["silent"]
    assert isinstance(row.server, OpcUaServer)
    await row.begins()
    since = row.site.client.seen[-1].at
    row.server.do("stop_publishing")
    await row.changes("reading")  # nobody tells of it
    await was_bad(row, since)
    await row.is_back()
    await row.was_connected_anew()


@pytest.mark.parametrize("device", ["dropped", SECOND_MAKE])
async def test_o4_a_subscription_that_the_server_dropped_is_made_anew(rows: Rows, device: str) -> None:
    row = rows.rows[device]
    await row.begins()
    since = row.site.client.seen[-1].at
    if isinstance(row.server, NodeOpcUa):
        await row.server.drop_subscriptions()
    else:
        row.server.do("drop_subscriptions")
    await was_bad(row, since)
    await row.changes("reading")
    await row.is_back()
    await row.was_connected_anew()


async def test_o4_monitored_items_that_are_lost_behind_a_living_subscription_are_found_out(rows: Rows) -> None:
    row = rows.rows[SECOND_MAKE]
    assert isinstance(row.server, NodeOpcUa)
    await row.begins()
    await row.server.drop_items()
    assert (await row.server.counts())["subscriptions"] == 1
    for name in row.holds:
        await row.changes(name)
    await row.is_back()
    for name in row.holds:
        await row.changes(name)
    await row.is_back()


async def was_bad(row: Row, since: float) -> None:
    """See that every tag was told to be bad, if only for the moment that connecting anew takes."""

    def true() -> bool:
        client, topics = row.site.client, [f"tag/{row.device}/{name}" for name in row.holds]
        return all(any(seen.payload["quality"] == "bad" for seen in client.of(each, since)) for each in topics)

    assert MARGIN * NOTICED > MAX_AGE  # what is merely too old would come too late
    await row.site.client.until(f"{row.device} bad", true, MARGIN * NOTICED)
    row.watch.lap("bad")
