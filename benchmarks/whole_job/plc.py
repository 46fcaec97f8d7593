"""A Modbus TCP server for measuring: 1,000 holding registers, of which a share changes at each scan.

`python benchmarks/whole_job/plc.py PORT SHARE` ; it prints the requests served a scan when it ends. It
answers function 3 only, and costs little, since its CPU is on the same machine as what is measured.
"""

import asyncio
import signal
import struct
import sys

REGISTERS = 1000


class Plc:
    """Registers that change before each read of address 0, which is where a scan begins."""

    def __init__(self, share: float) -> None:
        self.words = list(range(REGISTERS))
        self.requests = 0
        self._changing = range(0, REGISTERS, max(round(1 / share), 1)) if share else range(0)
        self.scans = 0

    def read(self, address: int, count: int) -> bytes:
        """Return the words from an address on."""
        self.requests += 1
        if address == 0:
            self.scans += 1
            for place in self._changing:
                self.words[place] = (place + 7 * self.scans) & 0xFFFF
        return struct.pack(f">{count}H", *self.words[address : address + count])


class Wire(asyncio.Protocol):
    """One client's connection; a request comes in one piece on loopback."""

    def __init__(self, plc: Plc) -> None:
        self._plc = plc

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        while len(data) >= 12:
            transaction, _, _, unit, _, address, count = struct.unpack(">HHHBBHH", data[:12])
            words = self._plc.read(address, count)
            head = struct.pack(">HHHBBB", transaction, 0, 3 + len(words), unit, 3, len(words))
            self._transport.write(head + words)
            data = data[12:]


async def main(port: int, share: float) -> None:
    """Serve until SIGTERM."""
    plc, loop, stop = Plc(share), asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_server(lambda: Wire(plc), "127.0.0.1", port)
    await stop.wait()
    server.close()
    print(plc.requests / max(plc.scans, 1))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
