"""The least that has to be done: read the steam temperature at a fixed rate, and write the burner off where it is hot.

Bare asyncio on one connection, no library, nothing judged but `> 580`, nothing recorded, nothing read back.

`python benchmarks/way_down/bare_trip.py PORT PERIOD`
"""

import asyncio
import socket
import struct
import sys

LIMIT = 580
_READ = struct.Struct(">HHHBBHH").pack(1, 0, 6, 1, 4, 0, 1)
_OFF = struct.Struct(">HHHBBHH").pack(2, 0, 6, 1, 5, 0, 0)


class Wire(asyncio.Protocol):
    """The connection; an answer comes in one piece on loopback."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        if data[7] == _READ[7] and int.from_bytes(data[9:11], "big") > LIMIT:
            self.transport.write(_OFF)


async def main(port: int, period: float) -> None:
    """Read until killed."""
    loop = asyncio.get_running_loop()
    _, wire = await loop.create_connection(Wire, "127.0.0.1", port)
    due = loop.time()
    while True:
        wire.transport.write(_READ)
        due += period
        await asyncio.sleep(due - loop.time())


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
