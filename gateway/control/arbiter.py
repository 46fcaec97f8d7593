"""The arbiter: the one way down. Whatever wants to move the plant, or to change what the gate does, submits it here.

Who may do it, how long it lives and whether it came before is decided here, for every verb; carrying it out is the
matter of the verb's handler. A command that was taken goes on whether anybody waits for its answer or not.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

from gateway.audit.record import GATEWAY, Refusal
from gateway.clock import Clock
from gateway.control.accepted import Accepted, Handler
from gateway.control.authority import Authority
from gateway.control.book import Book, Entry
from gateway.control.command import Command
from gateway.control.command_digest import digest_of
from gateway.control.refusal import Refused
from gateway.control.refusal_log import RefusalLog
from gateway.control.reply import Outcome, Reply, finding_plain
from gateway.control.stored_reply import plain
from gateway.counters import ControlCounters
from gateway.storage.port import Change

_log = logging.getLogger("plantgate.control")


class Arbiter:
    """Takes commands, and answers each."""

    def __init__(
        self,
        authority: Authority,
        book: Book,
        refusals: RefusalLog,
        handlers: Mapping[str, Handler],
        tags_of: Callable[[str], tuple[str, ...] | None],
        clock: Clock,
        counters: ControlCounters,
        new_id: Callable[[], str],
        *,
        max_age: float,
        trusts_time: Callable[[], bool],
    ) -> None:
        """Tags_of: those of a constraint, None where there is none of that name. Max_age: seconds a command lives."""
        self._authority = authority
        self._book = book
        self._refusals = refusals
        self._handlers = handlers
        self._tags_of = tags_of
        self._clock = clock
        self._counters = counters
        self._new_id = new_id
        self._max_age = max_age
        self._trusts_time = trusts_time
        self._tasks: set[asyncio.Task[Reply]] = set()

    async def submit(
        self,
        command: Command,
        principal: str,
        *,
        received: float | None = None,
        changes: Callable[[], tuple[Change, ...]] = tuple,
    ) -> Reply:
        """Carry a command out, and return its answer.

        Principal: who wants it, as proved. Received: when it came, monotonic. Changes: returns what belongs into
        its first commit. Whoever stops waiting stops nothing.
        """
        now = self._clock.monotonic() if received is None else received
        task = asyncio.create_task(self._run(command, principal, now, changes), name=f"command {command.id or ''}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def settle(self, seconds: float) -> None:
        """Wait for the commands under way, for so long at most; for an ordered stop."""
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=seconds)

    async def repeat(self, command: Command, principal: str) -> Reply | None:
        """Return the answer that this very command had, None where it had none. Raises Refused."""
        if command.id is None:
            return None
        reply = await self._book.answer(f"{principal}/{command.id}", digest_of(command))
        return None if reply is None else replace(reply, repeated=True)

    async def refuse(
        self,
        refused: Refused,
        command_id: str,
        principal: str,
        command: Command | None = None,
        changes: Callable[[], tuple[Change, ...]] = tuple,
    ) -> Reply:
        """Answer what is not carried out, and record it; its id may be used again."""
        record = Refusal(
            principal=principal,
            actor=(command.actor or None) if command else None,
            command=command_id,
            verb=command.verb if command else None,
            code=refused.code,
            message=str(refused),
            request=plain(command.writes) if command else None,
            violations=[finding_plain(each) for each in refused.violations],
        )
        reply = Reply(
            command_id, Outcome.REFUSED, refused.code, str(refused), refused.violations, wall=self._clock.wall()
        )
        self._count(reply)
        return replace(reply, provenance_hash=await self._refusals.record(record, changes()))

    async def _run(
        self, command: Command, principal: str, received: float, changes: Callable[[], tuple[Change, ...]]
    ) -> Reply:
        command_id = command.id or self._new_id()
        try:
            self._authorise(command, principal)
            deadline = self._deadline(command, received)
            entry = await self._open(command, principal, command_id)
        except Refused as refused:
            return await self.refuse(refused, command_id, principal, command, changes)
        if isinstance(entry, Reply):
            return replace(entry, repeated=True)
        accepted = Accepted(
            command_id, command, principal, received, deadline, entry.key, entry.digest, entry.closing, entry.intent,
            changes,
        )  # fmt: skip
        reply = await self._handle(accepted)
        entry.end(reply)
        self._count(reply)
        return reply

    async def _handle(self, accepted: Accepted) -> Reply:
        try:
            return await self._handlers[accepted.command.verb](accepted)
        except Exception as error:  # noqa: BLE001  (a bug in one command must not take the others with it)
            _log.exception("command_crashed", extra={"command": accepted.id, "verb": accepted.command.verb})
            message = f"a defect of the gateway: {type(error).__name__}: {error}; what became of it is not known"
            return Reply(accepted.id, Outcome.UNKNOWN, "internal", message, wall=self._clock.wall())

    async def _open(self, command: Command, principal: str, command_id: str) -> Entry | Reply:
        key, digest = f"{principal}/{command_id}", digest_of(command)
        if command.id is None:
            return self._book.open_new(key, digest)
        return await self._book.open(key, digest)

    def _authorise(self, command: Command, principal: str) -> None:
        if principal == GATEWAY:
            return
        verb, tags = command.verb, (*command.writes, *command.tags)
        for tag in tags:
            if not self._authority.may(principal, verb, tag):
                raise Refused("forbidden", f"{principal} may not {verb} {tag[:129]}; see `authority:`")
        if not tags:
            self._authorise_name(command, principal)

    def _authorise_name(self, command: Command, principal: str) -> None:
        concerned = self._tags_of(command.name)
        if concerned is None:
            raise Refused("unknown_name", f"no constraint is called {command.name[:64]!r}")
        if not self._authority.may_name(principal, command.verb, concerned):
            whose = command.name or "all constraints"
            raise Refused("forbidden", f"{principal} may not {command.verb} {whose}; see `authority:`")

    def _deadline(self, command: Command, received: float) -> float:
        """Return until when the command may begin something, monotonic. Raises Refused."""
        deadline = received + self._max_age
        if command.expires_at is not None:
            left = command.expires_at.timestamp() - self._clock.wall()
            if not left > 0:
                raise Refused("expired", f"it expired {-left:.1f} s ago")
            if not self._trusts_time():
                raise Refused("time_untrusted", "it expires, and the gateway's clock is not synchronised; see `time:`")
            deadline = min(deadline, self._clock.monotonic() + left)
        if not self._clock.monotonic() <= deadline:
            raise Refused("expired", f"it waited for more than {self._max_age:g} s; send it again")
        return deadline

    def _count(self, reply: Reply) -> None:
        self._counters.decisions[reply.outcome.value, reply.code] += 1
        for finding in reply.violations:
            if finding.code == "rate_limited":
                self._counters.rate_limited[finding.name] += 1
