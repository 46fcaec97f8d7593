"""Each command id is carried out once, also across restarts."""

import asyncio

import pytest

from gateway.control.book import RECENT, Book, Entry
from gateway.control.refusal import Refused
from gateway.control.reply import Outcome, Reply, Result
from gateway.safety.decision import Finding
from gateway.storage.memory import MemoryJournal
from gateway.storage.port import Table
from tests.unit.gateway.control.journal import memory_journal
from tests.virtual_time import run_virtual

REPLY = Reply(
    "1",
    Outcome.APPLIED,
    violations=(Finding("violation", "nox", "above_max", "boiler.a", 151.0, 150.0),),
    results={"boiler.a": Result(450, Outcome.APPLIED, read_back=450.0)},
    wall=5.0,
)


async def opened(book: Book, key: str = "me/1", digest: str = "d") -> Entry:
    entry = await book.open(key, digest)
    assert isinstance(entry, Entry)
    return entry


async def carry_out(journal: MemoryJournal, book: Book, reply: Reply = REPLY) -> None:
    entry = await opened(book)
    await journal.commit([{"kind": "intent"}], entry.intent({"writes": {"boiler.a": 450}}))
    await journal.commit([{"kind": "outcome"}], entry.closing(reply))
    entry.end(reply)


def test_the_same_command_again_has_the_same_answer() -> None:
    async def main() -> None:
        journal = memory_journal()
        book = Book(journal)
        await carry_out(journal, book)
        assert await book.open("me/1", "d") == REPLY

    run_virtual(main())


def test_after_a_restart_the_answer_is_the_same_in_all_its_parts() -> None:
    async def main() -> None:
        journal = memory_journal()
        await carry_out(journal, Book(journal))
        again = await Book(memory_journal(journal.disk)).open("me/1", "d")
        assert isinstance(again, Reply)
        assert (again.outcome, again.results, again.violations) == (REPLY.outcome, REPLY.results, REPLY.violations)
        assert again.repeated

    run_virtual(main())


@pytest.mark.parametrize("restarted", [False, True], ids=["in memory", "after a restart"])
def test_the_same_id_for_another_command_is_refused(*, restarted: bool) -> None:
    async def main() -> None:
        journal = memory_journal()
        book = Book(journal)
        await carry_out(journal, book)
        if restarted:
            book = Book(memory_journal(journal.disk))
        with pytest.raises(Refused) as refused:
            await book.open("me/1", "another")
        assert refused.value.code == "duplicate"

    run_virtual(main())


def test_of_two_that_come_together_one_waits_for_the_answer_of_the_other() -> None:
    async def main() -> None:
        journal = memory_journal()
        book = Book(journal)
        entry, second = await asyncio.gather(book.open("me/1", "d"), _late(book, journal))
        assert isinstance(entry, Entry)
        assert second == REPLY

    async def _late(book: Book, journal: MemoryJournal) -> object:
        waiting = asyncio.create_task(book.open("me/1", "d"))
        await asyncio.sleep(1.0)
        assert not waiting.done()
        entry = book._open["me/1"]
        entry.end(REPLY)
        return await waiting

    run_virtual(main())


def test_of_two_that_come_together_and_differ_the_second_is_refused() -> None:
    async def main() -> None:
        book = Book(memory_journal())
        first, second = await asyncio.gather(
            book.open("me/1", "d"), book.open("me/1", "another"), return_exceptions=True
        )
        assert isinstance(first, Entry)
        assert isinstance(second, Refused)
        assert second.code == "duplicate"

    run_virtual(main())


def test_one_whose_intent_is_on_the_disk_and_no_outcome_is_not_carried_out_again() -> None:
    async def main() -> None:
        journal = memory_journal()
        entry = await opened(Book(journal))
        await journal.commit([{"kind": "intent"}], entry.intent({"writes": {}}))
        again = await Book(memory_journal(journal.disk)).open("me/1", "d")
        assert isinstance(again, Reply)
        assert (again.outcome, again.code, again.id) == (Outcome.UNKNOWN, "restart", "1")

    run_virtual(main())


def test_while_the_disk_cannot_be_read_nothing_new_is_taken() -> None:
    class Deaf(MemoryJournal):
        async def find(self, table: Table, key: str) -> None:
            await asyncio.sleep(1000)

    async def main() -> None:
        journal = memory_journal()
        journal.__class__ = Deaf
        book = Book(journal)
        both = await asyncio.gather(book.open("me/1", "d"), book.open("me/1", "d"), return_exceptions=True)
        assert [getattr(each, "code", None) for each in both] == ["journal_unavailable"] * 2
        assert not book._open

    run_virtual(main())


def test_an_unknown_outcome_stays_among_the_intents_and_any_other_does_not() -> None:
    async def main() -> None:
        journal = memory_journal()
        for outcome, left in ((Outcome.UNKNOWN, 1), (Outcome.APPLIED, 0)):
            entry = Book(journal).open_new("me/1", "d")
            await journal.commit([], entry.intent({"writes": {}}))
            await journal.commit([], entry.closing(Reply("1", outcome)))
            entry.end(REPLY)
            assert len((await journal.load(Table.INTENTS)).values) == left

    run_virtual(main())


def test_the_answers_kept_in_memory_are_bounded_and_the_disk_knows_the_others() -> None:
    async def main() -> None:
        journal = memory_journal()
        book = Book(journal)
        await carry_out(journal, book)
        for place in range(RECENT):
            book.open_new(f"me/x{place}", "d").end(REPLY)
        assert len(book._recent) == RECENT
        again = await book.open("me/1", "d")
        assert isinstance(again, Reply)

    run_virtual(main())


def test_a_settled_answer_is_looked_up_anew() -> None:
    async def main() -> None:
        journal = memory_journal()
        book = Book(journal)
        await carry_out(journal, book)
        entry = Entry(book, "me/1", "d")
        await journal.commit([], entry.closing(Reply("1", Outcome.MISMATCH)))
        assert (await book.answer("me/1", "d")) == REPLY
        book.forget("me/1")
        found = await book.answer("me/1", "d")
        assert found is not None
        assert found.outcome is Outcome.MISMATCH
        assert await book.answer("me/2", "d") is None

    run_virtual(main())
