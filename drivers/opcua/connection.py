"""One connection to one server, and the watch over it: a server that hangs is found out, not waited for."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from drivers.base import Reader, Surroundings
from drivers.errors import DeviceFault, LinkLost
from drivers.opcua.channel import Channel
from drivers.opcua.publisher import REQUESTS, Publisher
from drivers.opcua.reader import OpcUaReader
from drivers.opcua.settings import OpcUaDevice, OpcUaPoint


class OpcUaConnection:
    """A session with a server, shared by the readers of the devices that name the same endpoint."""

    def __init__(self, device: OpcUaDevice) -> None:
        self._patience = device.timeout / 2
        self._channel = Channel(device)
        self._publisher = Publisher(self._channel)
        self._task: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()
        self._reason = ""
        self._chores: asyncio.Queue[Callable[[], Coroutine[Any, Any, None]]] = asyncio.Queue()

    async def open(self) -> None:
        await self._channel.open()
        self._task = asyncio.create_task(self._live(), name=f"opcua {self._channel.address}")

    async def close(self) -> None:
        task, politely = self._task, self._channel.is_living(self._patience)
        try:
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        finally:
            self._end("closed")
            await self._channel.close(politely=politely)

    async def lost(self) -> str:
        await self._lost.wait()
        return self._reason

    def reader(
        self,
        device: OpcUaDevice,
        points: Sequence[OpcUaPoint],
        around: Surroundings | None = None,
    ) -> Reader:
        around = around or Surroundings()
        return OpcUaReader(self._channel, self._publisher, device, points, around, self._chores.put_nowait)

    async def _live(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch(), name=f"opcua watch {self._channel.address}")
                for _ in range(REQUESTS):
                    group.create_task(self._publisher.run(), name=f"opcua publish {self._channel.address}")
                while True:  # two chores a reader, at most
                    chore = await self._chores.get()
                    group.create_task(chore(), name=f"opcua upkeep {self._channel.address}")
        except* DeviceFault as faults:
            self._end(self._channel.cause or str(_first(faults)))
        except* Exception as errors:  # noqa: BLE001  (a fault of this driver: the session has to hear of it all the same)
            self._end(f"internal error: {_first(errors)!r}")

    def _end(self, reason: str) -> None:
        self._reason = self._reason or reason
        self._lost.set()

    async def _watch(self) -> None:
        """Look after the connection until it is lost. Raises LinkLost."""
        loop, channel = asyncio.get_running_loop(), self._channel
        while True:
            await channel.watch(self._patience / 8)
            await channel.renew_if_due()
            overdue = self._publisher.overdue(loop.time())
            if overdue or loop.time() - channel.heard > self._patience / 2:
                await channel.probe(self._patience / 2)
            # What the server had sent before the probe's answer has been taken in by now.
            if overdue and overdue.is_overdue(loop.time()):
                raise LinkLost("subscription_lost", f"{channel.address}: nothing is published any more")


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
