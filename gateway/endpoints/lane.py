"""The lane: the one way onto the wire of an endpoint, one request at a time.

The lane owns a request. Who waits for it may stop waiting; the frame on the wire is never cancelled.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Generic, TypeVar

from drivers.errors import DeviceFault, LinkLost

T = TypeVar("T")


class Priority(IntEnum):
    """Who goes first when the wire is free."""

    SAFE_STATE = 0
    WRITE = 1
    READ = 2


class FairQueue(Generic[T]):
    """Pure policy of a lane: the highest priority first, and within it the devices in turn."""

    def __init__(self) -> None:
        self._waiting: dict[Priority, dict[str, deque[T]]] = {priority: {} for priority in Priority}
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def push(self, priority: Priority, device: str, item: T) -> None:
        """Put an item behind the others of its device."""
        self._waiting[priority].setdefault(device, deque()).append(item)
        self._size += 1

    def pop(self) -> T:
        """Take the next item. Raises IndexError where there is none."""
        for devices in self._waiting.values():
            for device, items in devices.items():
                item = items.popleft()
                # The device goes to the back of its row, so that a busy neighbour cannot hold the wire.
                del devices[device]
                if items:
                    devices[device] = items
                self._size -= 1
                return item
        raise IndexError("nothing waits")


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    call: Callable[[], Awaitable[Any]]
    answer: "asyncio.Future[Any]"


class Lane:
    """Runs requests one after the other, in the order of FairQueue, until it is closed."""

    def __init__(self, name: str, limit: int = 1000) -> None:
        """Limit: how many requests may wait; one more is refused with DeviceFault `lane_full`."""
        self.name = name
        self._limit = limit
        self._queue: FairQueue[_Request] = FairQueue()
        self._wake = asyncio.Event()
        self._closing = False

    async def request(self, priority: Priority, device: str, call: Callable[[], Awaitable[T]]) -> T:
        """Wait for the wire, make the call, and return or raise what it did."""
        if self._closing:
            raise LinkLost("closing", f"{self.name}: the connection is being closed")
        if len(self._queue) >= self._limit:
            raise DeviceFault("lane_full", f"{self.name}: {self._limit} requests wait already")
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.push(priority, device, _Request(call, answer))
        self._wake.set()
        return await answer

    async def run(self) -> None:
        """Serve until `close`; the request on the wire is ended first, those that wait are refused."""
        while not self._closing:
            while self._queue and not self._closing:
                await self._serve(self._queue.pop())
            self._wake.clear()
            if not self._closing:
                await self._wake.wait()
        while self._queue:
            request = self._queue.pop()
            if not request.answer.done():
                request.answer.set_exception(LinkLost("closing", f"{self.name}: the connection is being closed"))

    def close(self) -> None:
        """Take no further request; `run` returns when the one on the wire has ended."""
        self._closing = True
        self._wake.set()

    async def _serve(self, request: _Request) -> None:
        if request.answer.done():  # nobody waits any more, and nothing was sent
            return
        try:
            result = await request.call()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Nobody cancelled the lane: a driver let out a cancellation of its own, which must not end it.
            if not request.answer.done():
                request.answer.set_exception(RuntimeError(f"{self.name}: the driver cancelled a request"))
        except Exception as error:  # noqa: BLE001  (whatever it is, it belongs to the one who asked)
            if not request.answer.done():
                request.answer.set_exception(error)
        else:
            if not request.answer.done():
                request.answer.set_result(result)
