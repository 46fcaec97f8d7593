"""Values that a device forgets unless they are said again: each is, every period, for as long as its wish holds.

It is read before it is written, each time. Whatever is not as it was left, and whatever speaks against the write, ends
it until somebody commands the value anew: nobody may be overruled by a machine that does not know of them.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gateway.audit.record import GATEWAY
from gateway.clock import Clock
from gateway.control.accepted import Accepted
from gateway.control.devices_in_turn import DevicesInTurn
from gateway.control.keep_alive_log import KeepAliveLog
from gateway.control.readback_loop import look
from gateway.control.refusal import Refused, refused_by
from gateway.control.reply import Outcome
from gateway.control.sending import Sender
from gateway.control.target import Target, Targets
from gateway.control.trips import Tell
from gateway.control.wishes import Wishes
from gateway.endpoints.fair_queue import Priority
from gateway.safety.constraint import Setting
from gateway.safety.gate import Gate
from gateway.safety.live import LiveConstraint
from gateway.safety.operation import Operation
from gateway.tags.tag import Tag

MISSED = frozenset(("expired", "queue_full", "cancelled"))
"""Refusals that say nothing against the value: its turn did not come in time, and the next one may."""
DEVIATION = "deviation"

_log = logging.getLogger("plantgate.control")


@dataclass(slots=True, eq=False)
class _Kept:
    """A value that is kept alive."""

    tag: Tag
    value: Setting
    period: float
    accepted: Accepted
    """The command that it is from."""
    operation: Operation
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class KeepAlives:
    """All values that are kept alive, one a tag."""

    def __init__(
        self,
        targets: Targets,
        wishes: Wishes,
        gate: Gate,
        sender: Sender,
        turns: DevicesInTurn,
        log: KeepAliveLog,
        clock: Clock,
        tell: Tell,
    ) -> None:
        self._targets = targets
        self._wishes = wishes
        self._gate = gate
        self._sender = sender
        self._turns = turns
        self._log = log
        self._clock = clock
        self._tell = tell
        self._kept: dict[str, _Kept] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def applied(self, target: Target, accepted: Accepted) -> None:
        """Keep alive what a command has just brought to a device; to be called for every write that was applied."""
        path, period = target.tag.path, target.tag.settings.keep_alive
        if period is None or accepted.is_reassert or self._is_closed:
            return
        self._end(path, "superseded")
        if accepted.principal == GATEWAY:  # the value of a tag for which nobody wishes anything
            return
        command = accepted.command
        operation = Operation(accepted.principal, (target.write,), command.key, command.locks, is_reassert=True)
        kept = self._kept[path] = _Kept(target.tag, target.value, period, accepted, operation)
        self._log.start(path, accepted.principal)
        task = asyncio.create_task(self._keep(kept), name=f"keep-alive {path}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def tripped(self, tripped: Sequence[LiveConstraint], now: float) -> None:
        """End what a trip halts, in the step that decides it; listens to the guard."""
        del tripped
        for kept in list(self._kept.values()):
            decision = self._gate.judge(kept.operation, now)
            if any(each.code == "halted" for each in decision.refusals):
                self._stop(kept, refused_by(decision))

    async def close(self, seconds: float = 1.0) -> None:
        """Say nothing again, and give what is under way some time; a frame on the wire is the lane's."""
        self._is_closed = True
        for path in list(self._kept):
            self._end(path, "restart")
        if self._tasks:
            _, late = await asyncio.wait(list(self._tasks), timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _keep(self, kept: _Kept) -> None:
        due = self._clock.monotonic() + kept.period
        while not kept.ended.is_set():
            await self._rest(kept, due)
            try:
                await self._say_again(kept)
            except Refused as refused:
                self._refused(kept, refused)
            except Exception as error:  # noqa: BLE001  (it ends this one value, and says so)
                _log.exception("keep_alive_crashed", extra={"tag": kept.tag.path})
                self._stop(kept, Refused("internal", f"{type(error).__name__}: {error}"))
            due = max(due + kept.period, self._clock.monotonic())

    async def _rest(self, kept: _Kept, due: float) -> None:
        """Wait until then, or until it has ended."""
        try:
            async with asyncio.timeout_at(due):
                await kept.ended.wait()
        except TimeoutError:
            return

    async def _say_again(self, kept: _Kept) -> None:
        """Read, and write where it still reads the same. Raises Refused for whatever speaks against it."""
        if not self._holds(kept):
            return
        deadline = self._clock.monotonic() + kept.period
        async with self._turns.turn("low", {kept.tag.device}, deadline, kept.operation):
            if not self._holds(kept):
                return
            (target,) = self._targets.resolve({kept.tag.path: kept.value})
            mode = self._targets.mode(target.outlet.device)
            if mode != "on":
                raise Refused("forbidden", f"control is {mode}")
            await self._check_unchanged(target)
            if self._holds(kept):
                await self._write(kept, target, deadline)

    async def _check_unchanged(self, target: Target) -> None:
        seen = await look(target, Priority.WRITE)
        if seen.outcome is Outcome.MISMATCH:
            raise Refused(DEVIATION, f"{target.tag.path}: it reads {seen.value!r}; somebody else has changed it")
        if seen.outcome is not Outcome.APPLIED:
            raise Refused("device_down", f"{target.tag.path}: it cannot be read back: {seen.why}")

    async def _write(self, kept: _Kept, target: Target, deadline: float) -> None:
        again = replace(kept.accepted, deadline=deadline, is_reassert=True)
        bounds = self._sender.bounds([target], deadline)
        (sent,) = await self._sender.send_all(again, kept.operation, [target], bounds)
        if sent.frame is not None:
            self._log.wrote(kept.tag.path)
        result = sent.result
        if result.outcome is not Outcome.APPLIED:
            raise Refused(result.code or result.outcome.value, result.message, sent.violations)

    def _holds(self, kept: _Kept) -> bool:
        """Return whether it is still what is wished for, and end it where it is not."""
        if kept.ended.is_set():
            return False
        path = kept.tag.path
        standing = self._wishes.standing(path, self._clock.monotonic())
        if standing is None:
            self._end(path, "the wish has ended")
        elif standing.wish.owner != kept.accepted.principal or not _is_same(standing.wish.value, kept.value):
            self._end(path, "superseded")
        return not kept.ended.is_set()

    def _refused(self, kept: _Kept, refused: Refused) -> None:
        if refused.code == "restart":
            self._end(kept.tag.path, "restart")
        elif refused.code not in MISSED:
            self._stop(kept, refused)
        elif not kept.ended.is_set():
            _log.warning("keep_alive_missed", extra={"tag": kept.tag.path, "why": str(refused)})

    def _end(self, path: str, reason: str) -> None:
        """End what is kept of a tag, as it was to be expected."""
        kept = self._kept.pop(path, None)
        if kept is not None:
            kept.ended.set()
            self._log.end(path, reason)

    def _stop(self, kept: _Kept, why: Refused) -> None:
        """End it, and raise an alarm: its device falls back to whatever it does by itself."""
        path = kept.tag.path
        if self._kept.get(path) is not kept:
            return
        del self._kept[path]
        kept.ended.set()
        details = {"tag": path, "code": why.code, "message": str(why)}
        _log.warning("keep_alive_stopped", extra={"tag": path, "code": why.code, "why": str(why)})
        self._log.end(path, f"{why.code}: {why}", "deviation" if why.code == DEVIATION else "stop")
        self._tell("keep_alive", "stopped", details)


def _is_same(one: Setting, other: Setting) -> bool:
    return type(one) is type(other) and one == other
