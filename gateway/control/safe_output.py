"""One output that a trip brings to its safe value: written again and again until the device reads it back.

It is the one exception to `never written twice`: a safe value may be repeated, and must be until it is there.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Literal, TypeAlias

from drivers.values import Quality, Value
from gateway.clock import Clock
from gateway.control.outlet import Outlet
from gateway.control.safe_attempt import Attempt, Attempts
from gateway.safety.constraint import Setting
from gateway.safety.gate import Gate
from gateway.tags.image import ProcessImage
from gateway.tags.tag import NONE, SAME, Tag

State: TypeAlias = Literal["", "pending", "confirmed", "failed", "deviated"]

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
"""Seconds between two attempts."""
PATIENCE = 10.0
"""Seconds after which an output that is not at its safe value is an alarm; more where its readback may take longer."""
SILENCE = 4
"""So many times what an attempt took that brought no sign of life, its device is left alone, until it is heard: behind
the same wire may be others that live."""
HOLD_EVERY = 1.0
"""Seconds at least between two times that a deviation is written over: whoever fights back is not flooded."""

_log = logging.getLogger("plantgate.control")


class SafeOutput:
    """A tag, its safe value, and the trips that call for it."""

    def __init__(
        self,
        tag: Tag,
        value: Setting,
        outlet: Outlet,
        gate: Gate,
        image: ProcessImage,
        clock: Clock,
        changed: Callable[["SafeOutput"], None],
        left: Callable[["SafeOutput", float, object], None],
    ) -> None:
        """Changed: told when `state` is another. Left: told when a frame goes, and what it says."""
        self.tag = tag
        self.value = value
        self.state: State = ""
        self.wanted_by: dict[str, bool] = {}
        """Constraints whose trip calls for it, and whether it is to be held."""
        self._outlet = outlet
        self._image = image
        self._clock = clock
        self._jitter = 1.0
        self._said = ("", "")
        self._changed = changed
        self._attempts = Attempts(
            tag,
            value,
            outlet,
            gate,
            image,
            clock,
            lambda: tuple(self.wanted_by),
            lambda now, raw: left(self, now, raw),
        )
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._pause = FIRST_PAUSE
        self._took = 0.0
        """Seconds of the last attempt, if nothing was heard in it."""
        self._calls = 0
        """Grows whenever a first trip calls for it: a frame of before proves nothing for it."""
        self._silent_since = 0.0
        self._confirmed_at = 0.0
        self._was_seen_safe = True
        """That it read its safe value since it was confirmed or remembered: only then there is something to hold."""

    @property
    def read_back(self) -> Value:
        """What the device read last, in engineering units."""
        return self._attempts.read_back

    def rehearse(self) -> str:
        """Return why the value could not be written if a trip called for it now, empty where it could."""
        return self._attempts.rehearse()

    def demand(self, name: str, due: float, jitter: float, *, hold: bool) -> None:
        """Bring the output to its value from then on, monotonic, until it is there or nobody wants it any more.

        A write that is under way for another trip serves this one too. Jitter: factor of the pauses; one for all
        outputs of a trip, so that they stay in their order.
        """
        is_first = not self.wanted_by
        self.wanted_by[name] = hold
        self._jitter = jitter
        if self._task is None:
            self._calls += 1
            self._begin("pending", due)
        elif is_first:  # the trip before was reset, and its write has not ended yet
            self._calls += 1
            self._set_due(due)
            self._enter("pending")
            self.wake()
        elif due < self._due:
            self._set_due(due)
            self.wake()

    def remember(self, name: str, *, hold: bool) -> None:
        """Look after an output that was at its value before the start. Nothing is written for that."""
        self.wanted_by[name] = hold
        if self._task is None:
            self._was_seen_safe = False
            self._confirmed_at = self._clock.monotonic()
            self._enter("confirmed")

    def withdraw(self, name: str) -> None:
        """Let a trip that was reset call for it no longer. A frame on the wire is not called back."""
        self.wanted_by.pop(name, None)
        if not self.wanted_by:
            self._end_alarm()
            self._enter("")
            self.wake()

    def wake(self) -> None:
        """Try again at once: the device was connected anew."""
        self._pause, self._took = FIRST_PAUSE, 0.0
        self._wake.set()

    def look(self, now: float) -> None:
        """Compare what the device reads by itself with what it should; try again if it was silent and is heard."""
        if self._took and max(self._outlet.device.heard, self._image.answered(self.tag)) > self._silent_since:
            self.wake()
        if self.state not in {"confirmed", "deviated"} or self._task is not None or not self.wanted_by:
            return
        watched = self._watched()
        if watched is None or not self._image.answered(watched) > self._confirmed_at:
            return
        sample = self._image.sample(watched, now)
        if sample.quality is not Quality.GOOD:
            return
        if self._attempts.is_safe(sample):
            self._was_seen_safe = True
            self._enter("confirmed")
            return
        self._enter("deviated")
        if any(self.wanted_by.values()) and self._was_seen_safe and now - self._confirmed_at >= HOLD_EVERY:
            self._begin("deviated", now)

    async def close(self) -> None:
        """Write no more; the frame on the wire is the lane's."""
        self._end_alarm()
        task = self._task
        if task is not None:
            await asyncio.sleep(0)  # one that was begun just now has to begin, to give up what it has queued
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _begin(self, state: State, due: float) -> None:
        self._pause, self._said = FIRST_PAUSE, ("", "")
        self._wake.clear()
        self._set_due(due)
        self._enter(state)
        # In this very step: at a trip, nothing that waits for the wire may go before it.
        first = None if due > self._clock.monotonic() else self._attempt()
        self._task = asyncio.create_task(self._bring(first), name=f"safe state {self.tag.path}")

    def _set_due(self, due: float) -> None:
        self._end_alarm()
        self._due = due
        loop = asyncio.get_running_loop()
        patience = max(PATIENCE, self.tag.settings.readback_timeout)
        self._alarm = loop.call_at(max(due, loop.time()) + patience, self._enter, "failed")

    async def _bring(self, attempt: Coroutine[Any, Any, bool] | None) -> None:
        """Try until it is there. Attempt: the first, where it was made already."""
        try:
            if attempt is None:
                await self._wait_until_due()
            while attempt is not None or self.wanted_by:
                if await (attempt or self._attempt()):
                    self._confirm()
                    return
                attempt = None
                await self._rest()
        finally:
            self._task = None

    async def _wait_until_due(self) -> None:
        while self.wanted_by and (left := self._due - self._clock.monotonic()) > 0:
            await self._sleep(left)

    async def _rest(self) -> None:
        pause, self._pause = self._pause, min(2 * self._pause, LONGEST_PAUSE)
        if self.wanted_by:
            await self._sleep(max(pause, min(SILENCE * self._took, PATIENCE)) * self._jitter)
        self._took = 0.0

    async def _sleep(self, seconds: float) -> None:
        """Sleep for so long, or until there is a reason to try at once."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    def _attempt(self) -> Coroutine[Any, Any, bool]:
        """Try once. The frame is queued in this very step; what is returned has to be awaited.

        It says whether the output is at its value, for all that call for it by then.
        """
        return self._conclude(self._attempts.make(), self._clock.monotonic(), self._calls)

    async def _conclude(self, making: Coroutine[Any, Any, Attempt], began: float, calls: int) -> bool:
        attempt = await making
        self._silent_since = self._clock.monotonic()
        self._took = self._silent_since - began if attempt.is_silent else 0.0
        if attempt.event:
            self._say(attempt.event, attempt.why)
        if attempt.is_denied and not attempt.is_there and self.wanted_by:
            self._enter("failed")
        return attempt.is_there and calls == self._calls and bool(self.wanted_by)

    def _watched(self) -> Tag | None:
        """Return the tag whose live value tells of the output, None where there is none."""
        where = self.tag.settings.readback
        return self.tag if where == SAME else None if where == NONE else self._image.find(where)

    def _confirm(self) -> None:
        self._end_alarm()
        self._confirmed_at = self._clock.monotonic()
        self._was_seen_safe = True
        self._enter("confirmed")

    def _say(self, event: str, why: str) -> None:
        """Log what is in the way, once for as long as it is the same."""
        if (event, why) != self._said and self.wanted_by:
            self._said = (event, why)
            _log.warning(event, extra={"tag": self.tag.path, "why": why, "then": "trying on"})

    def _enter(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self._changed(self)

    def _end_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
