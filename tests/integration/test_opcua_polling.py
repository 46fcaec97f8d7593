"""Points that are asked for at every scan, by choice, against a real server."""

from collections.abc import Iterator

import pytest

from drivers.errors import DeviceFault
from drivers.opcua.settings import OpcUaDevice, OpcUaPoint
from drivers.values import Quality, Sample
from tests.integration.opcua_link import SCAN, connected, node
from tests.integration.opcua_server import OpcUaServer, ServerSpec, Value, opcua_server

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def server() -> Iterator[OpcUaServer]:
    with opcua_server(ServerSpec(nodes={"Speed": Value(3000.0), "Load": Value(50.0)})) as running:
        running.do("add_many", count=10)
        yield running


async def test_points_are_polled_and_subscribed_side_by_side(server: OpcUaServer) -> None:
    polled = OpcUaPoint(node("Speed").node, mode="poll")
    async with connected(OpcUaDevice(url=server.url, scan=SCAN), polled, node("Load")) as link:
        assert [block.points for block in link.plan.polled] == [(0,)]
        assert [block.points for block in link.plan.subscribed] == [(1,)]
        assert (await link.subscribe()).value(1) == 50.0
        (block,) = link.plan.polled
        assert [(point, sample.value) for point, sample in await link.reader.read(block)] == [(0, 3000.0)]


async def test_only_what_changed_is_returned_and_a_new_time_stamp_is_no_change(server: OpcUaServer) -> None:
    unknown, strange = node("Missing"), OpcUaPoint(node="nsu=urn:elsewhere;s=Level")
    device = OpcUaDevice(url=server.url, scan=SCAN, mode="poll")
    async with connected(device, node("Speed"), node("Load"), unknown, strange) as link:
        (block,) = link.plan.polled
        first = dict(await link.reader.read(block))
        assert [first[0].value, first[1].value] == [3000.0, 50.0]
        assert first[2] == Sample(None, Quality.BAD, "node_unknown")
        assert first[3] == Sample(None, Quality.BAD, "namespace_unknown")
        server.write("Load", Value(50.0))
        assert await link.reader.read(block) == []
        server.write("Load", Value(51.0))
        assert [(point, sample.value) for point, sample in await link.reader.read(block)] == [(1, 51.0)]
        server.write("Load", Value(50.0))
        await link.reader.read(block)


async def test_polled_points_are_asked_for_in_portions_that_the_device_takes(server: OpcUaServer) -> None:
    device = OpcUaDevice(url=server.url, scan=SCAN, mode="poll", limits={"read": 4})
    async with connected(device, *(node(f"N{number}") for number in range(10))) as link:
        assert [len(block.points) for block in link.plan.polled] == [4, 4, 2]
        server.do("calls")
        for block in link.plan.polled:
            await link.reader.read(block)
        assert [size for name, size in server.do("calls") if name == "read"] == [4, 4, 2]


async def test_a_server_that_hangs_fails_a_poll(server: OpcUaServer) -> None:
    with opcua_server(ServerSpec(nodes={"Speed": Value(1.0)})) as hanging:
        device = OpcUaDevice(url=hanging.url, scan=SCAN, mode="poll", timeout=1)  # type: ignore[arg-type]  # a number does
        async with connected(device, node("Speed")) as link:
            hanging.pause()
            with pytest.raises(DeviceFault):
                await link.reader.read(link.plan.polled[0])
