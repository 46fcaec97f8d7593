"""A boiler and a load in Modbus TCP, of bare sockets: it stamps when too hot a value left and when the burner went off.

`python benchmarks/way_down/plc.py [LATENCY]` prints the ports of the two; a line on stdin, whatever it says, makes the
next answer with the steam temperature too hot, and the burner burn. Once the burner is written off, the steam is cool
again, and one line says how it was: seconds between the two, and how many other requests of the same connection came
between them. Latency: seconds that the boiler takes for each answer.
"""

import json
import os
import selectors
import socket
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

COOL, HOT = 400, 600
STEAM = 0
REGISTERS = 200
READ_COILS, READ_HOLDING, READ_INPUT, WRITE_COIL, WRITE_REGISTER = 1, 3, 4, 5, 6
_HEAD = struct.Struct(">HHHBBHH")
_PART = 4096


class Request(NamedTuple):
    """One request, as far as these devices need it."""

    transaction: int
    unit: int
    function: int
    address: int
    value: int
    """Or count."""


class Load:
    """Holding registers that are all others at each scan."""

    latency = 0.0

    def __init__(self) -> None:
        self._scans = 0

    def answer(self, asked: Request) -> bytes:
        """Return what follows the function code."""
        self._scans += 1
        words = [(asked.address + place + self._scans) & 0xFFFF for place in range(asked.value)]
        return struct.pack(f">B{asked.value}H", 2 * asked.value, *words)

    def sending(self, asked: Request) -> None:
        """Note that an answer leaves."""


class Boiler:
    """Input registers are the steam temperature, coil 0 is the burner; each holding register holds what is written."""

    def __init__(self, latency: float) -> None:
        self.latency = latency
        self._words = [COOL] * REGISTERS
        self._hot_due = self._is_hot = False
        self._burns = True
        self._told = 0.0
        self._others = 0

    def heat(self) -> None:
        """Burn, and be too hot from the next answer on."""
        self._hot_due = self._burns = True

    def answer(self, asked: Request) -> bytes:
        """Return what follows the function code."""
        if asked.function in (WRITE_COIL, WRITE_REGISTER):
            self._take(asked)
            return struct.pack(">HH", asked.address, asked.value)
        self._others += 1
        if asked.function == READ_COILS:
            return bytes((1, self._burns))
        if asked.function == READ_INPUT:
            self._is_hot, self._hot_due = self._is_hot or self._hot_due, False
            return struct.pack(f">B{asked.value}H", 2 * asked.value, *[HOT if self._is_hot else COOL] * asked.value)
        words = self._words[asked.address : asked.address + asked.value]
        return struct.pack(f">B{len(words)}H", 2 * len(words), *words)

    def sending(self, asked: Request) -> None:
        """Stamp the first answer that is too hot, before it is handed to the socket."""
        if self._is_hot and not self._told and asked[2:4] == (READ_INPUT, STEAM):
            self._told, self._others = time.monotonic(), 0

    def _take(self, asked: Request) -> None:
        if asked.function == WRITE_REGISTER:
            self._words[asked.address] = asked.value
            self._others += 1
            return
        self._burns = bool(asked.value)
        if self._told and not self._burns:
            print(json.dumps([time.monotonic() - self._told, self._others]), flush=True)
            self._is_hot, self._told = False, 0.0


class Wires:
    """The sockets of both, and what is due on them."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def listen(self, device: Load | Boiler) -> int:
        """Return the port at which a device answers."""
        server = socket.create_server(("127.0.0.1", 0))
        self.watch(server, lambda: self._accept(server, device))
        return int(server.getsockname()[1])

    def watch(self, file: socket.socket | int, call: Callable[[], None]) -> None:
        """Call whenever something came."""
        self._selector.register(file, selectors.EVENT_READ, call)

    def serve(self) -> None:
        """Serve for ever."""
        while True:
            wait = max(self._due[0][0] - time.monotonic(), 0.0) if self._due else None
            for key, _ in self._selector.select(wait):
                key.data()
            while self._due and self._due[0][0] <= time.monotonic():
                heappop(self._due)[2]()

    def _accept(self, server: socket.socket, device: Load | Boiler) -> None:
        wire, _ = server.accept()
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.watch(wire, lambda: self._read(wire, device))

    def _read(self, wire: socket.socket, device: Load | Boiler) -> None:
        try:
            data = wire.recv(_PART)
        except ConnectionError:  # who was connected was killed
            data = b""
        if not data:
            self._selector.unregister(wire)
            wire.close()
        while len(data) >= _HEAD.size:  # a request comes in one piece on loopback
            transaction, _, _, *rest = _HEAD.unpack_from(data)
            asked = Request(transaction, *rest)
            body = device.answer(asked)
            if device.latency:
                due = time.monotonic() + device.latency
                call: Callable[[], None] = partial(_send, wire, device, asked, body)
                heappush(self._due, (due, next(self._numbers), call))
            else:
                _send(wire, device, asked, body)
            data = data[_HEAD.size :]


def _send(wire: socket.socket, device: Load | Boiler, asked: Request, body: bytes) -> None:
    frame = struct.pack(">HHHBB", asked.transaction, 0, 2 + len(body), asked.unit, asked.function) + body
    device.sending(asked)
    with suppress(OSError):
        wire.send(frame)


def main(latency: float) -> None:
    """Serve until stdin ends."""
    boiler, wires = Boiler(latency), Wires()

    def obey() -> None:
        if not os.read(sys.stdin.fileno(), _PART):
            raise SystemExit
        boiler.heat()

    wires.watch(sys.stdin.fileno(), obey)
    print(json.dumps([wires.listen(boiler), wires.listen(Load())]), flush=True)
    wires.serve()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 0.0)
