"""Carrying out a write: resolve, judge, journal the intent, wait for the devices, send, read back, journal the outcome.

All writes of a command are judged before its first frame, and each again at its own. They are sent in the order they
are given; the first that is not applied stops the rest. A frame is sent once, whatever becomes of it.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from gateway.audit.record import Intent, Refusal
from gateway.audit.record import Outcome as OutcomeRecord
from gateway.clock import Clock
from gateway.control.accepted import Accepted
from gateway.control.devices_in_turn import DevicesInTurn
from gateway.control.outcome_log import OutcomeLog
from gateway.control.refusal import Refused, refused_by
from gateway.control.refusal_log import COMMIT_TIMEOUT, RefusalLog
from gateway.control.reply import Outcome, Reply, finding_plain, worst
from gateway.control.sending import Sender, Sent
from gateway.control.sight import Sight
from gateway.control.stored_reply import plain
from gateway.control.target import Target, Targets
from gateway.control.unresolved import Unresolved
from gateway.errors import StorageError
from gateway.safety.decision import Decision
from gateway.safety.gate import Gate
from gateway.safety.operation import Operation
from gateway.storage.port import Change, Journal

_DRY = "it would have been written; control is dry_run, so no frame left"
_OFF = "control is off here, so nothing is written; `control: on` lets it"


class WriteCommands:
    """Handles the verb write."""

    def __init__(
        self,
        targets: Targets,
        gate: Gate,
        sight: Sight,
        sender: Sender,
        turns: DevicesInTurn,
        journal: Journal,
        refusals: RefusalLog,
        outcomes: OutcomeLog,
        unresolved: Unresolved,
        clock: Clock,
        check: Callable[[Sequence[Target], str], None],
        applied: Callable[[Target, Accepted], None],
    ) -> None:
        """Check: raises Refused for whatever else forbids these targets to this principal at the moment.

        Applied: told each write that was read back.
        """
        self._targets = targets
        self._gate = gate
        self._sight = sight
        self._sender = sender
        self._turns = turns
        self._journal = journal
        self._refusals = refusals
        self._outcomes = outcomes
        self._unresolved = unresolved
        self._clock = clock
        self._check = check
        self._applied = applied

    async def __call__(self, accepted: Accepted) -> Reply:
        """Carry it out."""
        command = accepted.command
        try:
            targets = self._targets.resolve(command.writes)
            modes = self._targets.modes(targets)
            if "off" in modes:
                raise Refused("forbidden", _OFF)  # noqa: TRY301  (one place answers all refusals)
            writes = tuple(target.write for target in targets)
            operation = Operation(
                accepted.principal, writes, command.key, command.locks, is_reassert=accepted.is_reassert
            )
            decision = self._judge(operation, targets)
            if "dry_run" in modes:
                raise Refused("dry_run", _DRY, decision.warnings)  # noqa: TRY301
            devices = {target.tag.device for target in targets}
            is_safe = self._gate.is_always_allowed(writes)
            async with self._turns.turn(command.priority, devices, accepted.deadline, operation, is_safe=is_safe):
                return await self._write(accepted, operation, targets)
        except Refused as refused:
            return await self.refuse(accepted, refused)

    async def refuse(self, accepted: Accepted, refused: Refused, *, owed: bool = False) -> Reply:
        """Answer a command of which no frame left, and record it. Owed: one day for certain, at no rate."""
        reply = Reply(
            accepted.id, Outcome.REFUSED, refused.code, str(refused), refused.violations, wall=self._clock.wall()
        )
        tags = tuple(accepted.command.writes)
        record = Refusal(
            principal=accepted.principal,
            actor=accepted.command.actor or None,
            reason=accepted.command.reason or None,
            tags=tags,
            command=accepted.id,
            verb=accepted.command.verb,
            code=refused.code,
            message=str(refused),
            request=plain(accepted.command.writes),
            violations=[finding_plain(each) for each in refused.violations],
            saw=self._sight.saw(tag for tag in tags if self._sight.knows(tag)),
        )
        changes = (*accepted.changes(), *accepted.closing(reply))
        if owed:
            return replace(reply, provenance_hash=await self._outcomes.commit(record.plain(), changes))
        return replace(reply, provenance_hash=await self._refusals.record(record, changes))

    def _judge(self, operation: Operation, targets: Sequence[Target]) -> Decision:
        """Return the decision, which permits. Raises Refused."""
        self._check(targets, operation.principal)
        decision = self._gate.judge(operation, self._clock.monotonic())
        if not decision.is_permitted:
            raise refused_by(decision)
        return decision

    async def _write(self, accepted: Accepted, operation: Operation, targets: Sequence[Target]) -> Reply:
        """Judge once more, now that the devices are free; from the intent on, it ends in an outcome."""
        decision = self._judge(operation, targets)
        bounds = self._sender.bounds(targets, accepted.deadline)
        try:
            await self._commit_intent(accepted, decision, targets)
        except Refused as refused:
            # It may be on the disk all the same: then this refusal has to follow it there.
            return await self.refuse(accepted, refused, owed=True)
        sent = await self._sender.send_all(accepted, operation, targets, bounds)
        for each in sent:
            if each.result.outcome is Outcome.APPLIED:
                self._applied(each.target, accepted)
        reply = self._reply(accepted, decision, sent)
        if reply.outcome is Outcome.UNKNOWN:
            self._unresolved.add(accepted, sent)
        changes = [change for each in sent for change in each.changes]
        return replace(reply, provenance_hash=await self._commit_outcome(accepted, reply, sent, changes))

    async def _commit_intent(self, accepted: Accepted, decision: Decision, targets: Sequence[Target]) -> None:
        command = accepted.command
        record = Intent(
            principal=accepted.principal,
            actor=command.actor or None,
            reason=command.reason or None,
            tags=tuple(command.writes),
            command=accepted.id,
            verb=command.verb,
            request=plain(command.writes),
            saw=self._sight.saw(target.tag.path for target in targets),
            verdict="permitted",
            warnings=[f"{each.name}: {each.reason}" for each in decision.warnings],
            epoch=self._gate.epoch,
        )
        kept = {"id": accepted.id, "principal": accepted.principal, "writes": plain(command.writes)}
        left = min(COMMIT_TIMEOUT, accepted.deadline - self._clock.monotonic())
        try:
            async with asyncio.timeout(left):
                await self._journal.commit([record.plain()], (*accepted.changes(), *accepted.intent(kept)))
        except (StorageError, TimeoutError) as error:
            why = str(error) or "the disk does not answer"
            raise Refused("journal_unavailable", f"what is not on record is not written: {why}") from None

    def _reply(self, accepted: Accepted, decision: Decision, sent: Sequence[Sent]) -> Reply:
        outcome = worst(each.result.outcome for each in sent)
        decisive = next(
            (each.result for each in sent if each.result.outcome is outcome),
            next((each.result for each in sent if each.result.outcome is Outcome.REFUSED), sent[0].result),
        )
        return Reply(
            accepted.id,
            outcome,
            decisive.code,
            decisive.message,
            (*(finding for each in sent for finding in each.violations), *decision.warnings),
            {each.target.tag.path: each.result for each in sent},
            wall=self._clock.wall(),
        )

    async def _commit_outcome(
        self, accepted: Accepted, reply: Reply, sent: Sequence[Sent], changes: Sequence[Change]
    ) -> str:
        record = OutcomeRecord(
            principal=accepted.principal,
            tags=tuple(accepted.command.writes),
            command=accepted.id,
            outcome=reply.outcome.value,
            code=reply.code or None,
            saw=next((each.saw for each in sent if each.saw), None),
            frames=[each.frame for each in sent if each.frame is not None],
            read_back={each.target.tag.path: each.read_back for each in sent if each.read_back is not None} or None,
            violations=[finding_plain(each) for each in reply.violations],
        )
        return await self._outcomes.commit(record.plain(), (*changes, *accepted.closing(reply)))
