"""What is recorded of values that are written again and again: that they begin, go on and end, and not each write.

Whoever writes them does not wait for the disk.
"""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from typing import Literal

from gateway.audit.record import GATEWAY, KeepAlive
from gateway.clock import Clock
from gateway.control.outcome_log import OutcomeLog

HOUR = 3600.0
MOST = 1000
"""Records that can wait for the disk; beyond it the oldest is given up."""

_log = logging.getLogger("plantgate.control")


@dataclass(slots=True)
class _Going:
    principal: str
    recorded: float
    """When the last record of it was made, monotonic."""
    writes: int = 0
    """Since then."""


class KeepAliveLog:
    """Keeps count by tag."""

    def __init__(self, outcomes: OutcomeLog, clock: Clock) -> None:
        self._outcomes = outcomes
        self._clock = clock
        self._going: dict[str, _Going] = {}
        self._waiting: deque[KeepAlive] = deque()
        self._wake = asyncio.Event()
        self.given_up = 0

    def start(self, tag: str, principal: str = GATEWAY) -> None:
        """Note that a tag is written again and again from now on, until `end`."""
        self._going[tag] = _Going(principal, self._clock.monotonic())
        self._record(tag, "start")

    def wrote(self, tag: str) -> None:
        """Count a frame that left."""
        going = self._going.get(tag)
        if going is not None:
            going.writes += 1

    def end(self, tag: str, reason: str, event: Literal["stop", "deviation"] = "stop") -> None:
        """Note that it goes on no longer. Deviation: because the tag was another than it was left."""
        if tag in self._going:
            self._record(tag, event, reason)
            del self._going[tag]

    async def run(self) -> None:
        """Record what is noted, and each hour how many writes there were, for ever."""
        while True:
            await self._rest()
            self._count_hours()
            await self.flush()

    async def flush(self) -> None:
        """Hand over what is noted."""
        while self._waiting:
            await self._outcomes.commit(self._waiting.popleft().plain())

    def _count_hours(self) -> None:
        now = self._clock.monotonic()
        for tag, going in self._going.items():
            if now - going.recorded >= HOUR:
                self._record(tag, "hourly")

    def _record(self, tag: str, event: str, reason: str | None = None) -> None:
        going = self._going[tag]
        if len(self._waiting) >= MOST:
            self._waiting.popleft()
            self.given_up += 1
            _log.error("keep_alive_not_recorded", extra={"given_up": self.given_up})
        record = KeepAlive(principal=going.principal, tags=(tag,), event=event, reason=reason, writes=going.writes)
        self._waiting.append(record)
        going.recorded, going.writes = self._clock.monotonic(), 0
        self._wake.set()

    async def _rest(self) -> None:
        oldest = min((going.recorded for going in self._going.values()), default=self._clock.monotonic())
        try:
            async with asyncio.timeout(max(oldest + HOUR - self._clock.monotonic(), 0.0)):
                await self._wake.wait()
        except TimeoutError:
            return
        finally:
            self._wake.clear()
