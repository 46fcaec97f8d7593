"""What follows a wish that ends, in time or because it was taken back: the next one's value, gated as any write."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from math import inf
from types import MappingProxyType

from gateway.audit.record import GATEWAY
from gateway.audit.record import Outcome as OutcomeRecord
from gateway.clock import Clock
from gateway.control.accepted import Accepted
from gateway.control.answers import Answers
from gateway.control.command import Command
from gateway.control.outcome_log import OutcomeLog
from gateway.control.refusal import Refused
from gateway.control.reply import Outcome, Reply, Result
from gateway.control.trips import Tell
from gateway.control.wishes import Wishes

LONGEST = 3600.0
"""Seconds between two looks at the wishes, where nothing else asks for one."""


class Succession:
    """Sets tags to what is wished for after a wish; handles the verb relinquish."""

    def __init__(
        self,
        wishes: Wishes,
        submit: Callable[[Command, str], Awaitable[Reply]],
        outcomes: OutcomeLog,
        answers: Answers,
        clock: Clock,
        tell: Tell,
    ) -> None:
        """Submit: the arbiter's."""
        self._wishes = wishes
        self._submit = submit
        self._outcomes = outcomes
        self._answers = answers
        self._clock = clock
        self._tell = tell
        self._due: dict[str, None] = {}
        self._wake = asyncio.Event()

    async def relinquish(self, accepted: Accepted) -> Reply:
        """Take a principal's wishes back; what follows them is written a moment later, as any other write."""
        now = self._clock.monotonic()
        results = {}
        unknown = next((tag for tag in accepted.command.tags if not self._wishes.knows(tag)), None)
        if unknown is not None:
            refused = Refused("unknown_tag", f"{unknown[:129]}: there is no such tag, or nobody can write it")
            return await self._answers.refuse(accepted, refused)
        for tag in accepted.command.tags:
            held = self._wishes.holds(tag, accepted.principal, now)
            known = self._wishes.relinquish(tag, accepted.principal)
            results[tag] = Result(True, Outcome.APPLIED, message="" if known else "nothing was held here")  # noqa: FBT003  (a value)
            if held:
                self._due[tag] = None
        self._wake.set()
        reply = Reply(accepted.id, Outcome.APPLIED, results=results, wall=self._clock.wall())
        record = OutcomeRecord(
            principal=accepted.principal,
            actor=accepted.command.actor or None,
            reason=accepted.command.reason or None,
            tags=tuple(accepted.command.tags),
            command=accepted.id,
            outcome=reply.outcome.value,
        )
        kept = [change for tag in accepted.command.tags for change in self._wishes.changes(tag)]
        changes = (*accepted.changes(), *kept, *accepted.closing(reply))
        return replace(reply, provenance_hash=await self._outcomes.commit(record.plain(), changes))

    def look(self) -> None:
        """Look again when the next wish ends: one was entered."""
        self._wake.set()

    async def run(self) -> None:
        """Follow the wishes, for ever."""
        while True:
            self._wake.clear()
            now = self._clock.monotonic()
            self._due.update(dict.fromkeys(self._wishes.ended(now)))
            await self._succeed(list(self._due))
            await self._rest()

    async def _rest(self) -> None:
        pause = min(self._wishes.next_expiry() - self._clock.monotonic(), LONGEST)
        try:
            async with asyncio.timeout(max(pause, 0.0)):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _succeed(self, tags: Iterable[str]) -> None:
        for tag in tags:
            self._due.pop(tag, None)
            successor = self._wishes.successor(tag, self._clock.monotonic())
            if successor is None:
                continue
            standing = self._wishes.standing(tag, self._clock.monotonic())
            left = inf if standing is None else standing.wish.expires - self._clock.monotonic()
            command = Command(
                "write",
                writes=MappingProxyType({tag: successor.value}),
                reason="the wish before it has ended",
                hold=None if left == inf else left,
            )
            reply = await self._submit(command, successor.owner or GATEWAY)
            if reply.outcome not in {Outcome.APPLIED, Outcome.UNVERIFIED}:
                details = {"tag": tag, "value": successor.value, "outcome": reply.outcome.value, "code": reply.code}
                self._tell("command", "succession_failed", details)
