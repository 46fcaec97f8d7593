"""Another process that floods a broker, cheaper than any client library could: `python -m ... PORT QOS RATE SECONDS`.

It prints how many messages it sent.
"""

import select
import socket
import sys
import time

TOPIC = b"agent/gw/command/write/flood"
BODY = b'{"id":"flood","actor":"flood","writes":{"boiler.temperature_setpoint":450},"reason":"because"}'
TICK = 0.01


def main(port: int, qos: int, rate: int, seconds: float) -> int:
    """Send `rate` messages a second for so long, as far as the broker takes them."""
    sent, began = 0, time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as connected:
        connected.sendall(b"\x10\x11\x00\x04MQTT\x04\x02\x00\x3c\x00\x05flood")
        connected.recv(4)
        while (now := time.monotonic()) < began + seconds:
            due = int((now - began) * rate) - sent
            connected.sendall(b"".join(publish(sent + place, qos, version=4) for place in range(due)))
            sent += due
            while select.select([connected], [], [], 0)[0]:
                connected.recv(65_536)
            time.sleep(TICK)
    return sent


def publish(number: int, qos: int, *, version: int = 5) -> bytes:
    """Return one command as a PUBLISH."""
    packet_id = (number % 65_535 + 1).to_bytes(2) if qos else b""
    properties = b"\0" if version == 5 else b""
    body = len(TOPIC).to_bytes(2) + TOPIC + packet_id + properties + BODY
    return bytes((0x30 | qos << 1, len(body) & 0x7F | 0x80, len(body) >> 7)) + body


if __name__ == "__main__":
    sys.stdout.write(f"{main(*map(int, sys.argv[1:]))}\n")
