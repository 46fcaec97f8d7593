"""A bench is a real far side for one driver: point 0 holds a value that the test can set, the last is unknown."""

import asyncio
from itertools import count
from typing import Any, Protocol

from drivers import memory
from drivers._blueprint import DRIVER as BLUEPRINT
from drivers._blueprint.settings import BlueprintDevice, BlueprintPoint
from drivers.base import Driver
from drivers.values import DataType
from tests.servers import free_port

_names = count()


class Bench(Protocol):
    """What the contract suite needs of a far side."""

    driver: Driver
    device: Any
    points: list[Any]
    first: float
    """What point 0 holds at the start."""
    second: float
    """Another value for it."""
    unknown: int
    """A point that the far side does not know."""
    unknown_raises: tuple[type[Exception], ...]
    """What reading the block of the unknown point raises; empty where it is a BAD sample."""
    data_type: DataType

    async def start(self) -> None:
        """Begin, or begin anew at the same address after `die`."""

    async def set(self, point: int, value: float) -> None: ...

    async def quiet(self) -> None:
        """Let the far side show that it lives, though nothing changes."""

    async def die(self) -> None: ...

    async def stop(self) -> None: ...


class MemoryPolledBench:
    """Cells that are polled."""

    push = False

    def __init__(self) -> None:
        self.driver = memory.DRIVER
        self.device = memory.MemoryDevice(f"memory://contract-{next(_names)}")
        self.points = [memory.MemoryPoint("a", start=1.0, push=self.push), memory.MemoryPoint("b", push=self.push)]
        self.first, self.second, self.unknown = 1.0, 2.5, 1
        self.unknown_raises: tuple[type[Exception], ...] = ()
        self.data_type = DataType.FLOAT64
        self._plant = memory.plant(self.device.url)

    async def start(self) -> None:
        self._plant.reachable = True

    async def set(self, point: int, value: float) -> None:
        self._plant.set(self.points[point].address, value)

    async def quiet(self) -> None:
        self._plant.beat()

    async def die(self) -> None:
        self._plant.cut()

    async def stop(self) -> None:
        pass


class MemoryPushedBench(MemoryPolledBench):
    """Cells that report by themselves."""

    push = True


class BlueprintBench:
    """A server of the blueprint's made-up protocol."""

    def __init__(self) -> None:
        self.driver = BLUEPRINT
        self._port = free_port()
        self.device = BlueprintDevice(f"line://127.0.0.1:{self._port}")
        self.points = [BlueprintPoint("a"), BlueprintPoint("b")]
        self.first, self.second, self.unknown = 1.0, 2.5, 1
        self.unknown_raises: tuple[type[Exception], ...] = ()
        self.data_type = DataType.FLOAT64
        self._items: dict[str, float] = {}
        self._server: asyncio.Server | None = None
        self._wires: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._items = {"a": self.first}
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)

    async def set(self, point: int, value: float) -> None:
        self._items[self.points[point].item] = value

    async def quiet(self) -> None:
        pass

    async def die(self) -> None:
        if self._server is not None:
            self._server.close()
            for wire in self._wires.copy():
                wire.close()
            await self._server.wait_closed()
            self._server = None

    async def stop(self) -> None:
        await self.die()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._wires.add(writer)
        while line := await reader.readline():
            words = [str(self._items.get(item, "?")) for item in line.decode().split()[1:]]
            writer.write(f"OK {' '.join(words)}\n".encode())
        self._wires.discard(writer)
        writer.close()
