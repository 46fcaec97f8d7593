"""The cheapest loop that these libraries allow: a block decoded in one step, payloads from fragments, nothing awaited.

pymodbus reads the blocks with a response class that takes the registers in one `unpack`, paho is driven from
asyncio's hooks with QoS 0. It has no quality, scaling, deadband, metrics or safety, and recovers from nothing.

`python benchmarks/whole_job/cheap_loop.py MODBUS_PORT MQTT_PORT PERIOD tag|batch`
"""

import asyncio
import socket
import struct
import sys
from datetime import UTC, datetime
from typing import Any

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.pdu.register_message import ReadHoldingRegistersResponse

BLOCKS = [(start, 125) for start in range(0, 1000, 125)]
PER_MESSAGE = 100
_FORMAT = struct.Struct(">125H")


class BlockResponse(ReadHoldingRegistersResponse):
    """A response that decodes its registers at once."""

    def decode(self, data: bytes) -> None:
        """Take the block."""
        self.registers = list(_FORMAT.unpack_from(data, 1))


def connect(port: int) -> Client:
    """Return a paho client that asyncio serves."""
    loop = asyncio.get_running_loop()
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5, reconnect_on_failure=False)
    client.on_socket_open = lambda _client, _data, sock: loop.add_reader(sock, client.loop_read)
    client.on_socket_register_write = lambda _client, _data, sock: loop.add_writer(sock, client.loop_write)

    def stop_writing(_client: Client, _data: object, sock: Any) -> None:  # noqa: ANN401  (the library's own type)
        loop.remove_writer(sock)

    client.on_socket_unregister_write = stop_writing
    client.connect("127.0.0.1", port)
    sock: Any = client.socket()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def publish_tags(client: Client, changed: list[tuple[int, int]], time: str) -> None:
    """One retained message a tag."""
    for place, word in changed:
        payload = f'{{"value":{word},"quality":"good","time":"{time}"}}'
        client.publish(f"agent/cheap/tag/plc/r{place}", payload, 0, retain=True)


def publish_batches(client: Client, changed: list[tuple[int, int]], time: str) -> None:
    """A message for each hundred tags."""
    for start in range(0, len(changed), PER_MESSAGE):
        members = ",".join(
            f'"r{place}":{{"value":{word},"quality":"good","time":"{time}"}}'
            for place, word in changed[start : start + PER_MESSAGE]
        )
        client.publish("agent/cheap/batch/plc", f'{{"time":"{time}","tags":{{{members}}}}}', 0)


async def main(modbus: int, mqtt: int, period: float, publish: str) -> None:
    """Scan and publish until killed."""
    plc = AsyncModbusTcpClient("127.0.0.1", port=modbus)
    plc.register(BlockResponse)
    await plc.connect()
    client, send = connect(mqtt), publish_tags if publish == "tag" else publish_batches
    loop = asyncio.get_running_loop()
    last: list[int] = [-1] * 1000
    due = loop.time()
    while True:
        words: list[int] = []
        for start, count in BLOCKS:
            words += (await plc.read_holding_registers(start, count=count, device_id=1)).registers
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        changed = [(place, word) for place, word in enumerate(words) if word != last[place]]
        last = words
        send(client, changed, now)
        due += period
        await asyncio.sleep(due - loop.time())


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]))
