"""The book of command ids: each is carried out once, also across restarts, and answered the same again.

An id belongs to its principal. One that is under way is waited for; one that came before is looked up on the disk.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from gateway.control.refusal import Refused
from gateway.control.reply import Outcome, Reply
from gateway.control.stored_reply import reply_value, stored_reply
from gateway.errors import StorageError
from gateway.storage.port import Change, Journal, Table

READ_TIMEOUT = 5.0
"""Seconds that the disk gets to say whether an id came before."""
RECENT = 1000
"""Answers that are kept in memory too; those of refusals that were only counted are kept nowhere else."""


class Entry:
    """One id under way; whoever opened it has to end it."""

    def __init__(self, book: "Book", key: str, digest: str) -> None:
        self._book = book
        self.key = key
        self.digest = digest
        self.answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

    def intent(self, value: Mapping[str, Any]) -> tuple[Change, ...]:
        """Return what keeps the id, and what is wanted, before the first frame."""
        return (
            Change(Table.COMMANDS, self.key, {"digest": self.digest, "reply": None}),
            Change(Table.INTENTS, self.key, {"digest": self.digest, **value}),
        )

    def closing(self, reply: Reply) -> tuple[Change, ...]:
        """Return what stores the answer. An unknown outcome stays among the intents, to be found out."""
        stored = Change(Table.COMMANDS, self.key, {"digest": self.digest, "reply": reply_value(reply)})
        if reply.outcome is Outcome.UNKNOWN:
            return (stored,)
        return (stored, Change(Table.INTENTS, self.key, None))

    def end(self, reply: Reply) -> None:
        """Answer whoever waits for the same id."""
        self._book.note(self, reply)
        if not self.answer.done():
            self.answer.set_result(reply)


class Book:
    """All ids."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.is_damaged = False
        """That ids may have been lost: none that somebody gave can be told from one that came before."""
        self._open: dict[str, Entry] = {}
        self._recent: OrderedDict[str, tuple[str, Reply]] = OrderedDict()

    async def open(self, key: str, digest: str) -> Entry | Reply:
        """Return the entry of an id that is new, or the answer that it had. Raises Refused.

        There is no `await` between the look at what is under way and the entry: of two that come together, one waits.
        """
        if key in self._open or key in self._recent:
            reply = await self.answer(key, digest)
            assert reply is not None
            return reply
        entry = self.open_new(key, digest)
        try:
            reply = await self._look_up(key, digest)
        except BaseException as error:
            self._give_up(entry, error)
            raise
        if reply is None:
            return entry
        entry.end(reply)
        return reply

    async def answer(self, key: str, digest: str) -> Reply | None:
        """Return the answer that an id had or will have, None where it is not known. Raises Refused."""
        under_way = self._open.get(key)
        if under_way is not None:
            _check(under_way.digest, digest, key)
            return await asyncio.shield(under_way.answer)
        if key in self._recent:
            before, reply = self._recent[key]
            _check(before, digest, key)
            return reply
        return await self._look_up(key, digest)

    async def _look_up(self, key: str, digest: str) -> Reply | None:
        known = await self._find(key)
        if known is None:
            await self._check_whole()
            return None
        _check(known["digest"], digest, key)
        return _answer_of(known, key)

    def open_new(self, key: str, digest: str) -> Entry:
        """Return the entry of an id that the gateway made itself, and so never came before."""
        entry = self._open[key] = Entry(self, key, digest)
        return entry

    def note(self, entry: Entry, reply: Reply) -> None:
        """Keep an answer in memory, and the id no longer as under way."""
        self._open.pop(entry.key, None)
        self._recent[entry.key] = (entry.digest, reply)
        while len(self._recent) > RECENT:
            self._recent.popitem(last=False)

    def forget(self, key: str) -> None:
        """Look an id up on the disk again: its answer has changed there."""
        self._recent.pop(key, None)

    def _give_up(self, entry: Entry, error: BaseException) -> None:
        self._open.pop(entry.key, None)
        if not entry.answer.done():
            entry.answer.set_exception(error if isinstance(error, Refused) else Refused("internal", "not looked up"))
            entry.answer.exception()  # seen, where nobody waits

    async def _check_whole(self) -> None:
        """Raise Refused where an id that is not on record may have been on it."""
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                self.is_damaged = Table.COMMANDS in await self._journal.damaged()
        except (StorageError, TimeoutError):
            self.is_damaged = True
        if self.is_damaged:
            raise Refused("journal_unavailable", "the ids on record are damaged: send it without one, once")

    async def _find(self, key: str) -> Mapping[str, Any] | None:
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                return await self._journal.find(Table.COMMANDS, key)
        except (StorageError, TimeoutError) as error:
            why = str(error) or "the disk does not answer"
            raise Refused("journal_unavailable", f"whether this id came before cannot be known: {why}") from None


def _check(known: str, digest: str, key: str) -> None:
    if known != digest:
        raise Refused("duplicate", f"the id {key.rpartition('/')[2]} was used for another command; give a new one")


def _answer_of(known: Mapping[str, Any], key: str) -> Reply:
    if known["reply"] is not None:
        return stored_reply(known["reply"])
    message = "the gateway ended while it was carried out; whether a frame left is found out by reading"
    return Reply(key.rpartition("/")[2], Outcome.UNKNOWN, "restart", message, repeated=True)
