"""The beats of one device: what is said, when it is due, and what is told of it."""

import asyncio
import logging
from collections.abc import Callable

from drivers.errors import DeviceFault
from drivers.writing import Raw
from gateway.clock import Clock
from gateway.control.beat_permit import BeatPermit
from gateway.control.beat_value import following
from gateway.control.keep_alive_log import KeepAliveLog
from gateway.control.outlet import Outlet
from gateway.control.trips import Tell
from gateway.counters import ControlCounters
from gateway.endpoints.fair_queue import Priority
from gateway.endpoints.settings import Deadman
from gateway.safety.gate import Gate
from gateway.safety.operation import Write
from gateway.safety.permit import PermitRefused
from gateway.tags.tag import Tag

MISSED = 3
"""So many beats in a row that could not be released for want of an evaluation, and it is on record that they ended."""

_log = logging.getLogger("plantgate.control")


class Beats:
    """The beats of one device, one in flight at most."""

    def __init__(
        self,
        deadman: Deadman,
        outlet: Outlet,
        gate: Gate,
        clock: Clock,
        why_not: Callable[[float, bool], str],
        log: KeepAliveLog,
        counters: ControlCounters,
        tell: Tell,
    ) -> None:
        """Why_not: what speaks against beats at that time, monotonic, to a device that has them or has none."""
        self._outlet = outlet
        self._tag: Tag = next(tag for tag in outlet.device.tags if tag.name == deadman.tag)
        self._period = deadman.period
        self._gate = gate
        self._clock = clock
        self._why_not = why_not
        self._log = log
        self._counters = counters
        self._tell = tell
        self._last: bool | int | None = None
        """What left last. One that did not leave is said again: a device that watches for edges needs each of them."""
        self._due = self._released = float("-inf")
        self._is_beating = False
        self._is_failing = False
        self.task: asyncio.Task[None] | None = None
        """The beat under way."""

    def release(self, now: float) -> None:
        """Let a beat go if one is due; to be called after each evaluation that is on time."""
        before, self._released = self._released, now
        if now - before > MISSED * self._period:
            self.end("late")
        why = self._why_not(now, self._is_beating)
        if why:
            self.end(why)
        elif self.task is None and now >= self._due:
            on_grid = self._due + self._period
            self._due = on_grid if on_grid > now else now + self._period
            self.task = asyncio.create_task(self._beat(), name=f"beat {self._tag.path}")

    def end(self, why: str) -> None:
        """Note that there are no beats any more."""
        if self._is_beating:
            self._is_beating = False
            _log.warning("beats_stopped", extra={"tag": self._tag.path, "reason": why})
            self._log.end(self._tag.path, why)
            self._tell("deadman", "stopped", {"tag": self._tag.path, "reason": why})

    async def _beat(self) -> None:
        try:
            await self._write()
        except PermitRefused as error:
            _log.debug("beat_withheld", extra={"why": str(error)})  # the next evaluation says why, if it lasts
        except (DeviceFault, ValueError) as error:
            self._note_failure(str(error))
        except Exception as error:  # noqa: BLE001  (the next beat has to go all the same)
            _log.exception("beat_crashed", extra={"tag": self._tag.path})
            self._note_failure(f"{type(error).__name__}: {error}")
        else:
            self._is_failing = False
        finally:
            self.task = None

    async def _write(self) -> None:
        generation = self._outlet.generation
        if generation is None:
            return
        value, raw = self._encode()
        write = Write(self._tag.path, value)
        permit = BeatPermit(
            write,
            generation,
            self._gate,
            self._clock,
            lambda now: self._why_not(now, self._is_beating),
            lambda: self._note_left(value),
        )
        try:
            await self._outlet.write(self._tag, raw, permit, Priority.WRITE)
        finally:
            self._outlet.release(self._tag)

    def _encode(self) -> tuple[bool | int, Raw]:
        """Return what the next beat says. Raises ValueError where the tag cannot say it."""
        device, limits = self._outlet.device, self._tag.settings.range
        data_type = device.data_types[device.tags.index(self._tag)]
        value, first = following(self._last, data_type, limits), following(None, data_type, limits)
        if value is None or first is None:
            kind = "of unknown type" if data_type is None else f"a {data_type.value}"
            raise ValueError(f"{self._tag.path}: a beat toggles a bool or counts in an integer, and this is {kind}")
        try:
            return value, self._raw(value)
        except ValueError:
            if first in {value, self._last}:  # it would say the same for ever
                raise
            return first, self._raw(first)

    def _raw(self, value: bool | int) -> Raw:  # noqa: FBT001  (a value)
        """Return a value for the wire. Raises ValueError for one that the device would hold as another."""
        raw = self._outlet.encode(self._tag, value)
        if self._outlet.decode(self._tag, raw).value != value:
            raise ValueError(f"{self._tag.path}: the device cannot hold {value!r}; a beat wants a tag without a scale")
        return raw

    def _note_left(self, value: bool | int) -> None:  # noqa: FBT001  (a value)
        path = self._tag.path
        self._last = value
        if not self._is_beating:
            self._is_beating = True
            _log.info("beats_started", extra={"tag": path})
            self._log.start(path)
            self._tell("deadman", "started", {"tag": path})
        self._log.wrote(path)
        self._counters.frames[self._tag.device] += 1
        self._counters.beats[self._tag.device] += 1

    def _note_failure(self, why: str) -> None:
        if not self._is_failing:
            self._is_failing = True
            _log.warning("beat_failed", extra={"tag": self._tag.path, "why": why, "then": "the next at its time"})
            self._tell("deadman", "failing", {"tag": self._tag.path, "why": why})
