"""Sending the writes of one command: each once, in order, with a leave of its own, and read back."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from drivers.errors import DeviceFault
from drivers.writing import NotSent, Unanswered
from gateway.audit.record import GATEWAY, Frame, ReadBack, Saw
from gateway.clock import Clock
from gateway.control.accepted import Accepted
from gateway.control.frame_record import frame_record
from gateway.control.leave import Bounds, Leave
from gateway.control.readback_loop import NONE, Seen, read_until_equal
from gateway.control.refusal import Refused
from gateway.control.reply import Outcome, Result
from gateway.control.sight import Sight
from gateway.control.stored_reply import plain
from gateway.control.target import Target, encoded_anew
from gateway.control.wishes import Wishes
from gateway.counters import ControlCounters
from gateway.endpoints.fair_queue import Priority
from gateway.safety.decision import Finding
from gateway.safety.gate import Gate
from gateway.safety.operation import Operation
from gateway.safety.permit import PermitRefused
from gateway.storage.port import Change

_GOOD = frozenset((Outcome.APPLIED, Outcome.UNVERIFIED))

_log = logging.getLogger("plantgate.control")


@dataclass(frozen=True, slots=True)
class Sent:
    """One write after it was tried, or was not because of one before it."""

    target: Target
    result: Result
    frame: Frame | None = None
    """None where none left."""
    saw: Mapping[str, Saw] | None = None
    read_back: ReadBack | None = None
    violations: Sequence[Finding] = ()
    changes: Sequence[Change] = ()


class Sender:
    """Puts writes onto the lanes of their devices."""

    def __init__(
        self,
        gate: Gate,
        sight: Sight,
        wishes: Wishes,
        clock: Clock,
        counters: ControlCounters,
        check: Callable[[Sequence[Target], str], None],
        wrote: Callable[[str, float], None],
    ) -> None:
        """Check: as in WriteCommands, asked again in the step of the frame.

        Wrote: told the tag and the time, monotonic, of every frame that leaves; it must not raise.
        """
        self._gate = gate
        self._sight = sight
        self._wishes = wishes
        self._clock = clock
        self._counters = counters
        self._check = check
        self._wrote = wrote

    def bounds(self, targets: Sequence[Target], deadline: float) -> dict[str, Bounds]:
        """Return what is true now and has to be true still when the frames leave, by device. Raises Refused."""
        bounds = {}
        for target in targets:
            generation = target.outlet.generation
            if generation is None:
                raise Refused("device_down", f"{target.tag.device}: the connection is gone; send it again")
            bounds[target.tag.device] = Bounds(self._gate.epoch, generation, deadline)
        return bounds

    async def send_all(
        self, accepted: Accepted, operation: Operation, targets: Sequence[Target], bounds: Mapping[str, Bounds]
    ) -> list[Sent]:
        """Return what became of each write."""
        sent: list[Sent] = []
        for place, target in enumerate(targets):
            stopper = next((each for each in sent if each.result.outcome not in _GOOD), None)
            if stopper is not None:
                message = f"not tried, since {stopper.target.tag.path} was not applied"
                sent.append(Sent(target, Result(target.value, Outcome.REFUSED, "cancelled", message=message)))
                continue
            sent.append(await self._send(accepted, operation, target, bounds[target.tag.device], place))
        return sent

    async def _send(self, accepted: Accepted, operation: Operation, target: Target, bounds: Bounds, place: int) -> Sent:
        before = self._wishes.before(target.tag.path, accepted.principal)
        leave = Leave(
            self._gate,
            self._clock,
            operation,
            target.write,
            bounds,
            lambda: encoded_anew(target),
            lambda _: self._check([target], operation.principal),
            lambda: self._sight.saw([target.tag.path]),
            lambda now: self._left(accepted, target, now),
        )
        try:
            seen, code, message = await self._write(target, leave)
        except Refused as refused:
            self._give_up_probe(target)
            result = Result(target.value, Outcome.REFUSED, refused.code, message=str(refused))
            return Sent(target, result, violations=refused.violations)
        finally:
            target.outlet.release(target.tag)
        if leave.sent is not None:
            self._counters.decision_seconds.observe(leave.took)
            if seen.outcome is Outcome.FAILED:  # the device holds what it held before
                self._wishes.put_back(target.tag.path, accepted.principal, before)
        result = Result(target.value, seen.outcome, code, seen.value, message)
        return Sent(
            target,
            result,
            self._frame(accepted, target, leave, place),
            leave.saw,
            ReadBack(plain(target.value), plain(seen.value), seen.outcome.value),
            changes=self._wishes.changes(target.tag.path),
        )

    async def _write(self, target: Target, leave: Leave) -> tuple[Seen, str, str]:
        """Return what the read-back says, with a code and a line. Raises Refused where no frame has left."""
        try:
            await target.outlet.write(target.tag, target.raw, leave, Priority.WRITE)
        except NotSent as fault:
            raise Refused("device_down", f"{target.tag.path}: {fault}") from None
        except PermitRefused as error:
            _log.exception("permit_refused", extra={"tag": target.tag.path})
            raise Refused("internal", f"{target.tag.path}: {error}") from None
        except Unanswered as fault:
            self._note_failure(target)
            return await self._find_out(target, "timeout", str(fault))
        except DeviceFault as fault:
            self._note_success(target)
            if fault.kind == "clamped":
                return await self._find_out(target, "readback_mismatch", str(fault))
            return Seen(Outcome.FAILED), "device_error", str(fault)
        except Refused:
            raise
        except Exception as error:  # noqa: BLE001  (a frame may have left: its outcome is owed whatever broke)
            _log.exception("write_crashed", extra={"tag": target.tag.path})
            if leave.sent is None:
                raise Refused("internal", f"{target.tag.path}: {type(error).__name__}: {error}") from None
            self._note_failure(target)
            return await self._find_out(target, "internal", f"{type(error).__name__}: {error}")
        self._note_success(target)
        if target.tag.settings.readback == NONE:
            return Seen(Outcome.UNVERIFIED), "", ""
        return await self._find_out(target, "", "")

    async def _find_out(self, target: Target, code: str, message: str) -> tuple[Seen, str, str]:
        """Let reading decide what became of a frame that has left; it is never sent again."""
        if target.tag.settings.readback == NONE:
            return Seen(Outcome.UNKNOWN), code, message
        seen = await read_until_equal(target, self._clock)
        path = target.tag.path
        if seen.outcome is Outcome.APPLIED:
            return seen, "", ""
        if seen.outcome is Outcome.MISMATCH:
            line = f"{path}: it reads {seen.value!r} and not {target.holds!r}"
            return seen, "readback_mismatch", f"{line}; {message}" if message else line
        line = f"{path}: it cannot be read back: {seen.why}"
        return seen, code or "timeout", f"{message}; {line}" if message else line

    def _left(self, accepted: Accepted, target: Target, now: float) -> None:
        tag = target.tag.path
        if not accepted.is_reassert:  # which says nothing new, and must not keep others from doing so
            self._counters.frames[target.tag.device] += 1
            self._wrote(tag, now)
        if accepted.principal != GATEWAY and not accepted.is_reassert:
            hold = accepted.command.hold
            self._wishes.enter(tag, target.value, accepted.principal, inf if hold is None else now + hold)

    def _frame(self, accepted: Accepted, target: Target, leave: Leave, place: int) -> Frame | None:
        if leave.sent is None:
            return None
        return frame_record(target.tag.device, target.tag.name, leave.raw, f"{accepted.id}/{place}", leave.sent)

    def _note_success(self, target: Target) -> None:
        breaker = self._gate.breakers.get(target.tag.device)
        if breaker is not None:
            breaker.succeed(self._clock.monotonic())

    def _note_failure(self, target: Target) -> None:
        breaker = self._gate.breakers.get(target.tag.device)
        if breaker is not None:
            breaker.fail(self._clock.monotonic())

    def _give_up_probe(self, target: Target) -> None:
        breaker = self._gate.breakers.get(target.tag.device)
        if breaker is not None:
            breaker.give_up()
