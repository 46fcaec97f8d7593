"""What a changed value costs on its way to the broker, beside the bare paho client on asyncio's hooks.

`python -m benchmarks.publish_per_tag [ROUNDS]` starts a Mosquitto and publishes 1,000 changed tags a round, QoS 1
and retained, from both in turn. It prints CPU per value, their ratio, and how long a change takes to a subscriber.
Paho gets its payloads ready-made; the publisher starts from samples: deadband, newest value, JSON, counters.
"""

import asyncio
import random
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from drivers.values import Sample, Seconds
from gateway.clock import SystemClock
from gateway.counters import MqttCounters
from gateway.northbound.link import Link
from gateway.northbound.publisher import Publisher
from gateway.northbound.settings import MqttSettings
from gateway.northbound.window import MOST_MESSAGES
from gateway.tags.image import Batch
from gateway.tags.tag import Tag, TagSettings
from tests.servers import Mosquitto, mosquitto

TAGS = 1000
TARGET = 1.1
LATENCY_SCANS = 300
LATENCY_TARGET = 0.010


class Bare:
    """Paho, driven from asyncio's readers and writers; publishes are pipelined, none is awaited."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._most = MOST_MESSAGES
        self._on_its_way = 0
        self._changed = asyncio.Event()
        self._connected = asyncio.Event()
        self._client = client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5, reconnect_on_failure=False)
        client.max_inflight_messages = 0  # the window is kept here, as in the gateway
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        client.on_socket_open = self._on_open
        client.on_socket_close = self._on_close
        client.on_socket_register_write = self._on_register_write
        client.on_socket_unregister_write = self._on_unregister_write

    async def connect(self) -> None:
        self._client.connect("127.0.0.1", self._port)
        sock: Any = self._client.socket()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await self._connected.wait()

    async def publish(self, messages: list[tuple[str, bytes]]) -> None:
        for topic, payload in messages:
            while self._on_its_way >= self._most:
                await self._acknowledgement()
            self._on_its_way += 1
            self._client.publish(topic, payload, 1, retain=True)
        while self._on_its_way:
            await self._acknowledgement()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_write()

    async def _acknowledgement(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _on_open(self, client: Client, _data: object, sock: Any) -> None:  # noqa: ANN401  (paho's)
        self._loop.add_reader(sock, client.loop_read)

    def _on_close(self, _client: Client, _data: object, sock: Any) -> None:  # noqa: ANN401  (paho's)
        self._loop.remove_reader(sock)

    def _on_register_write(self, client: Client, _data: object, sock: Any) -> None:  # noqa: ANN401  (paho's)
        self._loop.add_writer(sock, client.loop_write)

    def _on_unregister_write(self, _client: Client, _data: object, sock: Any) -> None:  # noqa: ANN401  (paho's)
        self._loop.remove_writer(sock)

    def _on_connect(self, _client: Client, _data: object, _flags: object, _reason: object, properties: object) -> None:
        self._most = min(self._most, getattr(properties, "ReceiveMaximum", 65_535))
        self._connected.set()

    def _on_publish(self, *_: object) -> None:
        self._on_its_way -= 1
        self._changed.set()


class Gateway:
    """The publisher and its link, fed with batches as the process image feeds them."""

    def __init__(self, broker: Mosquitto) -> None:
        self._settings = MqttSettings(url=broker.url)
        clock, counters = SystemClock(), MqttCounters()
        metadata = TagSettings(unit="degC", deadband=0.2)
        self.tags = [Tag(index, "boiler", f"t{index}", metadata, Seconds(2)) for index in range(TAGS)]
        self._link = Link(self._settings, "bench", clock, random.Random(1), counters)
        self._publisher = Publisher(self._settings, "bench", self.tags, self._link, clock, counters)
        self._task = asyncio.create_task(self._publisher.run())
        self._counters = counters

    async def publish(self, samples: list[Sample]) -> None:
        self.take(samples)
        await asyncio.sleep(0)
        while self._counters.pending:
            await self._link.settled.wait()
            await asyncio.sleep(0)

    def take(self, samples: list[Sample]) -> None:
        self._publisher.batch(Batch("boiler", time.time(), list(zip(self.tags, samples, strict=False))))

    async def connected(self) -> None:
        while not self._counters.connected or self._counters.pending:  # noqa: ASYNC110  (counters are no events)
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        await self._publisher.stop()
        await self._task


async def cpu_of(work: Awaitable[None]) -> float:
    """Return the CPU time of this process, in us a value."""
    began = time.process_time()
    await work
    return (time.process_time() - began) / TAGS * 1e6


async def compare(broker: Mosquitto, rounds: int) -> tuple[list[float], list[float]]:
    """Return us a value of each round: paho's, and the publisher's."""
    bare, gateway, rng = Bare(broker.port), Gateway(broker), random.Random(2)
    await bare.connect()
    await gateway.connected()
    costs: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        values = [rng.uniform(0, 700) for _ in range(TAGS)]
        samples = [Sample(value) for value in values]
        messages = [
            (
                f"agent/bare/tag/boiler/t{index}",
                b'{"value":%a,"quality":"good","time":"2026-01-02T03:04:05.678Z"}' % value,
            )
            for index, value in enumerate(values)
        ]
        costs[0].append(await cpu_of(bare.publish(messages)))
        costs[1].append(await cpu_of(gateway.publish(samples)))
    bare.close()
    await gateway.close()
    return costs


class Subscriber:
    """A client of QoS 0 that does next to nothing, so that what is measured is not itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def subscribe(self, pattern: str) -> None:
        connect = b"\0\4MQTT\4\2\0\0\0\3sub"
        subscribe = b"\0\1" + len(pattern).to_bytes(2, "big") + pattern.encode() + b"\0"
        self._writer.write(b"\x10%c%b\x82%c%b" % (len(connect), connect, len(subscribe), subscribe))
        for _ in range(2):
            await self.packet()

    async def packet(self) -> None:
        _, length = await self._reader.readexactly(2)
        if length > 0x7F:
            length = length & 0x7F | (await self._reader.readexactly(1))[0] << 7
        await self._reader.readexactly(length)

    def close(self) -> None:
        self._writer.close()


