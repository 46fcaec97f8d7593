"""What every journal promises: one suite for the one on the disk and the one in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

import pytest

from gateway.audit.chain import HashChain
from gateway.clock import SystemClock
from gateway.storage.memory import MemoryJournal
from gateway.storage.port import Change, Journal, JournalState, Table
from gateway.storage.schema import connect
from tests.unit.gateway.storage.journals import journal


@pytest.fixture(params=["sqlite", "memory"])
async def any_journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    async with AsyncExitStack() as stack:
        made: Journal = MemoryJournal(HashChain(), SystemClock(), Random(1))
        if request.param == "sqlite":
            made = await stack.enter_async_context(journal(tmp_path))
        yield made


async def test_it_is_healthy_and_empty_at_first(any_journal: Journal) -> None:
    assert (any_journal.state.healthy, any_journal.state.reason) == (True, "")
    for table in Table:
        assert await any_journal.load(table) == ({}, False)
        assert await any_journal.find(table, "x") is None


async def test_changes_are_put_replaced_and_removed(any_journal: Journal) -> None:
    for table in Table:
        await any_journal.commit([], [Change(table, "a", {"n": 1}), Change(table, "b", {"n": 2})])
        await any_journal.commit([], [Change(table, "a", {"n": 3}), Change(table, "b", None), Change(table, "c", None)])
        assert (await any_journal.load(table)).values == {"a": {"n": 3}}
        assert await any_journal.find(table, "a") == {"n": 3}


async def test_records_follow_one_another_across_commits(any_journal: Journal) -> None:
    seen: list[int] = []
    any_journal.listen(lambda chained: seen.extend(each.sequence for each in chained))
    first, second = await any_journal.commit([{"kind": "intent"}, {"kind": "outcome"}])
    (third,) = await any_journal.commit([{"kind": "stop"}])
    chain = HashChain()
    assert chain.follows(first.head, second)
    assert chain.follows(second.head, third)
    assert not chain.follows(first.head, third)
    assert seen == [first.sequence, second.sequence, third.sequence]


async def test_a_commit_of_nothing_is_answered(any_journal: Journal) -> None:
    assert not await any_journal.commit([])


@pytest.mark.parametrize("record", [{"value": object()}, {"value": "\ud800"}, {3: 4}])
async def test_what_cannot_be_recorded_is_refused_and_changes_nothing(any_journal: Journal, record: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        await any_journal.commit([record], [Change(Table.TRIPS, "a", {})])  # type: ignore[list-item]
    assert (await any_journal.load(Table.TRIPS)).values == {}


async def test_what_is_written_is_what_was_handed_over_whatever_becomes_of_it_later(any_journal: Journal) -> None:
    record, value = {"kind": "intent"}, {"n": 1}
    task = asyncio.create_task(any_journal.commit([record], [Change(Table.TRIPS, "a", value)]))
    await asyncio.sleep(0)
    record["kind"], value["n"] = "changed", 2
    (chained,) = await task
    assert b'"kind":"intent"' in chained.body
    assert await any_journal.find(Table.TRIPS, "a") == {"n": 1}


def test_a_commit_on_the_disk_is_synced_and_a_checkpoint_is_ours(tmp_path: Path) -> None:
    connection = connect(tmp_path / "x.db")
    full, off = 2, 0
    assert connection.execute("PRAGMA synchronous").fetchone() == (full,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (off,)
    connection.close()


def test_a_state_says_why_it_is_not_healthy() -> None:
    assert not JournalState().healthy
    assert JournalState().reason
