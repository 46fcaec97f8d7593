"""What the soak test reads and breaks: a Modbus endpoint of three units, OPC UA servers of two makes, a broker."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.integration.fake_plc import Asked, FakePlc, garbage, good, silent
from tests.integration.node_servers import NodeOpcUa, node_opcua
from tests.integration.opcua_server import OpcUaServer, ServerSpec, Value, opcua_server
from tests.scenarios import small_plant
from tests.scenarios.matrix_site import MARGIN, NOTICED
from tests.scenarios.mqtt_client import MqttClient
from tests.scenarios.opcua_rows import configured, fresh, holding
from tests.scenarios.truthful_meter import Meter, listening
from tests.servers import Mosquitto, mosquitto

UNITS = ("unit-1", "unit-2", "unit-3")
SERVERS = ("asyncua", "node-opcua")
TAGS = ("reading", "second")
SILENT_UNIT = 2
IN_TIME = MARGIN * NOTICED


class SoakPlant:
    """Everything outside of the gateway; each `fault` breaks one thing, sees that noticed, and mends it."""

    def __init__(self, meter: Meter, asyncua: OpcUaServer, node: NodeOpcUa, broker: Mosquitto) -> None:
        self.client: MqttClient
        """To be set before the first fault."""
        self.said: set[float] = {0.0}
        self._meter = meter
        self._asyncua = asyncua
        self._node = node
        self._broker = broker

    @property
    def devices(self) -> dict[str, Any]:
        """Their configuration."""
        units = {
            name: small_plant.meter(self._meter.plc.url, unit=number, probe_max="1s")
            for number, name in enumerate(UNITS, start=1)
        }
        checked = {"verify": "1s", "compare": "2s"}
        urls = zip(SERVERS, (self._asyncua.url, self._node.url), strict=True)
        return units | {name: configured(url, TAGS, **checked) for name, url in urls}

    @property
    def faults(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What can be done to it."""
        return {
            "PLC refuses": self._refuse,
            "unit falls silent": self._silence,
            "PLC talks garbage": self._talk_garbage,
            "PLC half-open": self._half_open,
            "OPC UA server killed": self._kill_server,
            "OPC UA server hangs": self._hang_server,
            "OPC UA server cut off": self._cut_server,
            "session dropped": self._node.drop_sessions,
            "subscription dropped": self._node.drop_subscriptions,
            "monitored items dropped": self._node.drop_items,
            "broker restarted": self._restart_broker,
            "broker killed": self._kill_broker,
        }

    async def is_well(self) -> None:
        """Give every tag a new value, and see all of them."""
        number = float(self._meter.says_something_new())
        values = {"asyncua": fresh(), "node-opcua": fresh(), **dict.fromkeys(UNITS, number)}
        self.said |= set(values.values())
        for tag in TAGS:
            await asyncio.to_thread(self._asyncua.write, tag, Value(values["asyncua"]))
            await self._node.set(tag, values["node-opcua"])
        for device, value in values.items():
            for tag in TAGS:
                await self.client.shows(f"tag/{device}/{tag}", IN_TIME, value=value, quality="good")

    def believed_only(self) -> None:
        """Check everything that was published since the last time: each value is one that was said."""
        for seen in self.client.seen:
            if seen.topic.startswith("tag/"):
                value, quality = seen.payload["value"], seen.payload["quality"]
                assert value is None if quality == "bad" else value in self.said, f"{seen.topic} {seen.payload}"
        self.client.seen.clear()

    async def _is_lost(self, *devices: str) -> None:
        for device in devices:
            await self.client.all_bad(device, len(TAGS), IN_TIME)

    async def _refuse(self) -> None:
        await self._meter.refuse()
        await self._is_lost(*UNITS)
        await self._meter.listen()

    async def _silence(self) -> None:
        async def answer(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
            await (silent if asked.unit == SILENT_UNIT else good)(plc, asked, writer)

        self._meter.plc.always(answer)
        await self._is_lost(UNITS[SILENT_UNIT - 1])
        self._meter.recovers()

    async def _talk_garbage(self) -> None:
        self._meter.breaks(garbage)
        await self._is_lost(*UNITS)
        self._meter.recovers()

    async def _half_open(self) -> None:
        self._meter.drop_packets()
        await self._is_lost(*UNITS)
        self._meter.recovers()

    async def _kill_server(self) -> None:
        self._asyncua.kill()
        await self._is_lost("asyncua")
        await asyncio.to_thread(self._asyncua.start)

    async def _hang_server(self) -> None:
        self._asyncua.pause()
        await self._is_lost("asyncua")
        self._asyncua.resume()

    async def _cut_server(self) -> None:
        await self._node.cut()
        await self._is_lost("node-opcua")
        await self._node.mend()

    async def _restart_broker(self) -> None:
        await self._broker.stop()
        await self._broker.start()

    async def _kill_broker(self) -> None:
        await self._broker.kill()
        await self._broker.start()


@asynccontextmanager
async def soak_plant(folder: Path) -> AsyncIterator[tuple[SoakPlant, Mosquitto]]:
    meter, start = Meter("units"), dict.fromkeys(TAGS, 0.0)
    with opcua_server(ServerSpec({name: Value(value) for name, value in start.items()})) as asyncua:
        async with listening(meter), node_opcua(folder, holding(start)) as node, mosquitto(folder) as broker:
            plant = SoakPlant(meter, asyncua, node, broker)
            plant.said |= {float(each) for each in meter.said}
            yield plant, broker
