"""The broker goes away, alone or with everything else. Mosquitto keeps nothing on disk here: all retained is lost."""

from pathlib import Path

import pytest

from tests.scenarios.boiler_house import BoilerHouse
from tests.scenarios.deadlines import BROKER_BACK, LOST, SCAN, SLACK
from tests.scenarios.gateway_process import NO_BROKER
from tests.scenarios.mqtt_client import retained
from tests.scenarios.running import Site, running

pytestmark = pytest.mark.real


async def test_after_a_broker_that_was_killed_everything_current_is_retained_again(
    plant: BoilerHouse, tmp_path: Path
) -> None:
    async with running(plant, tmp_path) as site:
        await site.broker.kill()
        await site.daemon.is_missing(NO_BROKER, LOST)
        await scans_on(site)
        await site.broker.start()
        await site.is_all_good()
        kept = await retained(site.broker.port, plant.topics, BROKER_BACK)
        assert kept.keys() == plant.topics
        assert kept["status"]["state"] == "online"
        assert {kept[topic]["quality"] for topic in kept if topic.startswith("tag/")} == {"good"}
        verdicts = {topic: kept[topic]["verdict"] for topic in kept if topic.startswith("constraint/")}
        # An hourly mean is good after 45 minutes, and nobody waits for that here.
        assert verdicts.pop("constraint/nox_hourly") == "unknown"
        assert verdicts == dict.fromkeys(verdicts, "ok")
        assert {kept[topic]["state"] for topic in kept if topic.startswith("device/")} == {"connected"}
        assert site.daemon.log.count("broker_connected") == 2
        await site.daemon.is_missing(set(), BROKER_BACK)


async def test_broker_and_devices_killed_at_once_come_back_in_any_order(plant: BoilerHouse, tmp_path: Path) -> None:
    async with running(plant, tmp_path) as site:
        plant.kill()
        await site.broker.kill()
        await site.daemon.is_missing(NO_BROKER | {"device.boiler", "device.turbine"}, LOST)
        assert (await site.daemon.get("/healthz"))[0] == 200
        await plant.turbine.start()
        await site.daemon.is_missing(NO_BROKER | {"device.boiler"}, BROKER_BACK)
        await site.broker.start()
        await site.client.all_good("turbine", len(plant.tags["turbine"]), BROKER_BACK)
        await site.client.all_bad("boiler", len(plant.tags["boiler"]), BROKER_BACK)
        await site.client.shows("status", BROKER_BACK, state="degraded")
        await plant.boiler.start()
        await site.is_all_good()
        await retained(site.broker.port, plant.topics, BROKER_BACK)


async def scans_on(site: Site) -> None:
    """Wait until the plant was read some more, with no broker to tell it to."""
    before = await updates(site)
    await site.daemon.until(f"more than {before} updates", lambda: has_more(site, before), SLACK * SCAN)
    assert (await site.daemon.get("/healthz"))[0] == 200


async def has_more(site: Site, before: float) -> bool:
    return await updates(site) > before + 10


async def updates(site: Site) -> float:
    metrics = await site.daemon.metrics()
    return sum(metrics.value("plantgate_tag_updates_total", device=device) for device in site.plant.tags)
