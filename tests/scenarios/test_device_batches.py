"""`publish: device`: a batch a scan in place of a topic a tag."""

import asyncio
from pathlib import Path

import pytest

from tests.scenarios.boiler_house import BoilerHouse
from tests.scenarios.deadlines import BACK, SEEN
from tests.scenarios.mqtt_client import MqttClient, retained
from tests.scenarios.running import running
from tests.servers import library_path, program

pytestmark = pytest.mark.real


async def test_batches_and_births_tell_everything_and_no_tag_has_a_topic(plant: BoilerHouse, tmp_path: Path) -> None:
    async with running(plant, tmp_path, publish="device") as site:
        client = site.client
        await client.shows("status", BACK, state="online")
        for device, tags in plant.tags.items():
            await sees_batches(client, device, set(tags))
            birth = client.newest[f"device/{device}"]
            assert birth["state"] == "connected"
            assert list(birth["tags"]) == tags
            assert all(metadata["type"] for metadata in birth["tags"].values())
        kept = await retained(site.broker.port, {topic for topic in plant.topics if "tag/" not in topic}, SEEN)
        assert not [topic for topic in kept if topic.startswith(("tag/", "batch/"))]
        assert not [seen.topic for seen in client.seen if seen.topic.startswith("tag/")]
        await mosquitto_sub_shows(site.broker.port, "agent/boiler-house/batch/boiler")


async def sees_batches(client: MqttClient, device: str, tags: set[str]) -> None:
    topic = f"batch/{device}"
    await client.until(f"three of {topic}", lambda: len(client.of(topic)) >= 3, SEEN)
    newest = client.newest[topic]
    assert newest.keys() == {"time", "tags"}
    assert newest["tags"]
    assert newest["tags"].keys() <= tags
    for value in newest["tags"].values():
        assert value.keys() - {"text"} == {"value", "quality", "time"}
        assert value["quality"] == "good"


async def mosquitto_sub_shows(port: int, topic: str) -> None:
    """See one message with the client that everybody has."""
    shown = await asyncio.create_subprocess_exec(
        *(program("mosquitto_sub"), "-p", str(port), "-t", topic, "-v", "-C", "1", "-W", "10"),
        env=library_path(),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await shown.communicate()
    assert output.decode().startswith(f'{topic} {{"time":"2')
