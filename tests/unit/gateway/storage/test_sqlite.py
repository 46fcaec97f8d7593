import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from gateway.counters import JournalCounters
from gateway.errors import StorageError
from gateway.storage.head_file import NAME as HEAD
from gateway.storage.port import Change, JournalState, Limits, Table
from gateway.storage.reserve import NAME as RESERVE
from tests.unit.gateway.storage.journals import FULL, SMALL, Faults, disk_error, journal, kept, until_state, verified

TRIP = Change(Table.TRIPS, "overspeed", {"since": 1})


def events(folder: Path) -> list[dict[str, Any]]:
    records = [json.loads(each.body) for each in kept(folder)]
    return [record for record in records if record["kind"] == "journal"]


async def test_a_commit_is_there_after_a_restart_with_its_changes(tmp_path: Path) -> None:
    async with journal(tmp_path) as first:
        chained = await first.commit([{"kind": "trip"}, {"kind": "stop"}], [TRIP])
        assert [each.sequence for each in chained] == [2, 3]
    async with journal(tmp_path) as second:
        assert await second.load(Table.TRIPS) == ({"overspeed": {"since": 1}}, False)
        assert [each.sequence for each in await second.commit([{"kind": "start"}])] == [4]
    assert verified(tmp_path).is_proved


async def test_what_waits_together_is_synced_together_and_each_gets_its_own_answer(tmp_path: Path) -> None:
    faults, counters = Faults(), JournalCounters()
    async with journal(tmp_path, faults=faults, counters=counters) as each:
        faults.ran.clear()
        answers = await asyncio.gather(*(each.commit([{"kind": "intent", "number": n}]) for n in range(50)))
    assert faults.ran.count("COMMIT") <= 5
    assert [json.loads(chained.body)["number"] for (chained,) in answers] == list(range(50))
    assert counters.records == 51
    assert counters.pending == counters.failures == 0


async def test_a_record_that_cannot_be_recorded_fails_alone(tmp_path: Path) -> None:
    async with journal(tmp_path) as each:
        good, bad, fine = await asyncio.gather(
            each.commit([{"kind": "intent"}]),
            each.commit([{"kind": "intent"}, {"what": object()}], [TRIP]),
            each.commit([{"kind": "intent"}]),
            return_exceptions=True,
        )
        assert isinstance(bad, ValueError)
        assert isinstance(good, tuple)
        assert isinstance(fine, tuple)
        assert (await each.load(Table.TRIPS)).values == {}
        with pytest.raises(ValueError, match="plain JSON"):
            await each.commit([], [Change(Table.TRIPS, "x", {"limit": float("nan")})])
    assert verified(tmp_path).head.sequence == 3


async def test_a_full_queue_refuses_and_urgent_commits_still_find_a_place_and_go_first(tmp_path: Path) -> None:
    limits = Limits(reserve=0, waiting=3, batch=1)
    async with journal(tmp_path, limits) as each:
        waiting = [asyncio.create_task(each.commit([{"kind": f"n{n}"}])) for n in range(200)]
        trip = asyncio.create_task(each.commit([{"kind": "trip"}], urgent=True))
        done = await asyncio.gather(*waiting, trip, return_exceptions=True)
    refused = [error for error in done if isinstance(error, StorageError)]
    assert refused
    assert {error.code for error in refused} == {"queue_full"}
    (chained,) = trip.result()
    assert chained.sequence <= 10  # behind what was written before it came, and nothing that waited
    assert verified(tmp_path).head.sequence == 1 + len(done) - len(refused)


async def test_a_caller_that_stops_waiting_stops_nothing(tmp_path: Path) -> None:
    async with journal(tmp_path) as each:
        task = asyncio.create_task(each.commit([{"kind": "outcome"}]))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert json.loads(kept(tmp_path)[-1].body)["kind"] == "outcome"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("statement", ["BEGIN", "COMMIT"])
