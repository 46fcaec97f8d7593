"""How the safe states come on: shown, told, counted, and put on record. Nothing here can stop what is written."""

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from gateway.audit.record import Frame, ReadBack, SafeState, Saw, Trip
from gateway.control.frame_record import frame_record
from gateway.control.safe_output import SafeOutput, State
from gateway.control.stored_reply import plain
from gateway.control.trips import Tell, Trips
from gateway.counters import ControlCounters
from gateway.safety.constraint import Constraint, safe_value
from gateway.safety.gate import Gate
from gateway.safety.live import LiveConstraint

MOST_FRAMES = 32
"""Frames of a safe state in one record; of more, the newest."""
WORST_FIRST: tuple[State, ...] = ("failed", "deviated", "pending", "confirmed")

_log = logging.getLogger("plantgate.control")


class Shown(Protocol):
    """The guard, as far as it shows things."""

    def report(self, name: str) -> None:
        """Show a constraint anew."""


class Eyes(Protocol):
    """Whoever can say how a tag stands, such as `gateway.control.sight.Sight`."""

    def knows(self, tag: str) -> bool:
        """Return whether there is such a tag."""

    def look(self, tag: str, now: float) -> Saw:
        """Return one tag as it stands."""


class SafeProgress:
    """The state of each safe state that was called for."""

    def __init__(
        self, gate: Gate, trips: Trips, shown: Shown, eyes: Eyes, counters: ControlCounters, tell: Tell
    ) -> None:
        self._gate = gate
        self._trips = trips
        self._shown = shown
        self._eyes = eyes
        self._counters = counters
        self._tell = tell
        self._states: dict[str, State] = {}
        """By constraint; read by the HTTP thread too, so it is never walked through."""
        self._due: dict[str, float] = {}
        """When the first frame of a trip was due, monotonic, until it has left."""
        self._frames: dict[str, deque[Frame]] = {}

    def state(self, name: str) -> str:
        """Return how the safe state of a constraint came on, empty where none was called for; from any thread."""
        return self._states.get(name, "")

    def expect(self, name: str, state: State, due: float | None = None) -> None:
        """Follow the safe state of a constraint. Due: when its first frame should leave, monotonic."""
        self._states[name] = state
        if due is not None:
            self._due[name] = due

    def end(self, name: str) -> None:
        """Follow it no longer: it was reset."""
        self._states.pop(name, None)
        self._due.pop(name, None)
        self._frames.pop(name, None)

    def tripped(self, live: LiveConstraint, now: float) -> None:
        """Put a trip on record, and tell of it."""
        saw = {tag: self._eyes.look(tag, now) for tag in live.constraint.watched if self._eyes.knows(tag)}
        self._trips.remember(_trip_record(self._gate, live, saw))
        self._counters.trips[live.name] += 1
        details = {
            "constraint": live.name,
            "verdict": live.judgement.verdict.value,
            "reason": live.judgement.reason,
            "value": live.judgement.value,
            "first_out": live.name in self._gate.first_out,
        }
        _log.error("trip", extra=details)
        self._try(lambda: self._tell("trip", "tripped", details))

    def impossible(self, tag: str, why: str) -> None:
        """Tell that the device of a tag could not take its safe value."""
        _log.error("safe_state_impossible", extra={"tag": tag, "why": why})
        self._try(lambda: self._tell("trip", "safe_state_impossible", {"tag": tag, "why": why}))

    def left(self, output: SafeOutput, now: float, raw: object) -> None:
        """Count a frame that leaves, for every trip that it serves."""
        self._counters.frames[output.tag.device] += 1
        permit = f"safe_state/{'+'.join(output.wanted_by)}"
        frame = frame_record(output.tag.device, output.tag.name, raw, permit, now)
        for name in output.wanted_by:
            self._frames.setdefault(name, deque(maxlen=MOST_FRAMES)).append(frame)
            due = self._due.pop(name, None)
            if due is not None:
                self._counters.trip_reaction.observe(max(now - due, 0.0))

    def update(self, constraint: Constraint, outputs: Sequence[SafeOutput]) -> None:
        """Show, tell and record the state of a safe state, where it is another than it was."""
        name = constraint.name
        state = _state_of(constraint, outputs)
        if self._states.get(name, state) == state:
            return
        self._states[name] = state
        frames = tuple(self._frames.pop(name, ()))
        self._trips.note(name, _progress_record(constraint, state, frames, outputs))
        level = logging.INFO if state in {"confirmed", "pending"} else logging.ERROR
        details = {"constraint": name, "state": state, **_why(constraint, outputs)}
        _log.log(level, "safe_state", extra=details)
        self._try(lambda: self._tell("trip", f"safe_state_{state}", details))
        self._try(lambda: self._shown.report(name))

    def _try(self, tell: Callable[[], None]) -> None:
        try:
            tell()
        except Exception as error:  # noqa: BLE001  (whoever listens must not end the repetition of a safe state)
            _log.error("listener_failed", extra={"error": f"{type(error).__name__}: {error}"})


def _state_of(constraint: Constraint, outputs: Sequence[SafeOutput]) -> State:
    """Return the worst of its outputs; one that nothing can write has failed."""
    states = {output.state for output in outputs}
    if len(outputs) < len(constraint.on_trip):
        states.add("failed")
    return next((state for state in WORST_FIRST if state in states), "")


def _why(constraint: Constraint, outputs: Sequence[SafeOutput]) -> dict[str, str]:
    """Return why some of its tags are not even tried, where that is so."""
    tried = {output.tag.path for output in outputs}
    left = [tag for tag in constraint.on_trip if tag not in tried]
    return {"why": f"control is not on for {', '.join(left)}, so nothing is written there"} if left else {}


def _trip_record(gate: Gate, live: LiveConstraint, saw: Mapping[str, Saw]) -> Trip:
    constraint = live.constraint
    return Trip(
        constraint=live.name,
        tags=constraint.watched,
        reason=live.judgement.reason or None,
        verdict=live.judgement.verdict.value,
        first_out=live.name in gate.first_out,
        saw=saw,
        limit={key: each for key, each in zip(("min", "max"), constraint.bounds, strict=True) if each is not None}
        or None,
        safe_state={tag: plain(safe_value(wanted)) for tag, wanted in constraint.on_trip.items()} or None,
        epoch=gate.epoch,
    )


def _progress_record(
    constraint: Constraint, state: State, frames: Sequence[Frame], outputs: Sequence[SafeOutput]
) -> SafeState:
    read = {each.tag.path: ReadBack(plain(each.value), plain(each.read_back), each.state) for each in outputs}
    return SafeState(
        constraint=constraint.name, tags=tuple(constraint.on_trip), state=state, frames=frames, read_back=read or None
    )
