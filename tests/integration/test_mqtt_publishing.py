"""What clients of a real broker see of the gateway's values, births, verdicts and status."""

import asyncio
import json
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from drivers.values import DataType, Sample, bad
from gateway.northbound.reader import subscribed
from gateway.northbound.reports import ConstraintReport, DeviceReport
from gateway.northbound.settings import MqttSettings
from gateway.safety.verdict import SafetyLevel, Verdict
from tests.integration.mqtt_gateway import Gateway, until, watching
from tests.servers import ROOT, library_path, mosquitto, program

pytestmark = pytest.mark.real

TAG = "agent/gw/tag/boiler/"
CONNECTED = DeviceReport("boiler", "connected", 1_767_225_600.0, types={"t0": DataType.FLOAT32})


async def test_births_values_and_verdicts_are_there_before_the_status_says_online(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, watching(MqttSettings(url=broker.url)) as watcher:
        gateway = Gateway(MqttSettings(url=broker.url), tags=50)
        gateway.publisher.device(CONNECTED)
        gateway.publisher.constraint(
            ConstraintReport("max_t0", Verdict.OK, SafetyLevel.CRITICAL, 1_767_225_600.0, value=451.2, max=580.0)
        )
        async with gateway:
            gateway.take(*range(50))
            await until(lambda: watcher.state() == "online")
            topics = [topic for topic, _ in watcher.seen]
            first_online = topics.index("agent/gw/status")
            assert first_online == 52
            assert set(topics[:52]) == {
                "agent/gw/device/boiler",
                "agent/gw/constraint/max_t0",
                *(f"{TAG}t{index}" for index in range(50)),
            }


async def test_a_late_client_gets_everything_as_retained(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, Gateway(MqttSettings(url=broker.url)) as gateway:
        gateway.publisher.device(CONNECTED)
        gateway.take_samples([Sample(451.20001220703125), Sample(2**63), bad("timeout")])
        await gateway.connected()
        async with watching(MqttSettings(url=broker.url)) as late:
            await until(lambda: len(late.newest) == 5)
        assert late.newest[f"{TAG}t0"]["value"] == 451.2
        assert late.newest[f"{TAG}t1"]["value"] == 2**63
        assert late.newest[f"{TAG}t2"]["reason"] == "timeout"
        assert late.newest["agent/gw/device/boiler"]["tags"]["t0"] == {
            "unit": "degC",
            "range": None,
            "type": "float32",
            "writable": False,
            "description": "",
        }


async def test_mosquitto_sub_shows_it_all(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, Gateway(MqttSettings(url=broker.url), tags=1) as gateway:
        gateway.take(450.0)
        await gateway.connected()
        client = await asyncio.create_subprocess_exec(
            *(program("mosquitto_sub"), "-p", str(broker.port), "-t", "agent/#", "-v", "-C", "2"),
            env=library_path(),
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await client.communicate()
        shown = dict(line.split(" ", 1) for line in output.decode().splitlines())
        assert shown[f"{TAG}t0"].startswith('{"value":450.0,"quality":"good","time":"2')
        assert json.loads(shown["agent/gw/status"])["state"] == "online"


async def test_a_change_below_the_deadband_waits_until_it_adds_up(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        settings = MqttSettings(url=broker.url)
        async with watching(settings) as watcher, Gateway(settings, tags=1, deadband=1.0) as gateway:
            await gateway.connected()
            for value in (10.0, 10.4, 10.8, 11.2, 11.6):
                gateway.take(value)
                await gateway.connected()
            gateway.take_samples([bad("timeout")])
            await gateway.connected()
            gateway.take(11.6)
            await gateway.connected()
            await until(lambda: watcher.value("t0") == 11.6)
            values = [payload["value"] for payload in watcher.of(f"{TAG}t0")]
            assert values == [None, 10.0, 11.2, None, 11.6]


async def test_devices_are_published_as_batches_that_nobody_retains(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        settings = MqttSettings(url=broker.url, publish="device")
        async with watching(settings) as watcher, Gateway(settings, deadband=1.0) as gateway:
            await gateway.connected()
            gateway.take(1.0, 2.0, 3.0)
            gateway.take(1.5, 7.0, 3.0)
            gateway.take(1.6, 7.5, 3.1)
            await gateway.connected()
            await until(lambda: len(watcher.of("agent/gw/batch/boiler")) == 3)
            everything, first, second = watcher.of("agent/gw/batch/boiler")
            assert {tag: member["quality"] for tag, member in everything["tags"].items()} == dict.fromkeys(
                ("t0", "t1", "t2"), "bad"
            )
            assert {tag: member["value"] for tag, member in first["tags"].items()} == {"t0": 1.0, "t1": 2.0, "t2": 3.0}
            assert {tag: member["value"] for tag, member in second["tags"].items()} == {"t1": 7.0}
            async with watching(settings) as late:
                await until(lambda: late.state() == "online")
                assert not late.of("agent/gw/batch/boiler")


async def test_a_clean_stop_leaves_the_status_offline(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        settings = MqttSettings(url=broker.url)
        async with Gateway(settings) as gateway:
            await gateway.connected()
        assert not gateway.counters.connected
        async with subscribed(settings, ["agent/gw/status"]) as messages:
            topic, payload = await anext(messages)
        status = json.loads(payload)
        assert topic == "agent/gw/status"
        assert (status["state"], status["expires"], status["reasons"]) == ("offline", None, ["stopped"])


async def test_a_kill_leaves_the_will(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.integration.mqtt_gateway", broker.url),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"connected\n"
        async with watching(MqttSettings(url=broker.url)) as watcher:
            await until(lambda: watcher.state() == "online")
            process.kill()
            await process.communicate()
            await until(lambda: watcher.state() == "offline")
            assert watcher.newest["agent/gw/status"]["reasons"] == ["connection_lost"]


async def test_the_status_is_renewed_before_it_expires(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        settings = MqttSettings(url=broker.url, status_life=1.2)  # type: ignore[arg-type]
        async with watching(settings) as watcher, Gateway(settings):
            await until(lambda: len(watcher.of("agent/gw/status")) >= 3)
            statuses = watcher.of("agent/gw/status")
            for earlier, later in pairwise(statuses):
                assert later["time"] < earlier["expires"] < later["expires"]
