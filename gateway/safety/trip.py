"""The trip latch of one constraint: from a violation that lasts to a latch that only a person resets. Pure.

The table below is the whole of it; docs/ shows it drawn from here.
"""

from dataclasses import dataclass
from enum import Enum
from math import inf

from gateway.safety.verdict import OK, UNKNOWN, Verdict


class TripState(Enum):
    """Where a latch stands."""

    CLEAR = "clear"
    PENDING = "pending"
    """Violated, and the on_delay is not over."""
    TRIPPED = "tripped"
    """Latched, the cause present."""
    RETURNING = "returning"
    """Latched, the cause gone, the off_delay not over."""
    RESETTABLE = "resettable"
    """Latched, the cause gone for long enough."""


class TripEvent(Enum):
    """What can happen to a latch."""

    VIOLATED = "violated"
    OK = "ok"
    UNKNOWN = "unknown"
    ON_DELAY_OVER = "on_delay_over"
    UNKNOWN_DELAY_OVER = "unknown_delay_over"
    OFF_DELAY_OVER = "off_delay_over"
    RESET = "reset"
    RESET_BYPASSED = "reset_bypassed"
    """A reset of a constraint that is bypassed, whose cause may be present."""


CLEAR = TripState.CLEAR
LATCHED = frozenset((TripState.TRIPPED, TripState.RETURNING, TripState.RESETTABLE))

TRANSITIONS: dict[tuple[TripState, TripEvent], TripState] = {
    (TripState.CLEAR, TripEvent.VIOLATED): TripState.PENDING,
    (TripState.CLEAR, TripEvent.UNKNOWN_DELAY_OVER): TripState.TRIPPED,
    (TripState.PENDING, TripEvent.OK): TripState.CLEAR,
    (TripState.PENDING, TripEvent.ON_DELAY_OVER): TripState.TRIPPED,
    (TripState.PENDING, TripEvent.UNKNOWN_DELAY_OVER): TripState.TRIPPED,
    (TripState.TRIPPED, TripEvent.OK): TripState.RETURNING,
    (TripState.TRIPPED, TripEvent.RESET_BYPASSED): TripState.CLEAR,
    (TripState.RETURNING, TripEvent.VIOLATED): TripState.TRIPPED,
    (TripState.RETURNING, TripEvent.UNKNOWN): TripState.TRIPPED,
    (TripState.RETURNING, TripEvent.OFF_DELAY_OVER): TripState.RESETTABLE,
    (TripState.RETURNING, TripEvent.RESET_BYPASSED): TripState.CLEAR,
    (TripState.RESETTABLE, TripEvent.VIOLATED): TripState.TRIPPED,
    (TripState.RESETTABLE, TripEvent.UNKNOWN): TripState.TRIPPED,
    (TripState.RESETTABLE, TripEvent.RESET): TripState.CLEAR,
    (TripState.RESETTABLE, TripEvent.RESET_BYPASSED): TripState.CLEAR,
}
"""What is not in it changes nothing."""

_EVENTS = {Verdict.VIOLATED: TripEvent.VIOLATED, Verdict.OK: TripEvent.OK, Verdict.UNKNOWN: TripEvent.UNKNOWN}


@dataclass(frozen=True, slots=True)
class TripDelays:
    """How long causes last before they count, seconds."""

    on_delay: float = 0.0
    off_delay: float = 0.0
    unknown_delay: float = inf
    """Doubt trips after so long; inf: never."""


class Latch:
    """One constraint's latch. Times are monotonic."""

    __slots__ = ("_delays", "_doubted", "_lasted", "_proved", "_since", "is_latched", "state")

    def __init__(self, delays: TripDelays, *, latched: bool = False) -> None:
        """Latched: as the journal remembers it from before the start."""
        self._delays = delays
        self.state = TripState.TRIPPED if latched else CLEAR
        self.is_latched = latched
        """That a trip is in force."""
        self._since: float | None = None
        """Since when the state's delay runs; None while a doubt has frozen it."""
        self._lasted = 0.0
        """What had passed of it when it was frozen."""
        self._doubted: float | None = None
        self._proved = False
        """That there was a good sample since the start: no doubt trips before."""

    def judge(self, verdict: Verdict, now: float, *, held: bool = False) -> bool:
        """Take in a verdict, or only the time that passed; return whether it tripped just now.

        Held: that it is bypassed and may not trip, while its delays run on as they would.
        """
        if verdict is OK and self.state is CLEAR:  # nearly always; it costs nothing
            self._proved, self._doubted = True, None
            return False
        was_latched = self.is_latched
        self._proved |= verdict is not UNKNOWN
        self._happen(_EVENTS[verdict], now)
        self._run(verdict, now)
        may_trip = was_latched or not held
        doubted_for_long = self._doubt_is_over(verdict, now)
        if may_trip and self._is_due(now):
            self._happen(_DELAYED[self.state], now)
        if may_trip and doubted_for_long:
            self._happen(TripEvent.UNKNOWN_DELAY_OVER, now)
        return self.is_latched and not was_latched

    def reset(self, now: float) -> bool:
        """Clear the latch, if its cause is gone for long enough; return whether it did."""
        before = self.state
        self._happen(TripEvent.RESET, now)
        return self.state is not before

    def force(self, now: float) -> None:
        """Clear the latch of a constraint that is bypassed, whatever its cause."""
        self._happen(TripEvent.RESET_BYPASSED, now)

    def _happen(self, event: TripEvent, now: float) -> None:
        following = TRANSITIONS.get((self.state, event))
        if following is not None:
            self._enter(following, now)

    def _enter(self, state: TripState, now: float) -> None:
        self.state = state
        self.is_latched = state in LATCHED
        self._since = now
        self._lasted = 0.0

    def _run(self, verdict: Verdict, now: float) -> None:
        """Let the delay of a pending trip run while the violation is seen, and stand still while it is not."""
        if self.state is not TripState.PENDING:
            return
        if verdict is UNKNOWN:
            if self._since is not None:
                self._lasted += now - self._since
                self._since = None
        elif self._since is None:
            self._since = now

    def _is_due(self, now: float) -> bool:
        if self._since is None or self.state not in _DELAYED:
            return False
        delay = self._delays.on_delay if self.state is TripState.PENDING else self._delays.off_delay
        return self._lasted + now - self._since >= delay

    def _doubt_is_over(self, verdict: Verdict, now: float) -> bool:
        if verdict is not UNKNOWN:
            self._doubted = None
            return False
        if self._doubted is None:
            self._doubted = now
        return self._proved and now - self._doubted >= self._delays.unknown_delay


_DELAYED = {TripState.PENDING: TripEvent.ON_DELAY_OVER, TripState.RETURNING: TripEvent.OFF_DELAY_OVER}
