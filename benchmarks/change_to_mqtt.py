"""How long a change in a PLC takes to an MQTT subscriber: at most one scan, and 10 ms (p99).

`python -m benchmarks.change_to_mqtt [CHANGES]` runs the gateway as a process, with 1,000 registers scanned every
100 ms, changes one of them at random moments, and prints how much longer than a scan it took to see it.
"""

import asyncio
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.whole_job.__main__ import PERIOD, configuration
from benchmarks.whole_job.plc import Plc, Wire
from tests.servers import ROOT, free_port, mosquitto

TARGET_MS = 10.0
SPOT = 500
"""The register that is changed."""


class Watcher:
    """A subscriber in a thread of its own, so that its own work does not count into the loop's."""

    def __init__(self, port: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._seen: asyncio.Queue[tuple[int, float]] = asyncio.Queue()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        self._client.on_message = self._take
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("agent/job/tag/plc/r500", qos=1)
        self._thread = threading.Thread(target=self._client.loop_forever)
        self._thread.start()

    async def wait_for(self, value: int) -> float:
        """Return when the value arrived, on the loop's clock."""
        async with asyncio.timeout(10):
            while True:
                seen, when = await self._seen.get()
                if seen == value:
                    return when

    def stop(self) -> None:
        """Disconnect and end the thread."""
        self._client.disconnect()
        self._thread.join()

    def _take(self, _: object, __: object, message: MQTTMessage) -> None:
        when = self._loop.time()
        value = json.loads(message.payload)["value"]
        self._loop.call_soon_threadsafe(self._seen.put_nowait, (value, when))


class Stalls:
    """How long the machine itself stood still meanwhile: a thread that sleeps 5 ms at a time, and wakes late."""

    def __init__(self) -> None:
        self.late_ms: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def p99(self) -> float:
        """End, and return the 99th percentile in ms."""
        self._stop.set()
        self._thread.join()
        return statistics.quantiles(self.late_ms, n=100)[98]

    def _watch(self) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            time.sleep(0.005)
            self.late_ms.append((time.monotonic() - began - 0.005) * 1000)


async def main(changes: int) -> None:
    """Change, wait, and print."""
    plc, loop, port = Plc(0), asyncio.get_running_loop(), free_port()
    server = await loop.create_server(lambda: Wire(plc), "127.0.0.1", port)
    with tempfile.TemporaryDirectory() as name:
        async with mosquitto(Path(name)) as broker:
            config = configuration(Path(name), port, broker.port)
            config.write_text(config.read_text().replace("publish: device", "publish: tag"))
            gateway = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "gateway", "run", str(config), "--state-dir", f"{name}/state", cwd=ROOT
            )
            watcher = Watcher(broker.port)
            await watcher.wait_for(SPOT)
            beyond, stalls = [], Stalls()
            for change in range(changes):
                await asyncio.sleep(random.uniform(0.02, 0.12))
                plc.words[SPOT] = 1000 + change
                began = loop.time()
                beyond.append((await watcher.wait_for(1000 + change) - began - PERIOD) * 1000)
            watcher.stop()
            gateway.terminate()
            await gateway.wait()
    server.close()
    p99 = statistics.quantiles(beyond, n=100)[98]
    print(f"{changes} changes: p99 {p99:.1f} ms beyond a scan (at most {TARGET_MS:g}), worst {max(beyond):.1f} ms")
    print(f"a thread that did nothing woke up late by {stalls.p99():.1f} ms (p99) in the meantime")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 300))