async def test_after_a_failed_sync_the_file_is_opened_anew_and_the_failed_commit_does_not_count(
    tmp_path: Path, when: str, statement: str
) -> None:
    faults, counters = Faults(), JournalCounters()
    states: list[JournalState] = []
    async with journal(tmp_path, faults=faults, counters=counters) as each:
        each.watch(states.append)
        await each.commit([{"kind": "bypass"}], [Change(Table.BYPASSES, "a", {"until": 1}), TRIP])
        getattr(faults, when)[statement] = disk_error()
        with pytest.raises(StorageError, match="the disk failed: disk I/O error") as error:
            await each.commit(
                [{"kind": "bypass"}], [Change(Table.BYPASSES, "a", {"until": 2}), Change(Table.TRIPS, "b", {})]
            )
        assert error.value.code == "journal_unavailable"
        with pytest.raises(StorageError):  # at once, the thread is not asked
            await each.commit([{"kind": "intent"}])
        getattr(faults, when).clear()
        await until_state(each, lambda state: state.healthy)
        assert (await each.load(Table.BYPASSES)).values == {"a": {"until": 1}}
        assert (await each.load(Table.TRIPS)).values == {"overspeed": {"since": 1}}
        await each.commit([{"kind": "intent"}])
    assert [state.healthy for state in states] == [False, True, False]
    assert counters.failures == 2
    (told,) = [event for event in events(tmp_path) if event["event"] == "recovered"]
    on_disk = (when, statement) == ("after", "COMMIT")
    assert told.get("withdrawn") == ([[3, 3]] if on_disk else None)
    assert told["reason"] == "the disk failed: disk I/O error"
    assert verified(tmp_path).is_proved


async def test_of_several_failed_commits_the_oldest_value_comes_back(tmp_path: Path) -> None:
    faults = Faults()
    async with journal(tmp_path, Limits(reserve=0, retry=3600), faults=faults) as each:
        await each.commit([{"kind": "bypass"}], [Change(Table.BYPASSES, "a", {"until": 1})])
        faults.after["COMMIT"] = disk_error()
        for key in ("a", "a", "b"):
            with pytest.raises(StorageError):
                await each.commit([{"kind": "bypass"}], [Change(Table.BYPASSES, key, {"until": 2})], urgent=True)
        faults.after.clear()
        await each.commit([{"kind": "trip"}], [TRIP], urgent=True)
        assert (await each.load(Table.BYPASSES)).values == {"a": {"until": 1}}
        assert (await each.load(Table.TRIPS)).values == {"overspeed": {"since": 1}}
    chain = [json.loads(one.body) for one in kept(tmp_path)]
    withdrawn = {number for first, last in chain[-2]["withdrawn"] for number in range(first, last + 1)}
    assert {one["sequence"] for one in chain[2:-2]} == withdrawn  # all but what was acknowledged, and our own last word
    assert chain[-1]["kind"] == "trip"


async def test_no_file_is_synced_again_after_a_failed_sync(tmp_path: Path) -> None:
    faults = Faults()
    async with journal(tmp_path, faults=faults) as each:
        await each.commit([{"kind": "intent"}])
        faults.before["COMMIT"] = disk_error()
        faults.ran.clear()
        with pytest.raises(StorageError):
            await each.commit([{"kind": "intent"}])
        after = faults.ran[faults.ran.index("COMMIT") + 1 :]
        assert after[:1] in ([], ["PRAGMA"])  # the next that is done is opening the file
        faults.before.clear()
        await until_state(each, lambda state: state.healthy)


async def test_on_a_full_disk_only_what_is_urgent_is_taken_out_of_the_reserve(tmp_path: Path) -> None:
    faults = Faults()
    reserve = tmp_path / RESERVE
    async with journal(tmp_path, Limits(reserve=8192, retry=3600), faults=faults) as each:
        assert reserve.stat().st_size == 8192
        full_while_reserved(faults, reserve)
        with pytest.raises(StorageError, match="the disk is full"):
            await each.commit([{"kind": "intent"}])
        assert reserve.exists()
        await each.commit([{"kind": "trip"}], [TRIP], urgent=True)
        assert not reserve.exists()
        with pytest.raises(StorageError, match="the disk is full"):  # what is left of it is for the next trip
            await each.commit([{"kind": "intent"}])
        await each.commit([{"kind": "trip"}], [Change(Table.TRIPS, "second", {})], urgent=True)
        assert (await each.load(Table.TRIPS)).values.keys() == {"overspeed", "second"}
    assert [json.loads(one.body)["kind"] for one in kept(tmp_path)] == ["journal", "journal", "trip", "trip"]


