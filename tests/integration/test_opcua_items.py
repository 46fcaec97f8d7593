"""No monitored item is lost in silence: what the server forgets, refuses or mutes is BAD, and asked for again alone."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager

import pytest

from drivers.base import Care, Surroundings
from drivers.errors import DeviceFault
from drivers.opcua import retries
from drivers.opcua.settings import OpcUaDevice, OpcUaPoint
from drivers.values import Quality, Seconds
from tests.integration.opcua_link import SCAN, Link, connected, node
from tests.integration.opcua_server import OpcUaServer, ServerSpec, Value, opcua_server

pytestmark = pytest.mark.real

JUDGED = Care(judged=True)
NODES = {"Speed": Value(3000.0), "Load": Value(50.0), "Level": Value(0.5)}
LONG = 30.0
"""Seconds that are far more than anything here takes."""


@pytest.fixture
def server() -> Iterator[OpcUaServer]:
    with opcua_server(ServerSpec(nodes=NODES)) as running:
        yield running


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST", 0.5)
    monkeypatch.setattr("drivers.opcua.subscription.SLACK", 0.3)
    monkeypatch.setattr("drivers.opcua.upkeep.SUSPECTS_EVERY", 0.5)


class Counted(Counter[str]):
    """Events by their kind."""

    def add(self, kind: str) -> None:
        self[kind] += 1


def link(
    server: OpcUaServer,
    *points: OpcUaPoint,
    cares: tuple[Care, ...] = (),
    counted: Counted | None = None,
    compare: float = 1.0,
    verify: float = 0.5,
) -> AbstractAsyncContextManager[Link]:
    device = OpcUaDevice(url=server.url, scan=SCAN, compare=Seconds(compare), verify=Seconds(verify))
    around = Surroundings(cares=cares, count=(counted if counted is not None else Counted()).add)
    return connected(device, *points, around=around)


def created(server: OpcUaServer) -> list[int]:
    return [size for name, size in server.do("calls") if name == "create_monitored_items"]


async def test_an_item_that_the_server_forgot_is_missed_and_asked_for_again_alone(server: OpcUaServer) -> None:
    counted = Counted()
    async with link(server, node("Speed"), node("Load"), counted=counted) as opened:
        told = await opened.subscribe()
        created(server)
        server.do("lose_items", name="Speed")
        await told.until(lambda: (0, (Quality.BAD, "item_lost")) in verdicts(told.history), LONG)
        await told.until(lambda: told.verdict(0) == (Quality.GOOD, ""), LONG)
        server.write("Speed", Value(3001.0))
        await told.until(lambda: told.value(0) == 3001.0, LONG)
        assert created(server) == [1]
        assert counted["item_lost"] == 1
        assert [sample.quality for point, sample in told.history if point == 1] == [Quality.GOOD]


async def test_the_items_are_compared_right_after_connecting(server: OpcUaServer) -> None:
    async with link(server, node("Speed"), node("Load"), compare=3600) as opened:
        told = await opened.subscribe()
        before = told.answers
        await told.until(lambda: told.answers > before + 3, LONG)
        assert [size for name, size in server.do("calls") if name == "set_monitoring_mode"] == [2]


@pytest.mark.parametrize("cares", [(JUDGED, Care()), (Care(), JUDGED)])
async def test_an_item_that_fell_silent_is_found_out_by_reading(server: OpcUaServer, cares: tuple[Care, ...]) -> None:
    async with link(server, node("Speed"), node("Load"), cares=cares) as opened:
        told = await opened.subscribe()
        server.do("mute", name="Speed")
        server.write("Speed", Value(2000.0))
        await told.until(lambda: told.verdict(0) == (Quality.BAD, "subscription_lost"), LONG)
        await told.until(lambda: told.verdict(0) == (Quality.GOOD, ""), LONG)
        assert told.value(0) == 2000.0
        server.write("Speed", Value(1000.0))
        await told.until(lambda: told.value(0) == 1000.0, LONG)
        assert {sample.quality for point, sample in told.history if point == 1} == {Quality.GOOD}


async def test_a_muted_item_whose_value_stays_within_the_deadband_is_believed(server: OpcUaServer) -> None:
    cares = (Care(judged=True, deadband=5.0), JUDGED)
    async with link(server, node("Speed"), node("Load"), cares=cares) as opened:
        told = await opened.subscribe()
        server.do("mute", name="Speed")
        server.do("mute", name="Load")
        server.write("Speed", Value(3004.0))
        server.write("Load", Value(51.0))
        await told.until(lambda: told.verdict(1) == (Quality.BAD, "subscription_lost"), LONG)
        assert told.verdict(0) == (Quality.GOOD, "")


async def test_values_that_change_all_the_time_are_not_suspected(server: OpcUaServer) -> None:
    counted = Counted()
    async with link(server, node("Speed"), cares=(JUDGED,), counted=counted) as opened:
        told = await opened.subscribe()
        for step in range(60):
            server.write("Speed", Value(float(step)))
            await asyncio.sleep(0.05)
        await told.until(lambda: told.value(0) == 59.0, LONG)
        assert {sample.quality for _, sample in told.history} == {Quality.GOOD}
        assert counted["subscription_lost"] == 0


async def test_a_node_that_is_deleted_is_missed_and_good_again_when_it_returns(server: OpcUaServer) -> None:
    async with link(server, node("Speed"), node("Load")) as opened:
        told = await opened.subscribe()
        server.do("remove", name="Speed")
        await told.until(lambda: told.verdict(0) == (Quality.BAD, "node_unknown"), LONG)
        server.do("add", name="Speed", value=Value(7.0))
        await told.until(lambda: told.verdict(0) == (Quality.GOOD, ""), LONG)
        assert told.value(0) == 7.0
        assert server.do("counts") == (1, 1)


async def test_a_node_that_comes_only_later_is_good_without_a_new_connection(server: OpcUaServer) -> None:
    async with link(server, node("Late"), node("Load")) as opened:
        told = await opened.subscribe()
        assert told.verdict(0) == (Quality.BAD, "node_unknown")
        created(server)
        server.do("add", name="Late", value=Value(7.0))
        await told.until(lambda: told.value(0) == 7.0, LONG)
        assert set(created(server)) == {1}
        assert [sample.value for point, sample in told.history if point == 1] == [50.0]


async def test_a_refusal_is_told_once_however_often_it_is_repeated(server: OpcUaServer) -> None:
    async with link(server, node("Late"), node("Load")) as opened:
        told = await opened.subscribe()
        created(server)
        async with asyncio.timeout(LONG):
            tries = 0
            while tries < 2:
                tries += len(created(server))
                await asyncio.sleep(0.05)
        assert [point for point, _ in told.history].count(0) == 1


async def test_judged_values_that_cannot_be_read_are_believed_no_longer(server: OpcUaServer) -> None:
    counted = Counted()
    async with link(server, node("Speed"), node("Load"), cares=(JUDGED, Care()), counted=counted) as opened:
        told = await opened.subscribe()
        server.do("fail_reads", status=0x80110000)
        await told.until(lambda: told.verdict(0) == (Quality.BAD, "unverified"), LONG)
        assert told.verdict(1) == (Quality.GOOD, "")
        server.do("fail_reads", status=0)
        await told.until(lambda: told.verdict(0) == (Quality.GOOD, ""), LONG)
        assert told.value(0) == 3000.0
        assert sum(count for kind, count in counted.items() if kind.startswith("verify_")) >= 3


async def test_without_verification_nothing_may_be_judged(server: OpcUaServer) -> None:
    with pytest.raises(DeviceFault, match=r"verify: 0 leaves .* unproved .* set 5s"):
        async with link(server, node("Speed"), cares=(JUDGED,), verify=0):
            pass
    async with link(server, node("Speed"), verify=0) as opened:
        assert (await opened.subscribe()).value(0) == 3000.0


async def test_namespaces_that_change_end_the_link(server: OpcUaServer) -> None:
    async with link(server, node("Speed")) as opened:
        await opened.subscribe()
        server.do("register", uri="urn:new")
        assert "namespaces have changed" in await opened.lost(LONG)


async def test_the_server_keeps_small_changes_back_only_where_nothing_is_judged(server: OpcUaServer) -> None:
    cares = (Care(deadband=10.0), Care(judged=True, deadband=10.0))
    async with link(server, node("Speed"), node("Speed"), cares=cares) as opened:
        told = await opened.subscribe()
        server.write("Speed", Value(3005.0))
        await told.until(lambda: told.value(1) == 3005.0, LONG)
        assert told.value(0) == 3000.0
        server.write("Speed", Value(3050.0))
        await told.until(lambda: told.value(0) == told.value(1) == 3050.0, LONG)


async def test_a_server_that_refuses_deadbands_is_asked_again_without() -> None:
    with opcua_server(ServerSpec(nodes=NODES, refuses_filters=True)) as server:
        async with link(server, node("Speed"), node("Load"), cares=(Care(deadband=10.0), Care())) as opened:
            told = await opened.subscribe()
            assert told.verdict(0) == (Quality.GOOD, "")
            server.write("Speed", Value(3001.0))
            await told.until(lambda: told.value(0) == 3001.0, LONG)
            assert created(server) == [2, 1]


async def test_a_slow_drift_that_the_server_keeps_back_is_found_out(server: OpcUaServer) -> None:
    # This server measures the deadband from the last sample, not from the last report.
    async with link(server, node("Speed"), cares=(Care(deadband=10.0),)) as opened:
        told = await opened.subscribe()
        for step in range(1, 6):
            server.write("Speed", Value(3000.0 + 5 * step))
        await told.until(lambda: told.value(0) == 3025.0, LONG)
        assert (0, (Quality.BAD, "subscription_lost")) in verdicts(told.history)


@pytest.mark.parametrize(("sampling", "quality"), [(None, Quality.GOOD), (0.01, Quality.UNCERTAIN)])
async def test_an_overflow_is_doubted_only_where_every_value_was_asked_for(
    server: OpcUaServer, sampling: float | None, quality: Quality
) -> None:
    counted = Counted()
    point = OpcUaPoint(node("Speed").node, sampling=None if sampling is None else Seconds(sampling))
    async with link(server, point, cares=(JUDGED,), counted=counted) as opened:
        told = await opened.subscribe()
        server.write("Speed", Value(3001.0, status=0x480))
        await told.until(lambda: told.value(0) == 3001.0, LONG)
        assert told.samples[0].quality is quality
        assert counted["overflow"] == 1


@pytest.mark.parametrize("other", [Value(7, "Int16"), Value([1.0, 2.0], "Double"), Value("7", "String")])
async def test_a_type_that_changes_while_subscribed_is_bad(server: OpcUaServer, other: Value) -> None:
    async with link(server, node("Speed")) as opened:
        told = await opened.subscribe()
        server.do("force", name="Speed", value=other)
        await told.until(lambda: told.verdict(0) == (Quality.BAD, "wrong_type"), LONG)
        server.do("force", name="Speed", value=Value(7.0))
        await told.until(lambda: told.value(0) == 7.0, LONG)


async def test_limits_that_were_found_out_are_noted_and_heeded_from_then_on() -> None:
    with opcua_server(ServerSpec(enforced_limit=3)) as server:
        server.do("add_many", count=10)
        around = Surroundings()
        points = [node(f"N{number}") for number in range(10)]
        async with connected(OpcUaDevice(url=server.url, scan=SCAN), *points, around=around) as opened:
            await opened.subscribe()
        assert around.learned == {"limits": {"read": 2, "create": 2}}
        server.do("calls")
        async with connected(OpcUaDevice(url=server.url, scan=SCAN), *points, around=around) as opened:
            await opened.subscribe()
            calls = server.do("calls")
        # The first Read is that of the limits themselves.
        assert max(size for name, size in calls if name != "read") == 2
        assert sorted({size for name, size in calls if name == "read"}) == [2, 3]


def verdicts(history: list) -> list[tuple[int, tuple[Quality, str]]]:  # type: ignore[type-arg]  # of changes
    return [(point, (sample.quality, sample.reason)) for point, sample in history]
