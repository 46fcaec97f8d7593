"""The embedded broker: good enough for a first try, and gone with whoever started it."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from gateway.errors import ServiceError
from gateway.northbound.embedded import EmbeddedBroker
from gateway.northbound.settings import MqttSettings
from tests.integration.mqtt_broker import read_packet
from tests.integration.mqtt_gateway import Gateway, until, watching
from tests.servers import ROOT, free_port, library_path, program

pytestmark = pytest.mark.real

STARTER = """
import asyncio, sys
from gateway.northbound.address import parse_address
from gateway.northbound.embedded import EmbeddedBroker
async def main():
    async with EmbeddedBroker(parse_address(sys.argv[1])):
        print("up", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def lives(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def test_a_gateway_speaks_3_1_1_with_it_and_clients_get_retained_values_once(
    capfd: pytest.CaptureFixture[str],
) -> None:
    settings = MqttSettings(url=f"embedded://:{free_port()}")
    async with EmbeddedBroker(settings.address), watching(settings) as watcher, Gateway(settings, tags=100) as gateway:
        gateway.take(*range(100))
        await gateway.connected()
        await until(lambda: watcher.state() == "online")  # amqtt acknowledges before it passes on
        assert gateway.link.version == "3.1.1"
        assert gateway.counters.published >= 101
        client = await asyncio.create_subprocess_exec(
            *(program("mosquitto_sub"), "-p", str(settings.address.port), "-t", "agent/#", "-v", "-W", "1"),
            env=library_path(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        output, _ = await client.communicate()
        topics = [line.split(" ")[0] for line in output.decode().splitlines()]
        assert len(topics) == len(set(topics)) == 101
    assert capfd.readouterr().err == ""


async def test_it_publishes_the_will_of_a_gateway_that_is_gone() -> None:
    settings = MqttSettings(url=f"embedded://:{free_port()}")
    async with EmbeddedBroker(settings.address), watching(settings) as watcher:
        gateway = Gateway(settings)
        task = asyncio.create_task(gateway.publisher.run())
        await gateway.connected()
        await until(lambda: watcher.state() is not None)
        task.cancel()
        await asyncio.wait((task,))
        await until(lambda: watcher.state() == "offline")


async def test_a_change_reaches_a_client_within_milliseconds() -> None:
    settings = MqttSettings(url=f"embedded://:{free_port()}")
    async with EmbeddedBroker(settings.address), watching(settings) as watcher, Gateway(settings) as gateway:
        await gateway.connected()
        loop = asyncio.get_running_loop()
        delays = []
        for value in range(20):
            began = loop.time()
            gateway.take(float(value))
            await until(lambda value=value: watcher.value("t0") == value)  # type: ignore[misc]
            delays.append(loop.time() - began)
        assert sorted(delays)[10] < 0.03  # delayed acknowledgements would make it 40 ms and more


async def test_it_does_not_wait_for_ever_for_what_is_no_mqtt() -> None:
    settings = MqttSettings(url=f"embedded://:{free_port()}")
    async with EmbeddedBroker(settings.address):
        reader, writer = await asyncio.open_connection("127.0.0.1", settings.address.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", settings.address.port)
        writer.write(b"\x10\x0d\x00\x04MQTT\x05\x02\x00\x0a\x00\x00\x00")
        assert await read_packet(reader) == (0x20, b"\x00\x01")
        writer.close()


async def test_a_taken_port_is_one_clear_line() -> None:
    settings = MqttSettings(url=f"embedded://:{free_port()}")
    async with EmbeddedBroker(settings.address):
        with pytest.raises(ServiceError, match=r"cannot listen at 127\.0\.0\.1:\d+: Address already in use; free"):
            await EmbeddedBroker(settings.address).__aenter__()


async def test_it_ends_when_its_starter_is_killed() -> None:
    port = free_port()
    starter = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", STARTER, f"embedded://:{port}"), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert starter.stdout is not None
    assert await starter.stdout.readline() == b"up\n"
    [child] = children_of(starter.pid)
    os.kill(child, signal.SIGINT)  # Ctrl-C goes to all; the broker has to outlive the gateway's goodbye
    await asyncio.sleep(0.1)
    assert lives(child)
    starter.kill()
    await starter.communicate()
    await until(lambda: not lives(child))


async def test_the_last_words_of_a_gateway_are_passed_on_before_the_broker_ends() -> None:
    settings = MqttSettings(url=f"embedded://:{free_port()}")
    async with EmbeddedBroker(settings.address):
        client = await asyncio.create_subprocess_exec(
            *(
                program("mosquitto_sub"),
                "-p",
                str(settings.address.port),
                "-t",
                "agent/+/status",
                "-C",
                "2",
                "-W",
                "20",
            ),
            env=library_path(),
            stdout=asyncio.subprocess.PIPE,
        )
        assert client.stdout is not None
        async with Gateway(settings) as gateway:
            await gateway.connected()
            assert b'"online"' in await client.stdout.readline()
    assert b'"offline"' in await client.stdout.readline()
    await client.wait()