def full_while_reserved(faults: Faults, reserve: Path) -> None:
    class Full(dict[str, Exception]):
        def __contains__(self, word: object) -> bool:
            return word == "COMMIT" and reserve.exists()

        def __getitem__(self, word: str) -> Exception:
            return FULL

    faults.before = Full()


async def test_an_urgent_commit_in_a_batch_that_fails_is_tried_again_alone(tmp_path: Path) -> None:
    faults = Faults()
    async with journal(tmp_path, Limits(reserve=8192, retry=3600), faults=faults) as each:
        full_while_reserved(faults, tmp_path / RESERVE)
        ordinary, urgent = await asyncio.gather(
            each.commit([{"kind": "intent"}]), each.commit([{"kind": "trip"}], urgent=True), return_exceptions=True
        )
        assert isinstance(ordinary, StorageError)
        assert isinstance(urgent, tuple)


async def test_the_thread_s_own_death_is_told_and_nobody_is_left_waiting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    faults = Faults()
    async with journal(tmp_path, faults=faults) as each:
        faults.before["BEGIN"] = AttributeError("a defect")
        with pytest.raises(StorageError):
            await each.commit([{"kind": "intent"}])
        with pytest.raises(StorageError):
            await each.commit([{"kind": "trip"}], urgent=True)
        with pytest.raises(StorageError, match="died"):
            await each.ended()
    assert "journal_died" in caplog.text


async def test_a_journal_that_cannot_be_opened_refuses_and_opens_itself_later(tmp_path: Path) -> None:
    faults = Faults()
    faults.before["PRAGMA"] = disk_error(sqlite3.SQLITE_CANTOPEN, "unable to open database file")
    async with journal(tmp_path, faults=faults) as each:
        assert each.state == JournalState(healthy=False, reason="unable to open database file")
        with pytest.raises(StorageError):
            await each.load(Table.TRIPS)
        faults.before.clear()
        await until_state(each, lambda state: state.healthy)
        await each.commit([{"kind": "intent"}])


async def test_command_ids_are_bounded_in_number_and_age_oldest_first(tmp_path: Path) -> None:
    class Clock:
        now = 1_800_000_000.0

        def monotonic(self) -> float:
            return 0.0

        def wall(self) -> float:
            return self.now

    clock, counters = Clock(), JournalCounters()
    limits = Limits(reserve=0, commands=10, command_age=3600, retry=0.05)
    async with journal(tmp_path, limits, clock=clock, counters=counters) as each:

        async def add(number: int) -> None:
            await each.commit([{"kind": "intent"}], [Change(Table.COMMANDS, f"p/{number}", {"reply": number})])

        for number in range(15):
            await add(number)
        assert (await each.load(Table.COMMANDS)).values == {f"p/{n}": {"reply": n} for n in range(5, 15)}
        assert counters.dropped == 5
        await each.commit([], [Change(Table.COMMANDS, "p/5", {"reply": "later"})])
        assert await each.find(Table.COMMANDS, "p/5") == {"reply": "later"}
        clock.now += 10 * 365 * 86400  # a wrong clock must not empty the table at once
        await add(15)
        assert len((await each.load(Table.COMMANDS)).values) == 9
        assert await each.find(Table.COMMANDS, "p/5") is None
        assert counters.dropped == 5