async def latencies(broker: Mosquitto) -> list[float]:
    """Return the seconds from a batch of ten changes to each of them at a subscriber in the same process."""
    gateway, times = Gateway(broker), []
    await gateway.connected()
    subscriber = Subscriber(*await asyncio.open_connection("127.0.0.1", broker.port))
    await subscriber.subscribe("agent/bench/tag/#")
    for _ in range(TAGS):
        await subscriber.packet()
    for scan in range(LATENCY_SCANS):
        began = time.perf_counter()
        gateway.take([Sample(float(scan)) for _ in range(10)])
        for _ in range(10):
            await subscriber.packet()
            times.append(time.perf_counter() - began)
        await asyncio.sleep(0.01)
    subscriber.close()
    await gateway.close()
    return sorted(times)


def report(name: str, costs: tuple[list[float], list[float]]) -> float:
    """Print the lowest and the median of each side; return the ratio of the lowest, which noise disturbs least."""
    bare, ours = costs
    ratio = min(ours) / min(bare)
    print(f"{name}: paho {min(bare):.1f} us a value (median {statistics.median(bare):.1f}),", end=" ")
    print(f"publisher {min(ours):.1f} (median {statistics.median(ours):.1f}), ratio {ratio:.2f}")
    return ratio


async def main(rounds: int) -> int:
    """Measure with a broker as installed (20 messages on their way at most) and with an open window."""
    folder, ratios = Path(tempfile.mkdtemp()), []
    for name, extra in (("receive maximum 20", []), ("receive maximum 1000", ["max_inflight_messages 1000"])):
        async with mosquitto(folder, *extra) as broker:
            ratios.append(report(name, await compare(broker, rounds)))
    async with mosquitto(folder) as broker:
        times = await latencies(broker)
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    print(f"scan to subscriber: p50 {p50 * 1e3:.2f} ms, p99 {p99 * 1e3:.2f} ms")
    met = max(ratios) <= TARGET and p99 <= LATENCY_TARGET
    print(f"targets (ratio {TARGET}, p99 {LATENCY_TARGET * 1e3:.0f} ms): {'met' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)))
