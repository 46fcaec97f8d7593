"""One command at a time for each device; those that wait go by rank, and none waits beyond its deadline."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from gateway.control.command import Rank
from gateway.control.command_queue import CommandQueue
from gateway.control.refusal import Refused
from gateway.counters import ControlCounters
from gateway.safety.operation import Operation


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    operation: Operation
    turn: "asyncio.Future[frozenset[str]]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class DevicesInTurn:
    """Hands devices to commands."""

    def __init__(self, limit: int, counters: ControlCounters) -> None:
        """Limit: how many commands may wait; one more is refused `queue_full`."""
        self._queue: CommandQueue[_Waiting] = CommandQueue(limit)
        self._busy: set[str] = set()
        self._counters = counters
        self._closed = False

    @asynccontextmanager
    async def turn(
        self,
        rank: Rank,
        devices: Collection[str],
        deadline: float,
        operation: Operation,
        *,
        is_safe: bool = False,
    ) -> AsyncIterator[None]:
        """Hold the devices for as long as the context lasts. Raises Refused: queue_full, expired, restart.

        Is_safe: that the operation leads to safety, and so goes before all others.
        """
        waiting = _Waiting(operation)
        if self._closed:
            raise _restart()
        if not self._queue.push(rank, devices, waiting, is_safe=is_safe):
            raise Refused("queue_full", f"{len(self._queue)} commands wait already; send it again later")
        self._next()
        held: frozenset[str] = frozenset()
        try:
            held = await self._wait(waiting, deadline)
            yield
        finally:
            if waiting.turn.done() and not waiting.turn.cancelled() and waiting.turn.exception() is None:
                held = waiting.turn.result()  # it may have come in the step in which the waiting was given up
            self._queue.remove(lambda each: each is waiting)
            self._busy -= held
            self._next()

    def refuse(self, why: Callable[[Operation], Refused | None]) -> None:
        """End all that wait for which there is a reason now, such as a trip."""
        reasons = {}

        def is_refused(waiting: _Waiting) -> bool:
            reasons[waiting] = why(waiting.operation)
            return reasons[waiting] is not None

        for waiting in self._queue.remove(is_refused):
            reason = reasons[waiting]
            assert reason is not None
            if not waiting.turn.done():
                waiting.turn.set_exception(reason)
        self._next()

    def close(self) -> None:
        """End all that wait, and take no more: the gateway stops."""
        self._closed = True
        self.refuse(lambda _: _restart())

    async def _wait(self, waiting: _Waiting, deadline: float) -> frozenset[str]:
        try:
            async with asyncio.timeout_at(deadline):
                return await waiting.turn
        except TimeoutError:
            raise Refused("expired", "its devices were busy for longer than it lives; send it again") from None

    def _next(self) -> None:
        while (taken := self._queue.take(self._busy)) is not None:
            waiting, devices = taken
            if not waiting.turn.done():
                self._busy |= devices
                waiting.turn.set_result(devices)
        self._counters.queued = len(self._queue)


def _restart() -> Refused:
    return Refused("restart", "the gateway is stopping; send it again when it is back")
