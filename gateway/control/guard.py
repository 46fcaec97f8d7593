"""The evaluation loop: judges on every batch and at least every period, also with no device at all.

The watchdog is fed from here and from nowhere else, and only while the evaluation is on time.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from drivers.values import Quality
from gateway.clock import Clock
from gateway.control.suppression import follow_lost_devices
from gateway.counters import LATE_PERIODS, GuardCounters, Histogram
from gateway.safety.alarm import AlarmState
from gateway.safety.gate import Gate, Observed
from gateway.safety.live import LiveConstraint
from gateway.safety.verdict import SafetyLevel, Verdict
from gateway.tags.image import Batch, ProcessImage

VALUE_EVERY = 1.0
"""Seconds at least between two reports of a constraint whose value alone changed."""


@dataclass(frozen=True, slots=True)
class ConstraintState:
    """A constraint as it stands, for those who show it."""

    name: str
    level: SafetyLevel
    verdict: Verdict
    reason: str
    value: float | None
    min: float | None
    max: float | None
    since: float
    """When the verdict became what it is; wall clock, seconds since 1970 UTC."""
    alarm: AlarmState = AlarmState.NORMAL
    latched: bool = False
    first_out: bool = False
    """That it tripped first, of what is latched."""
    safe_state: str = ""
    """How its safe state came on: pending, confirmed, failed or deviated; empty where none was called for."""
    bypassed_until: float | None = None
    """Wall clock, seconds since 1970 UTC; None where it is not bypassed."""


StateListener: TypeAlias = Callable[[ConstraintState], None]
TripListener: TypeAlias = Callable[[Sequence[LiveConstraint], float], None]
"""Told what latched just now, and when, monotonic; in the step that decided it."""
BeatListener: TypeAlias = Callable[[float], None]
"""Told of an evaluation that is on time, and when it was, monotonic. It must not raise."""
Progress: TypeAlias = Callable[[str], str]
"""Returns how the safe state of the constraint of that name came on; see ConstraintState."""


class _Told(NamedTuple):
    """What was told of a constraint last, and when, monotonic."""

    value: float | None
    alarm: AlarmState
    at: float


class Guard:
    """Runs the gate on time, and tells who listens what it said."""

    def __init__(
        self,
        gate: Gate,
        image: ProcessImage,
        period: float,
        clock: Clock,
        counters: GuardCounters,
        loop_lag: Histogram,
        beat: Callable[[], None],
    ) -> None:
        """Period: seconds. Beat: called after each evaluation that is on time (the watchdog)."""
        self._gate = gate
        self._image = image
        self._period = period
        self._clock = clock
        self._counters = counters
        self._loop_lag = loop_lag
        self._beat = beat
        self._listeners: list[StateListener] = []
        self._trip_listeners: list[TripListener] = []
        self._beat_listeners: list[BeatListener] = []
        self._progress: Progress = lambda _: ""
        self._is_lost: Callable[[str], bool] = lambda _: False
        self._since = {live: (live.judgement.verdict, clock.wall()) for live in gate.constraints}
        self._told = {
            live: _Told(live.judgement.value, live.alarm.state, clock.monotonic()) for live in gate.constraints
        }
        self._watched = {tag.index: tag.path for tag in image.tags if gate.watches(tag.path)}
        """The tags that are judged; of the others a batch costs one look each."""
        self.evaluated = asyncio.Event()
        """Set once the first evaluation ran."""
        image.listen(self._observe)

    def listen(self, listener: StateListener) -> None:
        """Tell the listener of every constraint now, and of each change from then on."""
        self._listeners.append(listener)
        for state in self.states():
            listener(state)

    def on_trip(self, listener: TripListener) -> None:
        """Call the listener in the step that latches."""
        self._trip_listeners.append(listener)

    def on_beat(self, listener: BeatListener) -> None:
        """Call the listener after each evaluation that is on time, once what it set off has begun."""
        self._beat_listeners.append(listener)

    def show_progress(self, progress: Progress) -> None:
        """Take what is to be shown of safe states from there."""
        self._progress = progress

    def suppress_for(self, is_lost: Callable[[str], bool]) -> None:
        """Hide alarms whose only cause is a device of which this says that it is lost, and shown to be."""
        self._is_lost = is_lost

    @property
    def is_on_time(self) -> bool:
        """That verdicts may be relied on: an evaluation ran, and lately."""
        last = self._counters.last
        return last is not None and self._is_on_time(last, self._clock.monotonic())

    def report(self, name: str) -> None:
        """Tell the listeners of a constraint anew: its latch, alarm, bypass or safe state changed."""
        live = self._gate.find(name)
        if live is not None:
            self._report(live, self._clock.monotonic())

    def states(self) -> list[ConstraintState]:
        """Return every constraint as it stands, UNKNOWN while the evaluation is late; from any thread."""
        states = [self._state(live) for live in self._gate.constraints]
        last = self._counters.last
        if last is None or self._is_on_time(last, self._clock.monotonic()):
            return states
        return [replace(state, verdict=Verdict.UNKNOWN, reason="late", value=None) for state in states]

    async def run(self) -> None:
        """Evaluate every period, for ever."""
        due = self._clock.monotonic()
        while True:
            now = self._clock.monotonic()
            self._loop_lag.observe(max(now - due, 0.0))
            self._evaluate(now)
            self._note(now)
            self.evaluated.set()
            due = max(due + self._period, now)
            await asyncio.sleep(due - self._clock.monotonic())

    def _evaluate(self, now: float) -> None:
        self._image.expire()
        self._act(self._gate.refresh(now), now)
        for live in self._gate.constraints:
            self._follow_lost_devices(live, now)
            value, alarm, told = self._told[live]
            if live.alarm.state is not alarm or (live.judgement.value != value and now - told >= VALUE_EVERY):
                self._report(live, now)

    def _follow_lost_devices(self, live: LiveConstraint, now: float) -> None:
        if live.judgement.verdict is Verdict.UNKNOWN or live.alarm.state is AlarmState.SUPPRESSED:
            follow_lost_devices(live, now, self._is_lost, lambda tag: self._is_good(tag, now))

    def _is_good(self, tag: str, now: float) -> bool:
        found = self._image.find(tag)
        return found is not None and self._image.sample(found, now).quality is Quality.GOOD

    def _note(self, now: float) -> None:
        last, self._counters.last = self._counters.last, now
        self._counters.evaluations += 1
        self._counters.errors = self._gate.errors
        if last is None or self._is_on_time(last, now):
            self._beat()
            for listener in self._beat_listeners:
                listener(now)
        else:
            self._counters.late += 1

    def _is_on_time(self, last: float, now: float) -> bool:
        return now - last <= LATE_PERIODS * self._period

    def _observe(self, batch: Batch) -> None:
        watched = self._watched
        changed = [watched[tag.index] for tag, _ in batch.changes if tag.index in watched]
        if changed:
            now = self._clock.monotonic()
            self._act(self._gate.observe(changed, now), now)

    def _act(self, observed: Observed, now: float) -> None:
        if not observed.tripped:
            self._tell(observed.changed, now)
            return
        for listener in self._trip_listeners:
            listener(observed.tripped, now)
        # What a trip sets off comes before anything is told: its frames go to the wires in between.
        asyncio.get_running_loop().call_soon(self._tell_of_trip, observed, now)

    def _tell_of_trip(self, observed: Observed, now: float) -> None:
        self._tell(observed.changed, now)
        for live in observed.tripped:
            self._report(live, now)

    def _tell(self, changed: Sequence[LiveConstraint], now: float) -> None:
        for live in changed:
            self._follow_lost_devices(live, now)
            verdict = live.judgement.verdict
            if verdict is not self._since[live][0]:
                self._since[live] = (verdict, self._clock.wall())
                self._counters.violations[live.constraint.name] += verdict is Verdict.VIOLATED
            self._report(live, now)

    def _report(self, live: LiveConstraint, now: float) -> None:
        self._told[live] = _Told(live.judgement.value, live.alarm.state, now)
        state = self._state(live)
        for listener in self._listeners:
            listener(state)

    def _state(self, live: LiveConstraint) -> ConstraintState:
        constraint, judgement = live.constraint, live.judgement
        return ConstraintState(
            name=constraint.name,
            level=constraint.level,
            verdict=judgement.verdict,
            reason=judgement.reason,
            value=judgement.value,
            min=constraint.bounds[0],
            max=constraint.bounds[1],
            since=self._since[live][1],
            alarm=live.alarm.state,
            latched=live.latch.is_latched,
            first_out=live.name in self._gate.first_out,
            safe_state=self._progress(live.name),
            bypassed_until=self._bypassed_until(live),
        )

    def _bypassed_until(self, live: LiveConstraint) -> float | None:
        left = live.bypassed_until - self._clock.monotonic()
        return round(self._clock.wall() + left) if left > 0 else None
