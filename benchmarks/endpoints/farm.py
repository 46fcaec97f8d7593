"""Many Modbus TCP devices in one process, for measuring: it notes on its side when each unit was scanned.

`python benchmarks/endpoints/farm.py '{"endpoints": 1, "units": 2, "latency": 0.02, "registers": 100, "share": 0.1}'`
prints its ports; then lines on stdin: `dead [[endpoint, unit], ...]` silences exactly these, `report` prints
the times at which each unit was asked for register 0, which is where a scan begins.
"""

import asyncio
import json
import struct
import sys
import time
from collections import defaultdict
from functools import partial
from typing import Any, NamedTuple


class Unit(NamedTuple):
    """One device behind one endpoint."""

    endpoint: int
    unit: int


class Farm:
    """The registers of every unit, and when each was asked."""

    def __init__(self, registers: int, share: float, latency: float) -> None:
        self.latency = latency
        self.dead: set[Unit] = set()
        self.scans: dict[Unit, list[float]] = defaultdict(list)
        self._words: dict[Unit, list[int]] = defaultdict(lambda: [0] * registers)
        self._changing = range(0, registers, round(1 / share)) if share else range(0)

    def read(self, unit: Unit, address: int, count: int) -> bytes | None:
        """Return the words from an address on, None where the unit is dead."""
        if unit in self.dead:
            return None
        words = self._words[unit]
        if address == 0 and count > 1:
            self.scans[unit].append(time.monotonic())
            for place in self._changing:
                words[place] = (words[place] + 7) & 0xFFFF
        return struct.pack(f">{count}H", *words[address : address + count])


class Wire(asyncio.Protocol):
    """One client's connection; a request comes in one piece on loopback."""

    def __init__(self, farm: Farm, endpoint: int) -> None:
        self._farm = farm
        self._endpoint = endpoint

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        while len(data) >= 12:
            transaction, _, _, unit, function, address, count = struct.unpack(">HHHBBHH", data[:12])
            words = self._farm.read(Unit(self._endpoint, unit), address, count)
            if words is not None:
                reply = struct.pack(">HHHBBB", transaction, 0, 3 + len(words), unit, function, len(words)) + words
                if self._farm.latency:
                    asyncio.get_running_loop().call_later(self._farm.latency, self._transport.write, reply)
                else:
                    self._transport.write(reply)
            data = data[12:]


def obey(farm: Farm, line: str) -> None:
    """Carry out one command."""
    word, _, rest = line.strip().partition(" ")
    if word == "dead":
        farm.dead = {Unit(*each) for each in json.loads(rest)}
    elif word == "report":
        report = [[*unit, times] for unit, times in farm.scans.items()]
        farm.scans.clear()
        print(json.dumps(report), flush=True)


async def main(wanted: dict[str, Any]) -> None:
    """Serve until stdin ends."""
    farm = Farm(wanted["registers"], wanted["share"], wanted["latency"])
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(partial(Wire, farm, number), "127.0.0.1", 0) for number in range(wanted["endpoints"])
    ]
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    commands = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        obey(farm, line.decode())


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
