"""The lane: the one way onto the wire of an endpoint, one request at a time.

The lane owns a request. Who waits for it may stop waiting; the frame on the wire is never cancelled.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from drivers.errors import DeviceFault, LinkLost
from gateway.endpoints.fair_queue import FairQueue, Priority

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    call: Callable[[], Awaitable[Any]]
    answer: "asyncio.Future[Any]"
    is_probe: bool


class Lane:
    """Runs requests one after the other, in the order of FairQueue, until it is closed."""

    def __init__(self, name: str, limit: int = 1000) -> None:
        """Limit: how many requests may wait; one more is refused with DeviceFault `lane_full`.

        Unless it is for a safe state, of which there are never more than the configuration has.
        """
        self.name = name
        self.alarmed = float("-inf")
        """When a unit that had answered until then fell silent, monotonic: others may have gone at the same time."""
        self._limit = limit
        self._queue: FairQueue[_Request] = FairQueue()
        self._wake = asyncio.Event()
        self._closing = False

    async def request(self, priority: Priority, device: str, call: Callable[[], Awaitable[T]]) -> T:
        """Wait for the wire, make the call, and return or raise what it did."""
        return await self.enqueue(priority, device, call)

    def enqueue(self, priority: Priority, device: str, call: Callable[[], Awaitable[T]]) -> "asyncio.Future[T]":
        """Put a call into the queue in this very step; return what brings its result, or what was raised.

        It has to be awaited. If it is cancelled before its turn, the call is not made.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        if self._closing:
            answer.set_exception(LinkLost("closing", f"{self.name}: the connection is being closed"))
        elif len(self._queue) >= self._limit and priority is not Priority.SAFE_STATE:
            answer.set_exception(DeviceFault("lane_full", f"{self.name}: {self._limit} requests wait already"))
        else:
            self._queue.push(priority, device, _Request(call, answer, priority >= Priority.PROVE), loop.time())
            self._wake.set()
        return answer

    async def run(self) -> None:
        """Serve until `close`; the request on the wire is ended first, those that wait are refused."""
        while not self._closing:
            await self._serve_all()
            self._wake.clear()
            if not self._closing:
                await self._wait()
        for request in self._queue.clear():
            if not request.answer.done():
                request.answer.set_exception(LinkLost("closing", f"{self.name}: the connection is being closed"))

    def close(self) -> None:
        """Take no further request; `run` returns when the one on the wire has ended."""
        self._closing = True
        self._wake.set()

    async def _serve_all(self) -> None:
        """Serve what waits, as far as it may go now."""
        queue, loop = self._queue, asyncio.get_running_loop()
        has_answered = False
        while queue and not self._closing:
            if has_answered or queue.holds_only_probes:
                # Whoever was answered just now goes on in its next step: with the safe state that the answer calls
                # for, which goes before all that wait, or with its next block, which goes before probes.
                await asyncio.sleep(0)
            request = queue.pop(loop.time())
            if request is None:
                return
            await self._serve(request)
            has_answered = True

    async def _wait(self) -> None:
        """Wait for the next request, or until one that was held back may go."""
        timer = None
        if self._queue:
            timer = asyncio.get_running_loop().call_at(self._queue.held_until, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            if timer is not None:
                timer.cancel()

    async def _serve(self, request: _Request) -> None:
        if request.answer.done():  # nobody waits any more, and nothing was sent
            return
        loop = asyncio.get_running_loop()
        began = loop.time() if request.is_probe else 0.0
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
            if request.is_probe:
                self._queue.hold(loop.time(), loop.time() - began)
            if not request.answer.done():
                request.answer.set_exception(error)
        else:
            if not request.answer.done():
                request.answer.set_result(result)
