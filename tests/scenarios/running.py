"""A whole site: plant, broker and gateway, everything up and every tag good, and a client that watches."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.integration.fake_plc import FakePlc, fake_plc
from tests.scenarios.boiler_house import BoilerHouse
from tests.scenarios.deadlines import BACK, START
from tests.scenarios.gateway_process import GatewayProcess, gateway
from tests.scenarios.mqtt_client import MqttClient, mqtt_client
from tests.scenarios.small_plant import GATEWAY, configuration, meter
from tests.servers import Mosquitto, mosquitto


class Site(NamedTuple):
    """What a test can watch and break."""

    plant: BoilerHouse
    broker: Mosquitto
    daemon: GatewayProcess
    client: MqttClient

    async def is_all_good(self) -> None:
        """Wait until the client sees every device connected, every tag good and the gateway online."""
        for device, tags in self.plant.tags.items():
            await self.client.all_good(device, len(tags), BACK)
            await self.client.shows(f"device/{device}", BACK, state="connected")
        await self.client.shows("status", BACK, state="online")


@asynccontextmanager
async def running(plant: BoilerHouse, folder: Path, **mqtt_keys: Any) -> AsyncIterator[Site]:
    """Run the boiler house; at the end the gateway has to stop well and in time."""
    async with (
        mosquitto(folder) as broker,
        gateway(folder, plant.configuration(broker.port, **mqtt_keys)) as daemon,
        mqtt_client(broker.port) as client,
    ):
        await plant.start()
        await daemon.is_missing(set(), START)
        site = Site(plant, broker, daemon, client)
        if mqtt_keys.get("publish") != "device":
            await site.is_all_good()
        yield site


class SmallSite(NamedTuple):
    """The same with one meter."""

    plc: FakePlc
    broker: Mosquitto
    daemon: GatewayProcess
    client: MqttClient


@asynccontextmanager
async def running_small(folder: Path) -> AsyncIterator[SmallSite]:
    """Run one meter, called `meter`; at the end the gateway has to stop well and in time."""
    async with (
        mosquitto(folder) as broker,
        fake_plc() as plc,
        gateway(folder, configuration(broker.url, {"meter": meter(plc.url)})) as daemon,
        mqtt_client(broker.port, GATEWAY) as client,
    ):
        await client.shows("status", BACK, state="online")
        yield SmallSite(plc, broker, daemon, client)
