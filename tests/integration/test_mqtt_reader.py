"""Reading from a real broker, as the commands do."""

import asyncio
import os
from pathlib import Path

import pytest

from gateway.northbound.reader import LinkDown, subscribed
from gateway.northbound.settings import MqttSettings
from tests.integration.mqtt_gateway import Gateway
from tests.servers import Mosquitto, free_port, library_path, mosquitto, program

pytestmark = pytest.mark.real


async def publish(broker: Mosquitto, topic: str, payload: str) -> None:
    command = (program("mosquitto_pub"), "-p", str(broker.port), "-t", topic, "-m", payload)
    assert await (await asyncio.create_subprocess_exec(*command, env=library_path())).wait() == os.EX_OK


async def test_it_gets_what_the_patterns_match_retained_messages_first(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        settings = MqttSettings(url=broker.url)
        async with Gateway(settings, tags=1) as gateway:
            await gateway.connected()
            async with subscribed(settings, ["agent/+/status", "other/#"]) as messages:
                assert (await anext(messages)).topic == "agent/gw/status"
                await publish(broker, "elsewhere", "no")
                await publish(broker, "other/deep/topic", "yes")
                assert await anext(messages) == ("other/deep/topic", b"yes")


async def test_a_broker_that_ends_ends_the_messages_with_the_reason(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    await broker.start()
    async with subscribed(MqttSettings(url=broker.url), ["#"]) as messages:
        await broker.kill()
        with pytest.raises(LinkDown, match=f"{broker.url}: "):
            await anext(messages)


async def test_no_broker_is_one_clear_line() -> None:
    port = free_port()
    with pytest.raises(LinkDown) as raised:
        async with subscribed(MqttSettings(url=f"mqtt://127.0.0.1:{port}"), ["#"]):
            pass
    assert str(raised.value) == f"mqtt://127.0.0.1:{port}: connection refused; is the broker running?"


async def test_a_host_that_cannot_be_one_is_one_clear_line() -> None:
    with pytest.raises(LinkDown, match="mqtt://"):
        async with subscribed(MqttSettings(url=f"mqtt://{'a' * 70}.example"), ["#"]):
            pass
