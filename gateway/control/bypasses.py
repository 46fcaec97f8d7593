"""Bypasses: what is looked away from, by whom, and until when. Every one of them ends, over restarts too."""

import asyncio
import logging
from collections.abc import Sequence

from gateway.audit.record import Bypass
from gateway.clock import Clock
from gateway.control.lasting import EVERY, Lasting, Report
from gateway.control.lasting_time import LastingTime
from gateway.control.trips import Tell
from gateway.safety.constraint import Constraint
from gateway.safety.gate import Gate
from gateway.storage.port import Change, Journal, Table

LONGEST = 8 * 3600.0
"""Seconds that a bypass may last where the constraint names no `max_bypass`: one shift."""
_ROUNDING = 1e-6
"""Seconds by which a bypass is shorter, so that a sum of floats is not above the most that is allowed."""

_log = logging.getLogger("plantgate.control")


class Bypasses:
    """All bypasses in force."""

    def __init__(
        self, journal: Journal, gate: Gate, clock: Clock, time: LastingTime, report: Report, tell: Tell
    ) -> None:
        self._lasting = Lasting(journal, Table.BYPASSES, time)
        self._gate = gate
        self._clock = clock
        self._report = report
        self._tell = tell

    async def restore(self) -> None:
        """Take up what the last run left; to be called before anything is judged. What cannot be measured ends."""
        await self._lasting.load()
        left, over = self._lasting.look()
        now = self._clock.monotonic()
        for name, seconds in left:
            live = self._gate.find(name)
            if live is None or not live.constraint.bypassable:
                self._end(name, "ended", "not bypassable any more")
                continue
            allowed = min(seconds, longest(live.constraint))
            self._gate.bypass(name, now + allowed - _ROUNDING)
            self._announce(name, "restored", {"seconds": round(allowed, 3)})
        for name, why in over:
            self._end(name, why)

    async def begin(self, name: str, seconds: float, record: Bypass, more: Sequence[Change] = ()) -> str:
        """Bypass a constraint from now on; return the hash of the record.

        One that runs is replaced, so a shorter one ends it sooner. Raises StorageError; then nothing is bypassed
        that was not. Seconds: at most `longest`.
        """
        begun = self._clock.monotonic()
        done = await self._lasting.grant(name, seconds, record, more)
        self._gate.bypass(name, begun + seconds - _ROUNDING)
        details = {"seconds": seconds, "principal": record.principal, "actor": record.actor, "reason": record.reason}
        self._announce(name, "begun", details)
        return done

    async def run(self) -> None:
        """End what is over, for ever."""
        try:
            while True:
                await asyncio.sleep(EVERY)
                self._look()
        finally:
            await self._lasting.close()

    def _look(self) -> None:
        left, over = self._lasting.look()
        now = self._clock.monotonic()
        for name, seconds in left:
            live = self._gate.find(name)
            # In suspend the gate's clock stands still, and that of the grant goes on.
            if live is not None and live.bypassed_until > now + seconds + EVERY:
                self._gate.bypass(name, now + seconds)
        for name, why in over:
            self._end(name, why)

    def _end(self, name: str, state: str, reason: str | None = None) -> None:
        live = self._gate.find(name)
        if live is not None and live.is_bypassed(self._clock.monotonic()):
            self._gate.bypass(name, self._clock.monotonic())
        self._lasting.end(name, Bypass(constraint=name, state=state, reason=reason))
        self._announce(name, state, {} if reason is None else {"reason": reason})

    def _announce(self, name: str, state: str, details: dict[str, object]) -> None:
        told = {key: value for key, value in details.items() if value is not None}
        _log.warning(f"bypass_{state}", extra={"constraint": name, **told})
        self._tell("bypass", state, {"constraint": name, **told})
        self._report(name)


def longest(constraint: Constraint) -> float:
    """Return the most seconds for which a constraint may be bypassed."""
    return LONGEST if constraint.max_bypass is None else float(constraint.max_bypass)
