"""The commands about constraints that are no reset of a trip: bypass, acknowledge, shelve."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from gateway.audit.record import Acknowledgement, Bypass, Shelve
from gateway.control.accepted import Accepted, Handler
from gateway.control.answers import Answers, check_person, listed, who
from gateway.control.bypasses import Bypasses, longest
from gateway.control.kept_table import commit_in_time
from gateway.control.lasting import Report
from gateway.control.refusal import Refused
from gateway.control.reply import Reply
from gateway.control.reset_command import ResetCommand
from gateway.control.shelves import LONGEST as LONGEST_SHELF
from gateway.control.shelves import Shelves
from gateway.errors import StorageError
from gateway.safety.alarm import AlarmState
from gateway.safety.gate import Gate
from gateway.safety.live import LiveConstraint
from gateway.storage.port import Journal

_UNSEEN = frozenset((AlarmState.UNACK_ACTIVE, AlarmState.RTN_UNACK))


class ConstraintCommands:
    """Handles the verbs ack, reset, bypass and shelve."""

    def __init__(
        self,
        gate: Gate,
        journal: Journal,
        answers: Answers,
        reset: ResetCommand,
        bypasses: Bypasses,
        shelves: Shelves,
        report: Report,
    ) -> None:
        self._gate = gate
        self._journal = journal
        self._answers = answers
        self._bypasses = bypasses
        self._shelves = shelves
        self._report = report
        self.reset: Handler = reset

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """Return them by verb."""
        return {"ack": self.ack, "reset": self.reset, "bypass": self.bypass, "shelve": self.shelve}

    async def bypass(self, accepted: Accepted) -> Reply:
        """Stop denial and new trips of a constraint for a time; what is latched stays so."""
        try:
            return await self._bypass(accepted)
        except Refused as refused:
            return await self._answers.refuse(accepted, refused)

    async def shelve(self, accepted: Accepted) -> Reply:
        """Hide an alarm for a time."""
        try:
            return await self._shelve(accepted)
        except Refused as refused:
            return await self._answers.refuse(accepted, refused)

    async def ack(self, accepted: Accepted) -> Reply:
        """Note that somebody has seen an alarm, or with no name all of them."""
        try:
            return await self._ack(accepted)
        except Refused as refused:
            return await self._answers.refuse(accepted, refused)

    async def _bypass(self, accepted: Accepted) -> Reply:
        live = self._find(accepted)
        if not live.constraint.bypassable:
            raise Refused("not_bypassable", f"{live.name}: it has no `bypassable: true`")
        check_person(accepted)
        seconds = _time(accepted, "30m; one that is shorter than what is left ends a bypass sooner")
        most = longest(live.constraint)
        if not seconds <= most:
            raise Refused("bad_value", f"for: {live.name} may be bypassed for {most:g} s at most")
        reply = self._answers.applied(accepted, f"{live.name} is bypassed for {seconds:g} s")
        record = Bypass(constraint=live.name, state="begun", seconds=seconds, **who(accepted))
        begin = partial(self._bypasses.begin, live.name, seconds, record)
        try:
            done = await begin((*accepted.changes(), *accepted.closing(reply)))
        except StorageError as error:
            raise Refused("journal_unavailable", f"what is not on record is not bypassed: {error}") from None
        return replace(reply, provenance_hash=done)

    async def _shelve(self, accepted: Accepted) -> Reply:
        live = self._find(accepted)
        seconds = _time(accepted, "2h")
        if not seconds <= LONGEST_SHELF:
            raise Refused("bad_value", f"for: an alarm may be shelved for {LONGEST_SHELF / 3600:g} h at most")
        reply = self._answers.applied(accepted, f"the alarm of {live.name} is shelved for {seconds:g} s")
        record = Shelve(alarm=live.name, seconds=seconds, **who(accepted))
        try:
            done = await self._shelves.begin(
                live.name, seconds, record, (*accepted.changes(), *accepted.closing(reply))
            )
        except StorageError as error:
            raise Refused("journal_unavailable", f"it is not shelved: {error}") from None
        return replace(reply, provenance_hash=done)

    async def _ack(self, accepted: Accepted) -> Reply:
        named = [self._find(accepted)] if accepted.command.name else list(self._gate.constraints)
        unseen = [live for live in named if live.alarm.state in _UNSEEN]
        names = [live.name for live in unseen]
        reply = self._answers.applied(accepted, f"acknowledged: {listed(names)}" if names else "nothing to acknowledge")
        records = [Acknowledgement(alarm=name, **who(accepted)).plain() for name in names]
        try:
            done = await commit_in_time(self._journal, records, (*accepted.changes(), *accepted.closing(reply)))
        except StorageError as error:
            raise Refused("journal_unavailable", f"nothing is acknowledged: {error}") from None
        for live in unseen:
            live.alarm.acknowledge()
            self._report(live.name)
        return replace(reply, provenance_hash=done)

    def _find(self, accepted: Accepted) -> LiveConstraint:
        name = accepted.command.name
        if not name:
            raise Refused("bad_schema", f"name: {accepted.command.verb} needs the name of a constraint")
        live = self._gate.find(name)
        if live is None:
            raise Refused("unknown_name", f"no constraint is called {name[:64]!r}")
        return live


def _time(accepted: Accepted, example: str) -> float:
    seconds = accepted.command.seconds
    if seconds is None or not seconds > 0:
        raise Refused("bad_schema", f"for: {accepted.command.verb} needs to know for how long, such as {example}")
    return seconds
