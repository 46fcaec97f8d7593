"""What the OPC UA rows of the fault matrix share: how their devices are configured, and what a row sees."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from typing import Any

from tests.integration.node_servers import NodeOpcUa, NodeOpcUaSpec, node_opcua
from tests.integration.opcua_server import OpcUaServer, ServerSpec, Value, opcua_server
from tests.scenarios.deadlines import DEVICE_PAUSE, MAX_AGE, SCAN
from tests.scenarios.matrix_site import MARGIN, NOTICED, MatrixSite, Stopwatch

Server = OpcUaServer | NodeOpcUa

LIE = -1.0
"""What no node of ours ever holds."""

_fresh = count(1000)


def fresh() -> float:
    """Return a number that no server had before."""
    return float(next(_fresh))


def configured(url: str, tags: Iterable[str], **keys: Any) -> dict[str, Any]:
    """Return a device; its timeouts are those that it has where nothing is said."""
    return {
        "driver": "opcua",
        "url": url,
        "scan": f"{SCAN}s",
        "max_age": f"{MAX_AGE}s",
        "reconnect_max": f"{DEVICE_PAUSE}s",
        "tags": {name: {"node": f"nsu=urn:boiler-house;s={name}"} for name in tags},
        **keys,
    }


async def started(
    stack: AsyncExitStack,
    folder: Path,
    of_asyncua: Mapping[str, ServerSpec],
    of_second_make: Mapping[str, NodeOpcUaSpec],
) -> dict[str, Server]:
    """Start servers, by the name of their device, all at once: each make takes seconds to begin with."""
    servers: dict[str, Server] = {}

    def start_asyncua() -> None:
        for name, spec in of_asyncua.items():
            servers[name] = stack.enter_context(opcua_server(spec))

    async def start_second_make(name: str, spec: NodeOpcUaSpec) -> None:
        servers[name] = await stack.enter_async_context(node_opcua(folder, spec))

    async with asyncio.TaskGroup() as starting:
        starting.create_task(asyncio.to_thread(start_asyncua))
        for name, spec in of_second_make.items():
            starting.create_task(start_second_make(name, spec))
    return servers


def holding(values: Mapping[str, float]) -> NodeOpcUaSpec:
    """Describe a server of the second make with these nodes."""
    return NodeOpcUaSpec({name: {"type": "Double", "value": value} for name, value in values.items()})


class Row:
    """One server and the device that reads it; the tags are called like the nodes, and hold numbers."""

    def __init__(self, site: MatrixSite, device: str, server: Server, said: dict[str, float]) -> None:
        """Said: what each node holds now."""
        self.site = site
        self.device = device
        self.server = server
        self.holds = dict(said)
        self.said = set(said.values())
        self.watch = Stopwatch(device)

    async def begins(self) -> None:
        await self.site.client.all_good(self.device, len(self.holds), MARGIN * NOTICED)
        self.watch.restart()

    async def changes(self, name: str) -> float:
        """Give a node a number that no node had before."""
        self.holds[name] = value = fresh()
        self.said.add(value)
        if isinstance(self.server, NodeOpcUa):
            await self.server.set(name, value)
        else:
            await asyncio.to_thread(self.server.write, name, Value(value))
        return value

    async def is_lost(self, within: float = MARGIN * NOTICED) -> None:
        """See every tag bad, and the device gone in the metrics."""
        await self.site.client.all_bad(self.device, len(self.holds), within)
        self.watch.lap("bad")
        await self.site.shows_loss(self.device, len(self.holds))

    async def is_back(self, within: float = MARGIN * NOTICED) -> None:
        """See every node's value of now, and that nothing else was ever published."""
        self.watch.restart()
        for name, value in self.holds.items():
            await self.site.client.shows(f"tag/{self.device}/{name}", within, value=value, quality="good")
        self.watch.lap("good")
        self.site.believed_only(self.device, self.said)
        metrics = await self.site.daemon.metrics()
        assert metrics.value("plantgate_device_connected", device=self.device) == 1
        assert metrics.value("plantgate_tags", device=self.device, quality="good") == len(self.holds)

    async def was_connected_anew(self) -> None:
        metrics = await self.site.daemon.metrics()
        assert metrics.value("plantgate_device_reconnects_total", device=self.device) >= 1
        assert metrics.total("plantgate_device_errors_total", device=self.device) >= 1
