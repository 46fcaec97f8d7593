"""The OPC UA driver against a real server: what it brings of values, and what it says of those it cannot bring."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest

from drivers.opcua.settings import OpcUaDevice, OpcUaPoint
from drivers.values import DataType, Quality, Sample, Seconds
from tests.integration.opcua_link import SCAN, connected, node
from tests.integration.opcua_server import OpcUaServer, ServerSpec, Value, opcua_server

pytestmark = pytest.mark.real

NEW_YEAR = datetime(2026, 1, 1, 12, 30, 15, tzinfo=UTC)

VALUES = {
    "Running": (Value(value=True, type="Boolean"), True, DataType.BOOL),
    "Byte": (Value(255, "Byte"), 255, DataType.UINT8),
    "SByte": (Value(-128, "SByte"), -128, DataType.INT8),
    "Guid": (Value(UUID(int=1), "Guid"), "00000000-0000-0000-0000-000000000001", DataType.STRING),
    "Count": (Value(2**64 - 1, "UInt64"), 2**64 - 1, DataType.UINT64),
    "Offset": (Value(-(2**63), "Int64"), -(2**63), DataType.INT64),
    "Level": (Value(0.5, "Float"), 0.5, DataType.FLOAT32),
    "Name": (Value("Kessel Süd", "String"), "Kessel Süd", DataType.STRING),
    "Raw": (Value(b"\x00\xff", "ByteString"), b"\x00\xff", DataType.BYTES),
    "Since": (Value(NEW_YEAR, "DateTime"), NEW_YEAR, DataType.DATETIME),
    "Curve": (Value([1.0, 2.5], "Double"), (1.0, 2.5), DataType.FLOAT64),
    "Empty": (Value([], "Int32"), (), DataType.INT32),
}


@pytest.fixture(scope="module")
def server() -> Iterator[OpcUaServer]:
    with opcua_server(ServerSpec(nodes={name: value for name, (value, _, _) in VALUES.items()})) as running:
        yield running


def device(server: OpcUaServer, **keys: object) -> OpcUaDevice:
    return OpcUaDevice(url=server.url, **{"scan": SCAN, **keys})  # type: ignore[arg-type]  # keys of any type


async def test_a_change_at_the_server_arrives(server: OpcUaServer) -> None:
    server.do("add", name="Speed", value=Value(3000.0))
    async with connected(device(server), node("Speed")) as link:
        told = await link.subscribe()
        assert told.value(0) == 3000.0
        server.write("Speed", Value(3001.5, source_time=1_800_000_000.25))
        await told.until(lambda: told.value(0) == 3001.5)
        assert told.samples[0] == Sample(3001.5, Quality.GOOD, "", 1_800_000_000.25)


async def test_keep_alives_say_that_nothing_changed(server: OpcUaServer) -> None:
    async with connected(device(server), node("Level")) as link:
        told = await link.subscribe()
        before = told.answers
        async with asyncio.timeout(5):
            await told.until(lambda: told.answers >= before + 5)
        assert told.history == [(0, told.samples[0])]


async def test_every_type_arrives_exactly_subscribed_or_read(server: OpcUaServer) -> None:
    async with connected(device(server), *(node(name) for name in VALUES)) as link:
        told = await link.subscribe()
        read = await link.read()
        for point, (_, value, data_type) in enumerate(VALUES.values()):
            assert told.value(point) == read[point].value == value
            assert type(told.value(point)) is type(value)
            assert told.verdict(point) == (Quality.GOOD, "")
            assert link.reader.data_type(point) is data_type


async def test_a_structure_is_bad_and_costs_its_neighbours_nothing(server: OpcUaServer) -> None:
    async with connected(device(server), OpcUaPoint(node="i=2256"), node("Level")) as link:
        told = await link.subscribe()
        assert told.verdict(0) == (Quality.BAD, "unsupported_type")
        assert told.value(1) == 0.5
        assert (await link.read())[0].reason == "unsupported_type"
        assert link.reader.data_type(0) is DataType.STRUCTURE


async def test_an_enumeration_is_a_number_as_its_supertype_says(server: OpcUaServer) -> None:
    async with connected(device(server), OpcUaPoint(node="i=2259")) as link:
        assert (await link.subscribe()).value(0) == 0
        assert link.reader.data_type(0) is DataType.INT32


async def test_status_codes_become_qualities_with_reasons(server: OpcUaServer) -> None:
    server.do("add", name="Doubtful", value=Value(1.0))
    async with connected(device(server), node("Doubtful")) as link:
        told = await link.subscribe()
        server.write("Doubtful", Value(2.0, status=0x40900000))
        await told.until(lambda: told.value(0) == 2.0)
        assert told.verdict(0) == (Quality.UNCERTAIN, "last_usable_value")
        server.write("Doubtful", Value(3.0, status=0x80050000))
        await told.until(lambda: told.verdict(0) == (Quality.BAD, "communication_error"))
        assert told.value(0) is None
        server.write("Doubtful", Value(4.0))
        await told.until(lambda: told.value(0) == 4.0)
        assert told.verdict(0) == (Quality.GOOD, "")


async def test_a_clock_that_was_never_set_is_told_as_it_is(server: OpcUaServer) -> None:
    never = -11_644_473_600.0  # 1601
    server.do("add", name="Undated", value=Value(1.0, source_time=never))
    async with connected(device(server), node("Undated")) as link:
        told = await link.subscribe()
        assert told.samples[0] == Sample(1.0, Quality.GOOD, "", never)


async def test_source_times_can_be_ignored(server: OpcUaServer) -> None:
    async with connected(device(server, source_time="ignore"), node("Level")) as link:
        told = await link.subscribe()
        assert told.samples[0] == Sample(0.5)
        assert (await link.read())[0] == Sample(0.5)


async def test_what_the_server_does_not_know_is_bad_and_the_rest_lives(server: OpcUaServer) -> None:
    strange = OpcUaPoint(node="nsu=urn:elsewhere;s=Level")
    async with connected(device(server), node("Missing"), strange, node("Level")) as link:
        told = await link.subscribe()
        read = await link.read()
        for samples in (told.samples, read):
            assert samples[0] == Sample(None, Quality.BAD, "node_unknown")
            assert samples[1] == Sample(None, Quality.BAD, "namespace_unknown")
            assert samples[2].value == 0.5


async def test_a_removed_node_turns_bad_when_the_server_says_that_something_changed(server: OpcUaServer) -> None:
    server.do("add", name="Doomed", value=Value(1.0))
    async with connected(device(server), node("Doomed"), node("Level")) as link:
        told = await link.subscribe()
        server.do("remove", name="Doomed")
        server.do("say_that_something_changed", status=0x80340000)
        await told.until(lambda: told.verdict(0) == (Quality.BAD, "node_unknown"))
        assert told.value(1) == 0.5


async def test_after_a_message_that_got_lost_everything_is_read_again(server: OpcUaServer) -> None:
    server.do("add", name="Steady", value=Value(1.0))
    server.do("add", name="Moving", value=Value(1.0))
    async with connected(device(server), node("Steady"), node("Moving")) as link:
        told = await link.subscribe()
        told.samples.clear()
        server.do("skip_a_message")
        server.write("Moving", Value(2.0))
        await told.until(lambda: set(told.samples) == {0, 1})
        assert told.value(1) == 2.0


async def test_an_item_that_is_not_monitored_stays_bad_even_if_it_can_be_read() -> None:
    spec = ServerSpec({"Steady": Value(1.0), "Alone": Value(2.0)}, not_monitored=("Alone",))
    with opcua_server(spec) as server:
        async with connected(device(server), node("Steady"), node("Alone")) as link:
            told = await link.subscribe()
            assert told.verdict(1) == (Quality.BAD, "too_many_monitored_items")
            assert (await link.read())[1].value == 2.0
            told.samples.clear()
            server.do("skip_a_message")
            server.write("Steady", Value(3.0))
            await told.until(lambda: set(told.samples) == {0, 1})
            assert told.value(0) == 3.0
            assert told.verdict(1) == (Quality.BAD, "too_many_monitored_items")


async def test_a_value_of_another_type_than_declared_is_bad(server: OpcUaServer) -> None:
    server.do("add", name="Fickle", value=Value(7, "Int16"))
    server.do("declare", name="Fickle", data_type=11)
    async with connected(device(server), node("Fickle")) as link:
        told = await link.subscribe()
        assert link.reader.data_type(0) is DataType.FLOAT64
        assert told.verdict(0) == (Quality.BAD, "wrong_type")


async def test_a_value_of_another_type_than_configured_is_bad(server: OpcUaServer) -> None:
    wrong = OpcUaPoint(node="nsu=urn:boiler-house;s=Level", type=DataType.BOOL)
    right = OpcUaPoint(node="nsu=urn:boiler-house;s=Level", type=DataType.FLOAT64)
    async with connected(device(server), wrong, right) as link:
        told = await link.subscribe()
        assert told.verdict(0) == (Quality.BAD, "wrong_type")
        assert told.value(1) == 0.5
        assert [link.reader.data_type(0), link.reader.data_type(1)] == [DataType.BOOL, DataType.FLOAT64]


async def test_points_of_one_interval_share_one_subscription(server: OpcUaServer) -> None:
    name = "nsu=urn:boiler-house;s=Level"
    points = [
        OpcUaPoint(node=name),
        OpcUaPoint(node=name, interval=Seconds(0.05)),
        OpcUaPoint(node=name, interval=Seconds(60)),
        OpcUaPoint(node=name, sampling=Seconds(5)),
    ]
    async with connected(device(server), *points) as link:
        assert {block.label: block.points for block in link.plan.subscribed} == {
            "publishing every 0.1 s": (0, 2, 3),
            "publishing every 0.05 s": (1,),
        }
        await link.subscribe()
        assert server.do("counts") == (1, 2)


async def test_a_slow_scan_is_still_published_every_two_seconds(server: OpcUaServer) -> None:
    async with connected(device(server, scan=Seconds(60)), node("Level")) as link:
        assert [block.label for block in link.plan.subscribed] == ["publishing every 2 s"]
        assert (await link.subscribe()).period == 2.0


async def test_a_burst_of_changes_arrives_complete() -> None:
    count = 600
    with opcua_server(ServerSpec()) as server:
        server.do("add_many", count=count)
        points = [node(f"N{number}") for number in range(count)]
        async with connected(device(server), *points) as link:
            told = await link.subscribe()
            assert [told.value(point) for point in range(count)] == [float(point) for point in range(count)]
            server.do("write_many", count=count, start=0.5)
            await told.until(lambda: all(told.value(point) == point + 0.5 for point in range(count)), seconds=20)


async def test_calls_keep_to_the_limits_that_the_server_announces() -> None:
    with opcua_server(ServerSpec(announced_limit=4, enforced_limit=4)) as server:
        server.do("add_many", count=10)
        async with connected(device(server), *(node(f"N{number}") for number in range(10))) as link:
            told = await link.subscribe()
            assert [sample.value for sample in (await link.read()).values()] == [float(number) for number in range(10)]
            assert told.value(9) == 9.0
            calls = server.do("calls")
            assert [size for name, size in calls if name == "create_monitored_items"] == [4, 4, 2]
            assert [size for name, size in calls if name == "read"][-3:] == [4, 4, 2]


async def test_limits_that_are_not_announced_are_found_out() -> None:
    with opcua_server(ServerSpec(enforced_limit=3)) as server:
        server.do("add_many", count=10)
        async with connected(device(server), *(node(f"N{number}") for number in range(10))) as link:
            told = await link.subscribe()
            assert told.value(9) == 9.0
            server.do("calls")
            assert (await link.read())[9].value == 9.0
            assert [size for name, size in server.do("calls") if name == "read"] == [2, 2, 2, 2, 2]


async def test_a_namespace_that_moved_while_the_server_was_away_is_found_again() -> None:
    with opcua_server(ServerSpec(nodes={"Speed": Value(3000.0)})) as server:
        for first in ((), ("urn:one", "urn:two")):
            server.kill()
            server.spec.namespaces_first = first
            server.start()
            async with connected(device(server), node("Speed")) as link:
                assert (await link.subscribe()).verdict(0) == (Quality.GOOD, "")
                server.write("Speed", Value(3001.0))
                await link.told.until(lambda: link.told.value(0) == 3001.0)
