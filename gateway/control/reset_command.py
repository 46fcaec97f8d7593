"""Reset: a person clears a trip whose cause is gone. On the disk first, then in the gate; nothing is written."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from gateway.audit.record import Reset
from gateway.clock import Clock
from gateway.control.accepted import Accepted
from gateway.control.answers import Answers, check_person, listed, refusal, who
from gateway.control.kept_table import commit_in_time
from gateway.control.lasting import Report
from gateway.control.refusal import Refused
from gateway.control.reply import Reply
from gateway.control.safe_progress import Eyes
from gateway.control.trips import Tell, Trips
from gateway.errors import StorageError
from gateway.safety.decision import Finding
from gateway.safety.gate import Gate
from gateway.safety.live import LiveConstraint
from gateway.safety.verdict import Verdict
from gateway.storage.port import Journal, Value

_log = logging.getLogger("plantgate.control")


class ResetCommand:
    """Handles the verb reset."""

    def __init__(
        self,
        gate: Gate,
        trips: Trips,
        journal: Journal,
        eyes: Eyes,
        answers: Answers,
        clock: Clock,
        ended: Callable[[str], None],
        report: Report,
        tell: Tell,
    ) -> None:
        """Ended: told the name of each trip that is no more, in the step of its reset."""
        self._gate = gate
        self._trips = trips
        self._journal = journal
        self._eyes = eyes
        self._answers = answers
        self._clock = clock
        self._ended = ended
        self._report = report
        self._tell = tell
        self._turn = asyncio.Lock()

    async def __call__(self, accepted: Accepted) -> Reply:
        """Reset one trip, or with no name all whose cause is gone."""
        try:
            check_person(accepted)
            async with self._turn:
                if not self._clock.monotonic() <= accepted.deadline:
                    raise Refused("expired", "another reset took too long; send it again")  # noqa: TRY301
                return await self._reset(accepted)
        except Refused as refused:
            return await self._answers.refuse(accepted, refused)

    async def _reset(self, accepted: Accepted) -> Reply:
        name = accepted.command.name
        if name and self._gate.refuses_reset(name, self._clock.monotonic()) == "unknown_name":
            raise Refused("unknown_name", f"no constraint is called {name[:64]!r}")
        mended = self._trips.is_damaged and not name
        lost = await self._lost() if mended else []
        latched = self._gate.latched()
        wanted = [name] if name in latched else [] if name else latched
        if not wanted and not mended:
            return await self._nothing(accepted, name)
        refused = self._blocked(wanted, lost)
        free = [each for each in wanted if each not in refused]
        if refused and not free and (lost or not mended):
            raise self._cause_present(refused)
        return await self._clear(accepted, free, refused, lost, mended=mended)

    async def _lost(self) -> list[str]:
        """Return trips that are on the disk and were not found at the start. Raises Refused."""
        try:
            names = await self._trips.read_anew()
        except StorageError as error:
            raise Refused("journal_unavailable", f"what is latched cannot be read: {error}") from None
        return sorted(names - set(self._gate.latched()))

    def _blocked(self, wanted: Sequence[str], lost: Sequence[str]) -> dict[str, Finding]:
        """Return what speaks against a reset, by name."""
        now = self._clock.monotonic()
        found = {}
        for name in wanted:
            if self._gate.refuses_reset(name, now):
                found[name] = cause(self._gate.find(name), name)
        for name in lost:
            live = self._gate.find(name)
            if live is not None and live.judgement.verdict is not Verdict.OK and not live.is_bypassed(now):
                found[name] = cause(live, name)
        return found

    async def _clear(
        self, accepted: Accepted, free: Sequence[str], blocked: dict[str, Finding], lost: Sequence[str], *, mended: bool
    ) -> Reply:
        """Take trips off the disk and out of the gate."""
        values = {name: self._trips.value(name) for name in free}
        gone = [*free, *(name for name in lost if name not in blocked)]
        mends = mended and not any(name in blocked for name in lost)
        reply = self._reply(accepted, free, blocked)
        records = [self._record(accepted, name) for name in gone] or [self._record(accepted, "")]
        more = (*accepted.changes(), *accepted.closing(reply))
        try:
            done = await self._trips.forget(gone, records, more, mended=mends)
        except StorageError as error:
            raise Refused("journal_unavailable", f"it stays latched: {error}") from None
        returned = self._let_go(accepted, free)
        if not returned:
            return replace(reply, provenance_hash=done)
        return await self._take_back(accepted, {name: values[name] for name in returned}, {**blocked, **returned})

    def _let_go(self, accepted: Accepted, names: Sequence[str]) -> dict[str, Finding]:
        """Clear latches; return those whose cause came back meanwhile."""
        now = self._clock.monotonic()
        shown = set(self._gate.first_out)
        returned = {}
        for name in names:
            if self._gate.reset(name, now):
                returned[name] = cause(self._gate.find(name), name)
                continue
            self._ended(name)
            command = accepted.command
            details = {"constraint": name, "principal": accepted.principal, "actor": command.actor}
            _log.warning("reset", extra={**details, "reason": command.reason})
            self._tell("reset", "reset", {**details, "reason": command.reason})
        for name in sorted(shown | set(names)):
            self._report(name)
        return returned

    async def _take_back(self, accepted: Accepted, values: Mapping[str, Value], blocked: dict[str, Finding]) -> Reply:
        """Put trips onto the disk again that the gate did not let go, and answer as it is."""
        refused = self._cause_present(blocked)
        reply = self._answers.refused(accepted, refused)
        try:
            done = await self._trips.keep(
                values,
                [refusal(accepted, refused).plain()],
                accepted.closing(reply),
            )
        except StorageError as error:
            _log.error(
                "trip_not_kept", extra={"constraint": listed(list(values)), "why": str(error), "then": "trying on"}
            )
            return reply
        return replace(reply, provenance_hash=done)

    async def _nothing(self, accepted: Accepted, name: str) -> Reply:
        """Answer a reset that finds nothing latched: what was asked for holds already."""
        reply = self._answers.applied(accepted, f"{name}: not latched" if name else "nothing was latched")
        with suppress(StorageError):  # nothing rests on it but the repetition of this answer
            await commit_in_time(self._journal, [], (*accepted.changes(), *accepted.closing(reply)))
        return reply

    def _reply(self, accepted: Accepted, free: Sequence[str], blocked: dict[str, Finding]) -> Reply:
        if blocked:
            refused = self._cause_present(blocked)
            done = f"reset: {listed(free)}; " if free else ""
            return self._answers.refused(accepted, Refused(refused.code, f"{done}{refused}", refused.violations))
        return self._answers.applied(accepted, f"reset: {listed(free)}" if free else "nothing was latched")

    def _cause_present(self, blocked: dict[str, Finding]) -> Refused:
        why = listed([f"{name} ({finding.reason.replace('_', ' ')})" for name, finding in blocked.items()])
        return Refused("cause_present", f"still latched, for the cause is not gone: {why}", tuple(blocked.values()))

    def _record(self, accepted: Accepted, name: str) -> Reset:
        live = self._gate.find(name)
        tags = () if live is None else tuple(tag for tag in live.constraint.watched if self._eyes.knows(tag))
        now = self._clock.monotonic()
        return Reset(constraint=name, tags=tags, saw={tag: self._eyes.look(tag, now) for tag in tags}, **who(accepted))


def cause(live: LiveConstraint | None, name: str) -> Finding:
    """Return why a trip cannot be reset: what was judged, and against which limit."""
    if live is None:
        return Finding("cause_present", name, "unknown")
    judgement, (low, high) = live.judgement, live.constraint.bounds
    limit = {"below_min": low, "above_max": high}.get(judgement.reason)
    reason = judgement.reason or "off_delay"  # OK by now, and not for long enough
    tag = live.constraint.watched[0] if live.constraint.watched else ""
    return Finding("cause_present", name, reason, tag, judgement.value, limit)
