"""A table that is brought to what it should be: by the real journal, and by one that fails at every turn."""

import asyncio
import json
from pathlib import Path
from random import Random

import pytest

from gateway.audit.chain import HashChain
from gateway.control.kept_table import MOST_RECORDS, KeptTable
from gateway.errors import StorageError
from gateway.storage.memory import MemoryJournal
from gateway.storage.port import Table
from tests.unit.gateway.storage.journals import journal as real_journal
from tests.virtual_time import VirtualClock, run_virtual


async def test_the_real_journal_has_after_a_restart_what_was_put_and_committed(tmp_path: Path) -> None:
    async with real_journal(tmp_path) as journal:
        table = KeptTable(journal, Table.TRIPS, urgent=True)
        await table.load()
        table.put("steam", {"confirmed": False}, {"kind": "trip", "constraint": "steam"})
        table.put("speed", {"confirmed": False}, {"kind": "trip", "constraint": "speed"})
        table.put("steam", {"confirmed": True}, {"kind": "safe_state", "constraint": "steam"})
        assert await table.commit([{"kind": "reset", "constraint": "speed"}], {"speed": None})
        await table.close()
        assert table.is_present("steam")
    async with real_journal(tmp_path) as journal:
        table = KeptTable(journal, Table.TRIPS)
        await table.load()
        assert table.values == {"steam": {"confirmed": True}}
        assert not table.is_damaged
        assert await table.keys_on_disk() == {"steam"}


async def test_an_empty_commit_of_the_real_journal_has_no_hash(tmp_path: Path) -> None:
    async with real_journal(tmp_path) as journal:
        table = KeptTable(journal, Table.TRIPS)
        assert await table.commit([], {}) == ""


@pytest.mark.parametrize("seed", range(60))
def test_whatever_fails_the_disk_has_in_the_end_what_the_gateway_believes(seed: int) -> None:
    async def story() -> None:
        rng = Random(seed)
        journal = MemoryJournal(HashChain(), VirtualClock(), Random(seed), latency=lambda: rng.choice([0.01, 0.3, 7.0]))
        table = KeptTable(journal, Table.TRIPS, urgent=True)
        for step in range(40):
            key, value = rng.choice("ab"), rng.choice([None, {"step": step}])
            if rng.random() < 0.3:
                journal.fail_next("io")
            if rng.random() < 0.5:
                table.put(key, value, {"kind": "trip", "step": step})
            else:
                believed = dict(table.values)
                try:
                    await table.commit([{"kind": "reset"}], {key: value})
                except StorageError:
                    assert table.values == believed
            await asyncio.sleep(rng.choice([0.0, 0.1, 2.0]))
            if not journal.state.healthy and rng.random() < 0.5:
                journal.recover()
        journal._failing.clear()
        journal.recover()
        await asyncio.sleep(100)
        kept = {key: json.loads(value) for (_, key), value in journal.disk.state.items()}
        assert kept == table.values
        assert all(table.is_present(key) is (key in kept) for key in "ab")
        await table.close()

    run_virtual(story())


def test_records_that_wait_for_long_are_bounded_and_the_first_is_kept() -> None:
    async def story() -> None:
        journal = MemoryJournal(HashChain(), VirtualClock(), Random(2))
        table = KeptTable(journal, Table.TRIPS)
        journal.fail("full")
        for step in range(100):
            table.put("steam", {"step": step}, {"kind": "safe_state", "step": step})
            await asyncio.sleep(0.05)
        journal.recover()
        await asyncio.sleep(2)
        steps = [record["step"] for each in journal.disk.chained if "step" in (record := json.loads(each.body))]
        assert len(steps) == MOST_RECORDS
        assert (steps[0], steps[-1]) == (0, 99)
        await table.close()

    run_virtual(story())


def test_a_value_that_cannot_be_kept_is_given_up_and_holds_nothing_up(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        table = KeptTable(MemoryJournal(HashChain(), VirtualClock(), Random(1)), Table.TRIPS)
        table.put("steam", {"value": object()}, {"kind": "trip"})
        await asyncio.sleep(5)
        assert not table._tasks
        assert "not_recordable" in caplog.text

    run_virtual(story())
