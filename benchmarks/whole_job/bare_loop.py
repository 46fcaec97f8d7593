"""The loop that an engineer would write by hand: the same libraries, the same payload, and nothing else.

pymodbus reads the blocks, what changed goes into one JSON message, aiomqtt publishes it with QoS 1 and waits
for the PUBACK. No quality, no scaling, no deadband, no metrics, no safety, no recovery from anything.

`python benchmarks/whole_job/bare_loop.py MODBUS_PORT MQTT_PORT PERIOD`
"""

import asyncio
import json
import socket
import sys
from datetime import UTC, datetime

import aiomqtt
from pymodbus.client import AsyncModbusTcpClient

BLOCKS = [(start, 125) for start in range(0, 1000, 125)]


async def main(modbus: int, mqtt: int, period: float) -> None:
    """Scan and publish until killed."""
    plc = AsyncModbusTcpClient("127.0.0.1", port=modbus)
    await plc.connect()
    nodelay = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    async with aiomqtt.Client("127.0.0.1", mqtt, protocol=aiomqtt.ProtocolVersion.V5, socket_options=nodelay) as broker:
        last: list[int] = [-1] * 1000
        due = asyncio.get_running_loop().time()
        while True:
            words: list[int] = []
            for start, count in BLOCKS:
                words += (await plc.read_holding_registers(start, count=count, device_id=1)).registers
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            changed = {
                f"r{place}": {"value": word, "quality": "good", "time": now}
                for place, word in enumerate(words)
                if word != last[place]
            }
            last = words
            if changed:
                payload = json.dumps({"time": now, "tags": changed}, separators=(",", ":"))
                await broker.publish("agent/bare/batch/plc", payload, qos=1)
            due += period
            await asyncio.sleep(due - asyncio.get_running_loop().time())


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