async def test_segments_are_sealed_and_the_oldest_dropped_only_beyond_the_most(tmp_path: Path) -> None:
    limits = Limits(size=20_000, segment=4_000, reserve=0, retry=0.05)
    full: list[JournalState] = []
    async with journal(tmp_path, limits) as each:
        each.watch(full.append)
        for number in range(150):
            await each.commit([{"kind": "intent", "number": number, "filler": "x" * 100}])
            assert each.state.size < 20_000 + 500
    told = events(tmp_path)
    sealed = [event for event in told if event["event"] == "sealed"]
    dropped = [event for event in told if event["event"] == "dropped"]
    assert dropped
    assert full[0].nearly_full
    chain = kept(tmp_path)
    assert chain[0].sequence == dropped[-1]["last"] + 1
    with sqlite3.connect(tmp_path / "journal.db") as other:
        rows = other.execute("SELECT count(*) FROM record").fetchone()[0]
    other.close()
    assert rows == len(chain), "what is dropped must give its room back"
    assert json.loads(chain[0].body)["event"] == "sealed"
    assert all(one["first"] <= one["last"] for one in sealed)
    assert verified(tmp_path).is_proved
    async with journal(tmp_path, limits) as again:
        await again.commit([{"kind": "start"}])
    verdict = verified(tmp_path)
    assert verdict.is_proved
    assert verdict.base.sequence == dropped[-1]["last"]


async def test_a_lost_tail_is_found_at_the_next_start_and_all_state_counts_as_damaged(tmp_path: Path) -> None:
    async with journal(tmp_path) as each:
        await each.commit([{"kind": "trip"}], [TRIP])
        database = (tmp_path / "journal.db-wal").read_bytes()
        copy = {name: (tmp_path / name).read_bytes() for name in ("journal.db", "journal.db-wal")}
        assert database
        await each.commit([{"kind": "intent"}])
    for name, content in copy.items():
        (tmp_path / name).write_bytes(content)
    async with journal(tmp_path) as each:
        assert each.state.healthy
        loaded = await each.load(Table.TRIPS)
        assert loaded.damaged
        assert loaded.values == {"overspeed": {"since": 1}}
        (told,) = [event for event in events(tmp_path) if event["event"] == "recovered"]
        assert told["missing"] == [3, 3]
    async with journal(tmp_path) as each:  # until a person has looked
        assert (await each.load(Table.TRIPS)).damaged
        await each.commit([{"kind": "reset"}], [], mended=[Table.TRIPS])
        assert not (await each.load(Table.TRIPS)).damaged
        assert (await each.load(Table.BYPASSES)).damaged


async def test_a_row_of_state_that_was_changed_or_lost_is_noticed(tmp_path: Path) -> None:
    async with journal(tmp_path) as each:
        await each.commit([], [TRIP, Change(Table.TRIPS, "b", {"since": 2}), Change(Table.BYPASSES, "c", {"until": 3})])
    with sqlite3.connect(tmp_path / "journal.db") as other:
        other.execute("""UPDATE state SET value = '{"since":9}' WHERE key = 'overspeed'""")
        other.execute("DELETE FROM state WHERE key = 'c'")
    other.close()
    async with journal(tmp_path) as each:
        assert await each.load(Table.TRIPS) == ({"b": {"since": 2}}, True)
        assert await each.load(Table.BYPASSES) == ({}, True)
        assert await each.load(Table.SAGAS) == ({}, False)
    assert verified(tmp_path).breaks == (
        "record 2: recovered: reason kept state is damaged, damaged ['bypasses', 'trips']",
    )


async def test_an_emptied_journal_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    async with journal(tmp_path) as each:
        await each.commit([{"kind": "trip"}], [TRIP])
    (tmp_path / "journal.db").write_bytes(b"")
    async with journal(tmp_path) as each:
        assert await each.load(Table.TRIPS) == ({}, True)
    (told,) = events(tmp_path)
    assert (told["event"], told["missing"]) == ("created", [1, 2])
    assert (tmp_path / HEAD).exists()


async def test_it_is_told_how_the_journal_is_and_what_was_chained_in_order(tmp_path: Path) -> None:
    chained: list[int] = []
    counters = JournalCounters()
    async with journal(tmp_path, counters=counters) as each:
        each.listen(lambda records: chained.extend(record.sequence for record in records))
        await asyncio.gather(*(each.commit([{"kind": "intent"}]) for _ in range(20)))
        assert chained == list(range(2, 22))
        assert (counters.healthy, counters.last_sequence) == (True, 21)
        assert counters.size == each.state.size > 2000
    assert (counters.healthy, each.state.reason) == (False, "closed")
    with pytest.raises(StorageError, match="closed"):
        await each.commit([{"kind": "intent"}])
    assert SMALL.reserve == (tmp_path / RESERVE).stat().st_size
