"""A unit in memory that has some addresses and refuses every request that touches another; and a poller for it."""

from collections.abc import Sequence
from typing import Any

from drivers.base import Block, Split, Surroundings
from drivers.errors import DeviceFault
from drivers.modbus.point import ModbusPoint
from drivers.modbus.profile import ModbusProfile
from drivers.modbus.reader import ModbusReader
from drivers.modbus.register import RegisterRange, Table
from drivers.modbus.request import ReadRequest
from drivers.modbus.settings import ModbusDevice
from drivers.values import Sample

URL = "tcp://127.0.0.1:5020"
_TABLES = {table.function: table for table in Table}


class FakeUnit:
    """Word n of every table holds n, unless it is set; what is not there is refused with exception 2."""

    def __init__(self) -> None:
        self.absent: set[int] = set()
        self.broken: set[int] = set()
        """Touched by a request, they bring exception 4."""
        self.longest = 125
        self.words: dict[int, int] = {}
        self.silent = False
        self.refuses_all = ""
        """An exception for every request, as `exception_2`."""
        self.asked: list[RegisterRange] = []
        self.counted: list[str] = []

    async def ask(self, request: ReadRequest, seconds: float) -> bytes:
        start, count = (int.from_bytes(request.frame[place : place + 2], "big") for place in (6, 8))
        self.asked.append(RegisterRange(_TABLES[request.function], start, start + count))
        touched = set(range(start, start + count))
        if self.silent:
            raise DeviceFault("timeout", "no answer")
        if self.refuses_all:
            raise DeviceFault(self.refuses_all, "not now")
        if count > self.longest:
            raise DeviceFault("exception_3", "too long")
        if touched & self.absent:
            raise DeviceFault("exception_2", "no such address")
        if touched & self.broken:
            raise DeviceFault("exception_4", "device failure")
        if _TABLES[request.function].holds_bits:
            number = sum(self.words.get(start + place, 0) << place for place in range(count))
            return number.to_bytes((count + 7) // 8, "little")
        return b"".join(self.words.get(place, place).to_bytes(2, "big") for place in range(start, start + count))

    def reader(
        self, points: Sequence[ModbusPoint], learned: dict[str, Any] | None = None, **profile: Any
    ) -> ModbusReader:
        around = Surroundings(learned={} if learned is None else learned, count=self.counted.append)
        return ModbusReader(ModbusDevice(URL, profile=ModbusProfile(**profile)), points, self.ask, around)


class Scans:
    """Asks for the blocks of a reader as the gateway does: those that a Split names in place of the refused one."""

    def __init__(self, reader: ModbusReader) -> None:
        self.reader = reader
        self.blocks: list[Block] = []
        self.samples: dict[int, Sample] = {}
        self.faults: dict[int, str] = {}
        """Point -> why its block was not answered in the last scan."""

    @property
    def labels(self) -> list[str]:
        return [block.label for block in self.blocks]

    async def run(self, times: int = 1) -> None:
        if not self.blocks:
            self.blocks = list((await self.reader.prepare()).polled)
        for _ in range(times):
            self.faults = {}
            self.blocks = [new for block in self.blocks for new in await self._ask(block)]

    async def _ask(self, block: Block) -> list[Block]:
        try:
            changes = dict(await self.reader.read(block))
        except Split as split:
            parts = split.blocks
        except DeviceFault as fault:
            self.faults |= dict.fromkeys(block.points, fault.kind)
            return [block]
        else:
            assert changes.keys() <= set(block.points)
            self.samples |= changes
            return [block]
        assert sorted(point for part in parts for point in part.points) == list(block.points)
        return [each for part in parts for each in await self._ask(part)]


def holdings(*offsets: int) -> list[ModbusPoint]:
    return [ModbusPoint(f"holding:{offset}") for offset in offsets]
