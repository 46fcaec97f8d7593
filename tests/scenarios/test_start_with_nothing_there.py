"""The gateway starts before everything that it talks to."""

from pathlib import Path

import pytest

from tests.scenarios.boiler_house import BoilerHouse
from tests.scenarios.deadlines import BACK, BROKER_BACK
from tests.scenarios.gateway_process import NO_BROKER, GatewayProcess, gateway
from tests.scenarios.mqtt_client import mqtt_client, retained
from tests.servers import Mosquitto

pytestmark = pytest.mark.real


async def test_it_waits_for_devices_and_broker_and_says_what_is_missing_until_they_come(
    plant: BoilerHouse, tmp_path: Path
) -> None:
    plant.kill()
    broker = Mosquitto(tmp_path)
    async with gateway(tmp_path, plant.configuration(broker.port)) as daemon:
        await sees_that_everything_is_missing(daemon)
        await plant.start()
        await daemon.is_missing(NO_BROKER, BACK)
        await sees_that_only_the_broker_is_missing(daemon, plant)
        await broker.start()
        try:
            async with mqtt_client(broker.port) as client:
                await client.shows("status", BROKER_BACK, state="online")
                for device, tags in plant.tags.items():
                    await client.all_good(device, len(tags), BACK)
                    await client.shows(f"device/{device}", BACK, state="connected")
            await retained(broker.port, plant.topics, BACK)
            await daemon.is_missing(set(), BACK)
            assert (await daemon.metrics()).value("plantgate_mqtt_connected") == 1
        finally:
            await broker.stop()


async def sees_that_everything_is_missing(daemon: GatewayProcess) -> None:
    assert (await daemon.get("/healthz"))[0] == 200
    await daemon.is_missing(NO_BROKER | {"device.boiler", "device.turbine"}, BACK)
    missing = await daemon.not_ready()
    assert missing["mqtt"] == "not connected to the broker"
    assert missing["device.boiler"] in {"connecting", "refused"}
    metrics = await daemon.metrics()
    assert metrics.value("plantgate_mqtt_connected") == 0
    assert metrics.value("plantgate_device_connected", device="boiler") == 0
    assert metrics.value("plantgate_device_connected", device="turbine") == 0
    assert metrics.value("plantgate_safety_constraint_state", constraint="drum_pressure", state="unknown") == 1


async def sees_that_only_the_broker_is_missing(daemon: GatewayProcess, plant: BoilerHouse) -> None:
    assert (await daemon.get("/healthz"))[0] == 200
    metrics = await daemon.metrics()
    assert metrics.value("plantgate_mqtt_connected") == 0
    for device in plant.tags:
        assert metrics.value("plantgate_device_connected", device=device) == 1

    async def is_all_good() -> bool:
        found = await daemon.metrics()
        return all(
            found.value("plantgate_tags", device=name, quality="good") == len(own) for name, own in plant.tags.items()
        )

    await daemon.until("every tag is good: a server says what it has a moment after it answered", is_all_good, BACK)
    metrics = await daemon.metrics()
    assert metrics.value("plantgate_safety_constraint_state", constraint="drum_pressure", state="ok") == 1
