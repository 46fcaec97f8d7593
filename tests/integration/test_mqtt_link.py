"""What the link does when the broker is away, dies, refuses, falls silent or is too slow."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.values import Seconds
from gateway.northbound.settings import MqttSettings
from tests.integration.mqtt_broker import fake_broker, strait
from tests.integration.mqtt_gateway import Gateway, until, watching
from tests.servers import Mosquitto, mosquitto, program

pytestmark = pytest.mark.real

TAG = "agent/gw/tag/boiler/"


def soon(url: str, **more: object) -> MqttSettings:
    """Settings whose pauses between attempts last one second."""
    return MqttSettings(url=url, reconnect_max=Seconds(1), **more)  # type: ignore[arg-type]


async def test_a_broker_that_is_not_there_at_the_start_gets_everything_when_it_comes(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    async with Gateway(soon(broker.url)) as gateway:
        gateway.take(1.0, 2.0, 3.0)
        gateway.take(4.0)
        await asyncio.sleep(0.1)
        assert gateway.counters.pending == 4  # the status too
        assert gateway.counters.oldest is not None
        await broker.start()
        await gateway.connected()
        async with watching(soon(broker.url)) as watcher:
            await until(lambda: watcher.state() == "online")
            assert [watcher.value(tag) for tag in ("t0", "t1", "t2")] == [4.0, 2.0, 3.0]
    await broker.stop()


async def test_everything_current_is_published_again_to_a_broker_that_was_killed(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    await broker.start()
    async with Gateway(soon(broker.url), tags=200) as gateway:
        gateway.take(*range(200))
        await gateway.connected()
        for count in range(200):  # in full flow
            gateway.take(*range(count, count + 200))
            await asyncio.sleep(0)
        await broker.kill()
        gateway.take(-1.0)
        await until(lambda: not gateway.counters.connected)
        gateway.take(-2.0)
        await broker.start()
        await gateway.connected()
        assert gateway.counters.connects == 2
        async with watching(soon(broker.url)) as watcher:
            await until(lambda: len(watcher.newest) == 201)
            assert watcher.state() == "online"
            assert watcher.value("t0") == -2.0
            assert [watcher.value(f"t{index}") for index in range(1, 200)] == list(range(200, 399))
    await broker.stop()


async def test_no_more_is_on_its_way_than_the_broker_wants() -> None:
    async with fake_broker() as broker:
        broker.answers[5] = b"\x20\x06\x00\x00\x03\x21\x00\x07"  # receive maximum 7
        broker.acknowledges = False
        async with Gateway(soon(f"mqtt://127.0.0.1:{broker.port}"), tags=100) as gateway:
            await until(lambda: len(broker.publishes) == 7)
            await asyncio.sleep(0.1)
            assert len(broker.publishes) == 7
            assert gateway.link.on_its_way == 7
            assert gateway.counters.pending == 101
            broker.drop()


async def test_batches_that_were_not_acknowledged_are_sent_again_in_order() -> None:
    async with fake_broker() as broker:
        broker.acknowledges = False
        async with Gateway(soon(f"mqtt://127.0.0.1:{broker.port}", publish="device"), tags=1) as gateway:
            await until(lambda: len(broker.publishes) == 2)
            for value in (1.0, 2.0, 3.0):
                gateway.take(value)
                await asyncio.sleep(0)
            await until(lambda: len(broker.publishes) == 5)
            broker.publishes.clear()
            broker.acknowledges = True
            broker.drop()
            await gateway.connected()
            batches = [payload for topic, payload in broker.publishes if topic == "agent/gw/batch/boiler"]
            values = [payload.split(b'"value":')[1].split(b",")[0] for payload in batches]
            assert values == [b"null", b"1.0", b"2.0", b"3.0", b"3.0"]


async def test_a_half_open_connection_is_given_up_and_renewed(tmp_path: Path) -> None:
    async with (
        mosquitto(tmp_path) as broker,
        strait(broker.port) as way,
        Gateway(soon(f"mqtt://127.0.0.1:{way.port}", keepalive=Seconds(1))) as gateway,
    ):
        gateway.take(1.0)
        await gateway.connected()
        way.freeze()
        began = asyncio.get_running_loop().time()
        await until(lambda: not gateway.counters.connected, 20.0)
        assert asyncio.get_running_loop().time() - began < 5.0
        gateway.take(2.0)
        way.thaw()
        await gateway.connected()
        async with watching(soon(broker.url)) as watcher:
            await until(lambda: watcher.value("t0") == 2.0)


async def test_a_broker_that_pings_but_acknowledges_nothing_counts_as_lost() -> None:
    async with fake_broker() as broker:
        broker.acknowledges = False
        async with Gateway(soon(f"mqtt://127.0.0.1:{broker.port}", keepalive=Seconds(1))) as gateway:
            await until(lambda: gateway.counters.connects == 2, 30.0)
            broker.acknowledges = True
            broker.drop()
            await gateway.connected()


async def test_mqtt_3_1_1_is_spoken_only_where_mqtt_5_is_refused() -> None:
    async with fake_broker() as broker:
        broker.answers[5] = b"\x20\x02\x00\x01"  # how a broker of 3.1.1 says it
        async with Gateway(soon(f"mqtt://127.0.0.1:{broker.port}")) as gateway:
            await gateway.connected()
            assert broker.versions == [5, 4]
            assert gateway.link.version == "3.1.1"
            topic, payload = broker.publishes[-1]
            assert topic == "agent/gw/status"
            assert b'"reasons":["mqtt_3.1.1"]' in payload
            broker.answers[5] = b"\x20\x03\x00\x00\x00"
            broker.drop()
            await until(lambda: gateway.counters.connects == 2 and not gateway.counters.pending)
            assert broker.versions == [5, 4, 5]
            assert b'"reasons":[]' in broker.publishes[-1][1]


async def test_reason_code_132_of_mqtt_5_leads_to_3_1_1_too() -> None:
    async with fake_broker() as broker:
        broker.answers[5] = b"\x20\x03\x00\x84\x00"
        async with Gateway(soon(f"mqtt://127.0.0.1:{broker.port}")) as gateway:
            await gateway.connected()
            assert broker.versions == [5, 4]


async def test_another_refusal_does_not_lead_to_3_1_1(caplog: pytest.LogCaptureFixture) -> None:
    async with fake_broker() as broker:
        broker.answers[5] = b"\x20\x03\x00\x88\x00"  # server unavailable
        async with Gateway(soon(f"mqtt://127.0.0.1:{broker.port}")):
            await until(lambda: len(broker.versions) == 2)
            assert broker.versions == [5, 5]
    [record] = [record for record in caplog.records if record.message == "broker_connect_failed"]
    assert "refused the connection: Server unavailable (136)" in record.__dict__["why"]


async def test_a_wrong_password_is_told_once_in_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    passwords = tmp_path / "passwords"
    passwords.touch(mode=0o600)
    command = (program("mosquitto_passwd"), "-b", str(passwords), "gateway", "right")
    await (await asyncio.create_subprocess_exec(*command)).wait()
    async with mosquitto(tmp_path, "user root", "allow_anonymous false", f"password_file {passwords}") as broker:
        async with Gateway(soon(broker.url, username="gateway", password="wrong")):
            await asyncio.sleep(1.5)  # two attempts
        async with Gateway(soon(broker.url, username="gateway", password="right")) as gateway:
            await gateway.connected()
    [record] = [record for record in caplog.records if record.message == "broker_connect_failed"]
    assert "check mqtt.username and mqtt.password" in record.__dict__["why"]
    assert "wrong" not in caplog.text


async def test_a_publish_that_the_broker_forbids_is_counted_and_told_once_a_kind(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rules = tmp_path / "acl"
    rules.write_text("topic write agent/gw/status\ntopic read agent/#\n")
    async with mosquitto(tmp_path, "user root", f"acl_file {rules}") as broker, Gateway(soon(broker.url)) as gateway:
        await gateway.connected()
        assert gateway.counters.refused == 3
        assert gateway.counters.published == 1
        gateway.take(1.0)
        await until(lambda: gateway.counters.refused == 4)
    [record] = [record for record in caplog.records if record.message == "publish_refused"]
    assert record.levelno == logging.ERROR
    assert record.__dict__["topic"] == f"{TAG}t0"
    assert "reason 135" in record.__dict__["why"]


async def test_a_message_longer_than_the_broker_takes_does_not_cost_the_connection(tmp_path: Path) -> None:
    settings = soon("mqtt://127.0.0.1", publish="device")
    async with (
        mosquitto(tmp_path, "max_packet_size 2000") as broker,
        Gateway(replace(settings, url=broker.url), tags=100) as gateway,
    ):
        await until(lambda: gateway.counters.refused == 1)
        gateway.take(1.0)
        await gateway.connected()
        assert gateway.counters.connects == 1
        assert gateway.counters.published == 2


async def test_a_stop_in_the_middle_of_connecting_is_prompt_and_leaves_nothing() -> None:
    async with fake_broker() as broker:
        broker.answers.clear()
        async with Gateway(soon(f"mqtt://127.0.0.1:{broker.port}")):
            await until(lambda: broker.versions == [5])
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 1.0


async def test_a_cancelled_publisher_leaves_the_will(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, watching(soon(broker.url)) as watcher:
        gateway = Gateway(soon(broker.url))
        task = asyncio.create_task(gateway.publisher.run())
        await gateway.connected()
        task.cancel()
        await asyncio.wait((task,))
        assert task.cancelled()
        await until(lambda: watcher.state() == "offline")


async def test_a_broker_that_closes_at_once_is_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    async with fake_broker() as broker:
        broker.answers.clear()
        async with Gateway(soon(f"mqtt://127.0.0.1:{broker.port}")) as gateway:
            await until(lambda: broker.versions == [5])
            broker.drop()
            await until(lambda: len(broker.versions) == 2)
            assert gateway.counters.connects == 0
    assert "before it answered CONNECT" in caplog.records[0].__dict__["why"]
