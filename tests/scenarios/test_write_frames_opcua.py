"""Commands to a real OPC UA server that notes each write that comes: one frame or none, and only reading believes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.integration.opcua_server import OpcUaServer, ServerSpec, Value, opcua_server
from tests.scenarios.commander import Commander, commander
from tests.scenarios.deadlines import BACK, SCAN
from tests.scenarios.gateway_process import gateway
from tests.scenarios.mqtt_client import mqtt_client
from tests.scenarios.written_plant import GATEWAY, configuration
from tests.servers import mosquitto

pytestmark = pytest.mark.real

GOOD_CLAMPED, BAD_DENIED = 0x00300000, 0x801F0000
NODES = {"Speed": Value(3000.0), "Setpoint": Value(450.0, "Float"), "Locked": Value(1.0)}
FAST = {"name": "fast", "kind": "threshold", "tag": "turbine.setpoint", "max": 500, "level": "high"}


class Site(NamedTuple):
    """A turbine and who commands it."""

    server: OpcUaServer
    commander: Commander

    async def written(self) -> list[Any]:
        """Return the name and the value of each write that came."""
        return [(name, value) for name, value, _, _ in await asyncio.to_thread(self.server.do, "written")]

    async def answers(self, status: int, *, done: bool) -> None:
        await asyncio.to_thread(self.server.do, "answer_writes", status=status, done=done)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Site]:
    spec = ServerSpec(nodes=NODES, writable=("Setpoint",))
    with opcua_server(spec) as server:
        tags = {
            "speed": {"node": "nsu=urn:boiler-house;s=Speed"},
            "setpoint": {"node": "nsu=urn:boiler-house;s=Setpoint", "range": [100, 560], "writable": True},
            "locked": {"node": "nsu=urn:boiler-house;s=Locked", "writable": True},
        }
        device = {"driver": "opcua", "url": server.url, "scan": f"{SCAN}s", "max_age": "10s", "tags": tags}
        async with (
            mosquitto(folder) as broker,
            gateway(folder, configuration(broker.url, {"turbine": device}, [FAST])) as daemon,
            mqtt_client(broker.port, GATEWAY) as client,
            commander(broker.port, GATEWAY) as giver,
        ):
            await daemon.is_missing(set(), BACK)
            await client.all_good("turbine", len(tags), BACK)
            yield Site(server, giver)


async def test_a_command_to_an_opc_ua_server_is_one_write_or_none_and_is_believed_when_it_is_read(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as site:
        give = site.commander
        for value, code in ((510, "violation"), (561, "out_of_range"), (True, "bad_value")):
            assert (await give.write("turbine.setpoint", value))["code"] == code
        assert (await give.write("turbine.speed", 1))["code"] == "not_writable"
        assert await site.written() == []
        applied = await give.write("turbine.setpoint", 460.5)
        assert (applied["outcome"], applied["results"]["turbine.setpoint"]["read_back"]) == ("applied", 460.5)
        assert await site.written() == [("Setpoint", 460.5)]
        denied = await give.write("turbine.locked", 2.0)
        assert (denied["outcome"], denied["code"]) == ("failed", "device_error")
        assert len(await site.written()) == 2
        await site.answers(GOOD_CLAMPED, done=False)
        clamped = await give.write("turbine.setpoint", 480)
        assert (clamped["outcome"], clamped["code"]) == ("mismatch", "readback_mismatch")
        assert clamped["results"]["turbine.setpoint"]["read_back"] == 460.5
        await site.answers(GOOD_CLAMPED, done=True)
        assert (await give.write("turbine.setpoint", 481))["outcome"] == "applied"
        await site.answers(BAD_DENIED, done=False)
        assert (await give.write("turbine.setpoint", 482))["outcome"] == "failed"
        assert [value for _, value in await site.written()] == [460.5, 2.0, 480, 481, 482]
