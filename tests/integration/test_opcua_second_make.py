"""The OPC UA driver against a server of another make, node-opcua: what asyncua's server cannot show."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from drivers.base import Care, Surroundings
from drivers.opcua import retries
from drivers.opcua.settings import OpcUaDevice
from drivers.values import DataType, Quality, Seconds
from tests.integration.node_servers import NodeOpcUa, NodeOpcUaSpec
from tests.integration.opcua_link import SCAN, connected, node

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(60)]

LONG = 30.0
"""Seconds that are far more than anything here takes."""
NODES: dict[str, dict[str, Any]] = {
    "Speed": {"type": "Double", "value": 3000.0},
    "Load": {"type": "Double", "value": 50.0},
    "Limits": {"type": "Range", "value": {"low": -1.5, "high": 40.0}},
    "Several": {"type": "Range", "value": [{"low": 0, "high": 1}, {"low": 2, "high": 3}]},
    "Small": {"type": "SByte", "value": -128},
    "Wide": {"type": "UInt64", "value": str(2**64 - 1)},
    "Curve": {"type": "Float", "value": [1.5, 2.5]},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[NodeOpcUa]:
    running = NodeOpcUa(tmp_path_factory.mktemp("node-opcua"), NodeOpcUaSpec(nodes=NODES))
    try:
        await running.start()
        yield running
    finally:
        running.kill()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST", 0.5)


def device(server: NodeOpcUa, **keys: Any) -> OpcUaDevice:
    return OpcUaDevice(url=server.url, **{"scan": SCAN, "compare": Seconds(1), "verify": Seconds(0.5), **keys})


async def test_items_that_were_dropped_are_missed_and_monitored_again(server: NodeOpcUa) -> None:
    counted: list[str] = []
    async with connected(
        device(server), node("Speed"), node("Load"), around=Surroundings(count=counted.append)
    ) as link:
        told = await link.subscribe()
        await server.drop_items()
        await told.until(lambda: counted.count("item_lost") == 2, LONG)
        await told.until(lambda: {sample.quality for sample in told.samples.values()} == {Quality.GOOD}, LONG)
        await server.set("Speed", 3001.0)
        await told.until(lambda: told.value(0) == 3001.0, LONG)


async def test_a_node_that_is_deleted_is_bad_until_it_returns(server: NodeOpcUa) -> None:
    await server.do("add", name="Doomed", type="Double", value=1.0)
    async with connected(device(server), node("Doomed"), node("Load")) as link:
        told = await link.subscribe()
        await server.remove("Doomed")
        await told.until(lambda: told.samples[0].quality is Quality.BAD, LONG)
        assert told.samples[0].reason in {"node_unknown", "node_invalid"}
        await server.do("add", name="Doomed", type="Double", value=7.0)
        await told.until(lambda: told.value(0) == 7.0, LONG)
        assert told.verdict(1) == (Quality.GOOD, "")


async def test_structures_of_the_standard_are_read_by_their_definitions(server: NodeOpcUa) -> None:
    async with connected(device(server), node("Limits"), node("Several")) as link:
        told = await link.subscribe()
        assert told.value(0) == {"Low": -1.5, "High": 40.0}
        assert told.value(1) == ({"Low": 0.0, "High": 1.0}, {"Low": 2.0, "High": 3.0})
        assert link.reader.data_type(0) is DataType.STRUCTURE


async def test_numbers_of_every_width_arrive_exactly(server: NodeOpcUa) -> None:
    async with connected(device(server), node("Small"), node("Wide"), node("Curve")) as link:
        told = await link.subscribe()
        assert [told.value(point) for point in range(3)] == [-128, 2**64 - 1, (1.5, 2.5)]
        assert [link.reader.data_type(point) for point in range(3)] == [
            DataType.INT8, DataType.UINT64, DataType.FLOAT32,
        ]  # fmt: skip


async def test_a_slow_drift_adds_up_to_a_report(server: NodeOpcUa) -> None:
    counted: list[str] = []
    around = Surroundings(cares=(Care(deadband=10.0),), count=counted.append)
    await server.set("Speed", 3000.0)
    async with connected(device(server), node("Speed"), around=around) as link:
        told = await link.subscribe()
        for step in range(1, 6):
            await server.set("Speed", 3000.0 + 5 * step)
        await told.until(lambda: told.value(0) in {3015.0, 3020.0, 3025.0}, LONG)
        assert counted == []


async def test_values_are_verified_without_suspicion(server: NodeOpcUa) -> None:
    counted: list[str] = []
    cares = (Care(judged=True), Care(judged=True))
    async with connected(
        device(server), node("Speed"), node("Load"), around=Surroundings(cares=cares, count=counted.append)
    ) as link:
        told = await link.subscribe()
        for step in range(30):
            await server.set("Speed", float(step))
            await told.until(lambda step=step: told.value(0) == float(step), LONG)  # type: ignore[misc]  # a default
        assert counted == []
        assert {sample.quality for _, sample in told.history} == {Quality.GOOD}
