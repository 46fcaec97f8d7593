"""Structures of a real server's own, read by their DataTypeDefinitions."""

from collections.abc import Iterator

import pytest

from drivers.opcua.settings import OpcUaDevice, OpcUaPoint
from drivers.values import DataType, Quality
from tests.integration.opcua_link import SCAN, connected, node
from tests.integration.opcua_server import OpcUaServer, ServerSpec, opcua_server
from tests.integration.opcua_structures import CHOICE, MOTOR

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def server() -> Iterator[OpcUaServer]:
    with opcua_server(ServerSpec()) as running:
        running.do("add_structures")
        yield running


async def test_a_structure_arrives_as_a_mapping_with_all_that_is_in_it(server: OpcUaServer) -> None:
    device = OpcUaDevice(url=server.url, scan=SCAN)
    async with connected(device, node("Motor"), node("Choice")) as link:
        told = await link.subscribe()
        assert told.verdict(0) == told.verdict(1) == (Quality.GOOD, "")
        assert told.value(0) == MOTOR
        assert told.value(1) == CHOICE
        read = await link.read()
        assert (read[0].value, read[1].value) == (MOTOR, CHOICE)
        assert link.reader.data_type(0) is DataType.STRUCTURE


async def test_a_structure_that_has_to_be_one_is_one(server: OpcUaServer) -> None:
    motor = OpcUaPoint(node=node("Motor").node, type=DataType.STRUCTURE)
    number = OpcUaPoint(node="i=2258", type=DataType.STRUCTURE)
    async with connected(OpcUaDevice(url=server.url, scan=SCAN), motor, number) as link:
        told = await link.subscribe()
        assert told.value(0) == MOTOR
        assert told.verdict(1) == (Quality.BAD, "wrong_type")
