"""Answering commands about constraints: who has to say who they are, and how each answer comes onto the record."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gateway.audit.record import Refusal
from gateway.clock import Clock
from gateway.control.accepted import Accepted
from gateway.control.authority import ANONYMOUS
from gateway.control.refusal import Refused
from gateway.control.refusal_log import RefusalLog
from gateway.control.reply import Outcome, Reply, finding_plain


class Answers:
    """Makes the replies of one gateway."""

    def __init__(self, refusals: RefusalLog, clock: Clock) -> None:
        self._refusals = refusals
        self._clock = clock

    def applied(self, accepted: Accepted, message: str) -> Reply:
        """Return the reply to what was done; its hash is missing yet."""
        return Reply(accepted.id, Outcome.APPLIED, message=message, wall=self._clock.wall())

    def refused(self, accepted: Accepted, refused: Refused) -> Reply:
        """Return the reply to what was not done; its hash is missing yet."""
        return Reply(
            accepted.id, Outcome.REFUSED, refused.code, str(refused), refused.violations, wall=self._clock.wall()
        )

    async def refuse(self, accepted: Accepted, refused: Refused) -> Reply:
        """Put a refusal onto the record, and return its reply."""
        reply = self.refused(accepted, refused)
        changes = (*accepted.changes(), *accepted.closing(reply))
        return replace(reply, provenance_hash=await self._refusals.record(refusal(accepted, refused), changes))


def refusal(accepted: Accepted, refused: Refused) -> Refusal:
    """Return the record of a refusal."""
    command = accepted.command
    return Refusal(
        **who(accepted),
        command=accepted.id,
        verb=command.verb,
        code=refused.code,
        message=str(refused),
        request={"name": command.name} if command.seconds is None else {"name": command.name, "for": command.seconds},
        violations=[finding_plain(each) for each in refused.violations],
    )


def who(accepted: Accepted) -> dict[str, Any]:
    """Return who wants it and why, as every record has it."""
    command = accepted.command
    return {"principal": accepted.principal, "actor": command.actor or None, "reason": command.reason or None}


def check_person(accepted: Accepted) -> None:
    """Raise Refused where nobody answers for it by name, or says no reason."""
    command = accepted.command
    if accepted.principal == ANONYMOUS and not command.actor.strip():
        raise Refused("bad_schema", f"actor: {command.verb} needs to know who wants it")
    if not command.reason.strip():
        raise Refused("bad_schema", f"reason: {command.verb} needs to know why")


def listed(names: Sequence[str]) -> str:
    """Return names for a person."""
    return ", ".join(names) if len(names) <= 10 else f"{', '.join(names[:10])} and {len(names) - 10} more"
