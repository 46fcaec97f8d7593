"""What a trip sets off: its safe state is queued in the step that latches, and goes to the wires in the next turn.

In the turn after that its record goes to the journal. Neither waits for what becomes of the other, and nothing of it
waits for a person.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from random import Random

from gateway.clock import Clock
from gateway.control.outlet import Outlet
from gateway.control.safe_output import SafeOutput
from gateway.control.safe_progress import Eyes, SafeProgress, Shown
from gateway.control.trips import Tell, Trips
from gateway.counters import ControlCounters
from gateway.safety.constraint import Constraint, SafeWrite, Setting, safe_value
from gateway.safety.gate import Gate
from gateway.safety.live import LiveConstraint
from gateway.safety.verdict import Verdict
from gateway.tags.image import ProcessImage

LOOK_EVERY = 0.25
"""Seconds between two looks at outputs that are at their safe values."""


class SafeStates:
    """The safe states of all constraints; its `begin` is the guard's trip listener."""

    def __init__(
        self,
        gate: Gate,
        image: ProcessImage,
        outlets: Mapping[str, Outlet],
        trips: Trips,
        shown: Shown,
        eyes: Eyes,
        clock: Clock,
        rng: Random,
        counters: ControlCounters,
        wrote: Callable[[str, float], None],
        tell: Tell,
    ) -> None:
        """Outlets: by device, those that may be written at all; a safe state that needs another fails at once.

        Wrote: told the tag and the time, monotonic, of every frame that leaves; it must not raise.
        """
        self._gate = gate
        self._image = image
        self._trips = trips
        self._clock = clock
        self._rng = rng
        self._wrote = wrote
        self._progress = SafeProgress(gate, trips, shown, eyes, counters, tell)
        self._outputs: dict[str, SafeOutput] = {}
        """By tag, in the order in which they were last called for."""
        self._remembered: set[str] = set()
        """Confirmed before the start; whether their causes are violated now has not shown yet."""
        self.impossible: dict[str, str] = {}
        """Tags whose safe value their device cannot take, and why: found at each connect, and not when it is needed."""
        self._touched: set[str] | None = None
        """While trips are being started: the constraints of which something is another."""
        self._unrecorded: set[str] = set()
        """Tripped in this turn of the loop; their records follow in the next."""
        for live in gate.constraints:
            self._build(live.constraint, outlets)
        for device, outlet in outlets.items():
            outlet.listen(lambda device=device: self._connected(device))  # type: ignore[misc]

    def begin(self, tripped: Sequence[LiveConstraint], now: float) -> None:
        """Queue the safe states of what latched just now in this very step; a turn later, put it on record and tell.

        The frames go out in between: recording and telling take longer than all that was done before, and the
        journal's thread, once it has something to do, wants the interpreter too.
        """
        touched = self._start(tripped, now)
        self._unrecorded.update(live.name for live in tripped)
        asyncio.get_running_loop().call_soon(self._put_on_record, tripped, touched, now)

    def resume(self) -> None:
        """Take up the trips that the last run left; to be called once, before anything is connected.

        A safe state that was never confirmed is written; one that was, only if its cause turns out to be violated.
        """
        found = [live for live in self._gate.constraints if live.latch.is_latched and live.constraint.on_trip]
        begun = [live for live in found if not self._trips.was_confirmed(live.name)]
        for live in found:
            if live not in begun:
                self._remembered.add(live.name)
                self._progress.expect(live.name, "confirmed")
                for output, wanted in self._outputs_of(live.constraint):
                    output.remember(live.name, hold=_is_held(wanted))
        self._update(self._start(begun, self._clock.monotonic(), measured=False))

    def end(self, name: str) -> None:
        """Let the safe state of a trip that was reset be repeated no longer. Writes nothing."""
        self._remembered.discard(name)
        self._progress.end(name)
        for output in self._outputs.values():
            output.withdraw(name)

    def progress(self, name: str) -> str:
        """Return how the safe state of a constraint came on, for `Guard.show_progress`; from any thread."""
        return self._progress.state(name)

    async def run(self) -> None:
        """Look after what was written, for ever; at the end, write no more."""
        try:
            while True:
                self._look(self._clock.monotonic())
                await asyncio.sleep(LOOK_EVERY)
        finally:
            await asyncio.gather(*(output.close() for output in self._outputs.values()))

    def _build(self, constraint: Constraint, outlets: Mapping[str, Outlet]) -> None:
        for path, wanted in constraint.on_trip.items():
            tag = self._image.find(path)
            outlet = None if tag is None else outlets.get(tag.device)
            if tag is not None and outlet is not None and path not in self._outputs:
                self._outputs[path] = SafeOutput(
                    tag, safe_value(wanted), outlet, self._gate, self._image, self._clock, self._changed, self._left
                )

    def _start(self, tripped: Sequence[LiveConstraint], now: float, *, measured: bool = True) -> set[str]:
        """Call for the outputs of these trips; return the constraints whose progress is another now.

        Measured: that it counts how soon the first frame leaves.
        """
        self._touched = touched = set[str]()
        try:
            for live in tripped:
                outputs, jitter = self._outputs_of(live.constraint), self._rng.uniform(0.5, 1.0)
                for output, wanted in outputs:
                    path = output.tag.path
                    self._outputs[path] = self._outputs.pop(path)
                    output.demand(live.name, now + _delay(wanted), jitter, hold=_is_held(wanted))
                if live.constraint.on_trip:
                    first = min((_delay(wanted) for _, wanted in outputs), default=None)
                    due = now + first if measured and first is not None else None
                    self._progress.expect(live.name, "pending", due)
                    touched.add(live.name)
        finally:
            self._touched = None
        return touched

    def _outputs_of(self, constraint: Constraint) -> list[tuple[SafeOutput, Setting | SafeWrite]]:
        return [(self._outputs[path], wanted) for path, wanted in constraint.on_trip.items() if path in self._outputs]

    def _put_on_record(self, tripped: Sequence[LiveConstraint], touched: set[str], now: float) -> None:
        for live in tripped:
            self._progress.tripped(live, now)
            self._unrecorded.discard(live.name)
        self._update(touched)

    def _connected(self, device: str) -> None:
        for output in list(self._outputs.values()):
            if output.tag.device == device:
                self._rehearse(output)
                output.wake()

    def _rehearse(self, output: SafeOutput) -> None:
        path, why = output.tag.path, output.rehearse()
        if not why:
            self.impossible.pop(path, None)
        elif self.impossible.get(path) != why:
            self.impossible[path] = why
            self._progress.impossible(path, why)

    def _look(self, now: float) -> None:
        for output in list(self._outputs.values()):
            output.look(now)
        for name in sorted(self._remembered):
            live = self._gate.find(name)
            if live is None or live.judgement.verdict is Verdict.UNKNOWN:
                continue
            self._remembered.discard(name)
            if live.judgement.verdict is Verdict.VIOLATED:
                self._update(self._start([live], now))

    def _changed(self, output: SafeOutput) -> None:
        if self._touched is None:
            # Of what is not on record nothing further can be; it is looked at once it is.
            self._update(set(output.wanted_by) - self._unrecorded)
        else:
            self._touched.update(output.wanted_by)

    def _update(self, names: set[str]) -> None:
        for name in sorted(names):
            live = self._gate.find(name)
            if live is not None:
                self._progress.update(live.constraint, [output for output, _ in self._outputs_of(live.constraint)])

    def _left(self, output: SafeOutput, now: float, raw: object) -> None:
        self._progress.left(output, now, raw)
        self._wrote(output.tag.path, now)


def _delay(wanted: Setting | SafeWrite) -> float:
    return float(wanted.after) if isinstance(wanted, SafeWrite) else 0.0


def _is_held(wanted: Setting | SafeWrite) -> bool:
    return isinstance(wanted, SafeWrite) and wanted.hold
