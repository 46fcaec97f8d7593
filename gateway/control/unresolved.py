"""Writes of which nobody knows whether they took effect: found out by reading, never by writing again.

They come from devices that fell silent, and from a process that was killed between an intent and its outcome.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.audit.record import Outcome as OutcomeRecord
from gateway.audit.record import ReadBack
from gateway.clock import Clock
from gateway.control.accepted import Accepted
from gateway.control.book import Book
from gateway.control.outcome_log import OutcomeLog
from gateway.control.readback_loop import NONE, Seen, look
from gateway.control.refusal import Refused
from gateway.control.reply import Outcome, Reply, Result, worst
from gateway.control.sending import Sent
from gateway.control.stored_reply import plain, reply_value
from gateway.control.target import Target, Targets
from gateway.control.trips import Tell
from gateway.counters import ControlCounters
from gateway.endpoints.fair_queue import Priority
from gateway.safety.constraint import Setting
from gateway.storage.port import Change, Journal, Table

EVERY = 1.0
"""Seconds between two looks at what is unresolved."""
MOST = 1000
"""Commands looked after at once; beyond it the oldest waits for the next restart."""
FOUND_OUT = "found out by reading"
ANEW = "it was written anew before it could be read"

_log = logging.getLogger("plantgate.control")


@dataclass(slots=True)
class _Open:
    key: str
    id: str
    principal: str
    digest: str
    writes: dict[str, Setting]
    """Whose effect is not known."""
    known: dict[str, Result]


class Unresolved:
    """Looks after them until each could be read."""

    def __init__(
        self,
        targets: Targets,
        book: Book,
        outcomes: OutcomeLog,
        clock: Clock,
        counters: ControlCounters,
        tell: Tell,
    ) -> None:
        self._targets = targets
        self._book = book
        self._outcomes = outcomes
        self._clock = clock
        self._counters = counters
        self._tell = tell
        self._open: dict[str, _Open] = {}

    def add(self, accepted: Accepted, sent: Sequence[Sent]) -> None:
        """Look after the writes of a command whose outcome is unknown."""
        unknown = {each.target.tag.path: each for each in sent if each.result.outcome is Outcome.UNKNOWN}
        known = {each.target.tag.path: each.result for each in sent if each.target.tag.path not in unknown}
        writes = {tag: each.target.value for tag, each in unknown.items()}
        self._enter(_Open(accepted.key, accepted.id, accepted.principal, accepted.digest, writes, known))

    def supersede(self, tag: str) -> None:
        """Note that a tag was written anew: what it reads from now on says nothing of earlier writes."""
        for each in self._open.values():
            value = each.writes.pop(tag, None)
            if value is not None:
                each.known[tag] = Result(value, Outcome.UNKNOWN, "timeout", message=ANEW)

    async def recover(self, journal: Journal) -> list[str]:
        """Take up what the last run left behind; return the ids of those without an outcome. Raises StorageError."""
        loaded = await journal.load(Table.INTENTS)
        without = []
        for key, value in loaded.values.items():
            left = _Open(key, value["id"], value["principal"], value["digest"], dict(value["writes"]), {})
            kept = await journal.find(Table.COMMANDS, key)
            if kept is None or kept["reply"] is None:
                await self._close_with_restart(left)
                without.append(left.id)
            self._enter(left)
        return without

    async def run(self) -> None:
        """Look every second, for ever."""
        while True:
            await asyncio.sleep(EVERY)
            for each in list(self._open.values()):
                await self._look_at(each)

    def _enter(self, entry: _Open) -> None:
        self._open[entry.key] = entry
        if len(self._open) > MOST:
            oldest = next(iter(self._open))
            del self._open[oldest]
            _log.warning("unresolved_left_for_restart", extra={"command": oldest})
        self._counters.unresolved = len(self._open)

    async def _close_with_restart(self, left: _Open) -> None:
        record = OutcomeRecord(
            principal=left.principal, tags=tuple(left.writes), command=left.id, outcome="unknown", code="restart"
        )
        await self._outcomes.commit(record.plain())

    async def _look_at(self, entry: _Open) -> None:
        for tag, value in list(entry.writes.items()):
            try:
                (target,) = self._targets.resolve({tag: value})
            except Refused as refused:
                if refused.code in {"device_down", "fingerprint_mismatch"}:
                    return  # it comes back one day
                seen = Seen(Outcome.UNKNOWN, why=str(refused))  # another configuration: nobody will ever know
            else:
                seen = await self._read(target)
                if seen.outcome is Outcome.UNKNOWN and target.tag.settings.readback != NONE:
                    return
            if entry.writes.pop(tag, None) is not None:
                code = "" if seen.outcome is Outcome.APPLIED else "readback_mismatch"
                code = "restart" if seen.outcome is Outcome.UNKNOWN else code
                entry.known[tag] = Result(value, seen.outcome, code, seen.value, message=seen.why)
        if self._open.pop(entry.key, None) is not None:
            self._counters.unresolved = len(self._open)
            await self._settle(entry)

    async def _read(self, target: Target) -> Seen:
        if target.tag.settings.readback == NONE:
            return Seen(Outcome.UNKNOWN, why="it cannot be read back")
        return await look(target, Priority.READ)

    async def _settle(self, entry: _Open) -> None:
        outcome = worst(result.outcome for result in entry.known.values())
        left = [result.message for result in entry.known.values() if result.outcome is Outcome.UNKNOWN]
        message = left[0] if left else f"{FOUND_OUT}, after it had been unknown"
        reply = Reply(entry.id, outcome, "", message, results=entry.known, wall=self._clock.wall())
        read = {
            tag: ReadBack(plain(result.requested), plain(result.read_back), result.outcome.value)
            for tag, result in entry.known.items()
        }
        record = OutcomeRecord(
            principal=entry.principal,
            reason=message if left else FOUND_OUT,
            tags=tuple(entry.known),
            command=entry.id,
            outcome=outcome.value,
            read_back=read,
        )
        stored = {"digest": entry.digest, "reply": reply_value(reply)}
        changes = (Change(Table.COMMANDS, entry.key, stored), Change(Table.INTENTS, entry.key, None))
        self._book.forget(entry.key)
        await self._outcomes.commit(record.plain(), changes)
        self._tell("command", "resolved", {"id": entry.id, "outcome": outcome.value})
