"""The journal in memory, on virtual time: its promise under crashes and failures from a seed."""

import asyncio
import json
from random import Random
from typing import Any

import pytest

from gateway.audit.chain import HashChain
from gateway.audit.verify import verify
from gateway.counters import JournalCounters
from gateway.errors import StorageError
from gateway.storage.memory import Disk, MemoryJournal
from gateway.storage.port import Chained, Change, Limits, Table
from tests.virtual_time import VirtualClock, run_virtual


def memory(seed: int = 1, disk: Disk | None = None, **more: Any) -> MemoryJournal:
    return MemoryJournal(HashChain(), VirtualClock(), Random(seed), disk, **more)


async def committing(journal: MemoryJournal, acknowledged: dict[str, Chained]) -> None:
    for number in range(1000):
        key = f"{id(asyncio.current_task())}-{number}"
        try:
            (chained,) = await journal.commit([{"kind": "intent"}], [Change(Table.SAGAS, key, {"number": number})])
        except StorageError:
            return
        acknowledged[key] = chained


@pytest.mark.parametrize("seed", range(100))
def test_what_was_acknowledged_survives_a_crash_at_any_point(seed: int) -> None:
    async def story() -> None:
        rng = Random(seed)
        journal = memory(seed, latency=lambda: rng.uniform(0.001, 0.05))
        acknowledged: dict[str, Chained] = {}
        left = rng.randrange(1, 60)

        def point(_: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                journal.crash()

        journal.point = point
        tasks = [asyncio.create_task(committing(journal, acknowledged)) for _ in range(5)]
        await asyncio.sleep(5)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        after = memory(seed, journal.disk)
        kept = (await after.load(Table.SAGAS)).values
        for key, chained in acknowledged.items():
            assert chained in journal.disk.chained
            assert key in kept
        assert len(kept) == len(journal.disk.chained)  # a commit is there as a whole or not at all
        assert verify(journal.disk.chained).is_proved

    run_virtual(story())


def test_of_what_was_not_acknowledged_some_survives_and_some_does_not() -> None:
    async def survivors(seed: int) -> int:
        journal = memory(seed, latency=lambda: 1.0)
        tasks = [asyncio.create_task(journal.commit([{"kind": f"{n}"}])) for n in range(5)]
        await asyncio.sleep(0.5)
        kinds = [json.loads(each.body)["kind"] for each in journal.crash().chained]
        assert kinds == [str(n) for n in range(len(kinds))]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(1)
        return len(kinds)

    assert {run_virtual(survivors(seed)) for seed in range(100)} == set(range(6))


def test_commits_that_wait_share_a_sync_and_the_urgent_go_first() -> None:
    async def story() -> None:
        counters = JournalCounters()
        journal = memory(latency=lambda: 1.0, limits=Limits(batch=2), counters=counters)
        start = asyncio.get_running_loop().time()
        tasks = [asyncio.create_task(journal.commit([{"kind": f"{n}"}])) for n in range(4)]
        await asyncio.sleep(0)
        tasks.append(asyncio.create_task(journal.commit([{"kind": "trip"}], urgent=True)))
        await asyncio.gather(*tasks)
        assert asyncio.get_running_loop().time() == start + 3
        kinds = [json.loads(each.body)["kind"] for each in journal.disk.chained]
        assert kinds.index("trip") < 3
        assert counters.commits == 3

    run_virtual(story())


@pytest.mark.parametrize("seed", range(10))
def test_a_failed_commit_does_not_count_and_the_next_ones_are_refused_until_it_recovers(seed: int) -> None:
    async def story() -> bool:
        journal = memory(seed)
        await journal.commit([{"kind": "bypass"}], [Change(Table.BYPASSES, "a", {"until": 1})])
        journal.fail_next("the disk failed")
        with pytest.raises(StorageError, match="the disk failed"):
            await journal.commit([{"kind": "bypass"}], [Change(Table.BYPASSES, "a", {"until": 2})])
        with pytest.raises(StorageError) as error:
            await journal.commit([{"kind": "intent"}])
        assert error.value.code == "journal_unavailable"
        await journal.commit([{"kind": "trip"}], urgent=True)
        journal.recover()
        assert (await journal.load(Table.BYPASSES)).values == {"a": {"until": 1}}
        told = json.loads(journal.disk.chained[-1].body)
        assert verify(journal.disk.chained).is_proved
        return "withdrawn" in told

    outcome = run_virtual(story())
    assert isinstance(outcome, bool)


def test_both_ends_of_a_failed_commit_happen() -> None:
    async def story(seed: int) -> bool:
        journal = memory(seed)
        journal.fail_next("eio")
        with pytest.raises(StorageError):
            await journal.commit([{"kind": "intent"}])
        return bool(journal.disk.chained)

    assert {run_virtual(story(seed)) for seed in range(20)} == {False, True}


def test_its_bounds_are_those_of_the_real_one() -> None:
    async def story() -> None:
        counters = JournalCounters()
        journal = memory(latency=lambda: 1.0, limits=Limits(waiting=3, commands=2), counters=counters)
        tasks = [
            asyncio.create_task(journal.commit([], [Change(Table.COMMANDS, f"{n}", {"reply": n})])) for n in range(5)
        ]
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert [getattr(each, "code", None) for each in done] == [None, None, None, "queue_full", "queue_full"]
        assert (await journal.load(Table.COMMANDS)).values == {"1": {"reply": 1}, "2": {"reply": 2}}
        assert await journal.find(Table.COMMANDS, "0") is None
        assert (counters.dropped, counters.failures, counters.pending) == (1, 2, 0)

    run_virtual(story())


def test_damage_stays_until_someone_has_looked() -> None:
    async def story() -> None:
        first = memory()
        first.damage(Table.TRIPS)
        journal = memory(2, first.crash())
        assert (await journal.load(Table.TRIPS)).damaged
        await journal.commit([{"kind": "reset"}], mended=[Table.TRIPS])
        assert not (await journal.load(Table.TRIPS)).damaged

    run_virtual(story())


def test_a_caller_that_stops_waiting_stops_nothing() -> None:
    async def story() -> None:
        journal = memory(latency=lambda: 1.0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await journal.commit([{"kind": "outcome"}])
        await asyncio.sleep(1)
        assert len(journal.disk.chained) == 1

    run_virtual(story())
