"""Outcomes go on record whatever the disk does."""

import asyncio

from gateway.control import outcome_log
from gateway.control.outcome_log import OutcomeLog
from gateway.storage.port import Change, Table
from tests.unit.gateway.control.journal import memory_journal
from tests.virtual_time import run_virtual


def recorded(journal: object) -> list[str]:
    return [each.body.decode() for each in journal.disk.chained]  # type: ignore[attr-defined]


def test_an_outcome_is_recorded_and_its_hash_returned() -> None:
    async def main() -> None:
        journal = memory_journal()
        hash_ = await OutcomeLog(journal).commit({"kind": "outcome", "command": "1"})
        assert hash_ == journal.disk.head.hash.hex()

    run_virtual(main())


def test_what_the_disk_refuses_is_owed_and_recorded_in_order_later() -> None:
    async def main() -> None:
        journal = memory_journal()
        log = OutcomeLog(journal)
        journal.fail("no space")
        assert await log.commit({"kind": "outcome", "command": "1"}, [Change(Table.COMMANDS, "1", {})]) == ""
        journal.recover()
        assert await log.commit({"kind": "outcome", "command": "2"}) == ""  # behind the first
        assert log.owed == 2
        keeper = asyncio.create_task(log.run())
        await asyncio.sleep(2 * outcome_log.RETRY)
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        bodies = [body for body in recorded(journal) if '"command"' in body]
        assert ['"1"' in bodies[0], '"2"' in bodies[1]] == [True, True]
        assert log.owed == 0
        assert await journal.find(Table.COMMANDS, "1") == {}

    run_virtual(main())


def test_while_the_disk_is_gone_what_is_owed_waits() -> None:
    async def main() -> None:
        journal = memory_journal()
        log = OutcomeLog(journal)
        journal.fail("gone")
        await log.commit({"kind": "outcome"})
        await log.flush()
        assert log.owed == 1

    run_virtual(main())


def test_what_is_owed_is_bounded_and_the_oldest_is_given_up() -> None:
    async def main() -> None:
        journal = memory_journal()
        log = OutcomeLog(journal)
        journal.fail("gone")
        for place in range(outcome_log.MOST + 3):
            await log.commit({"kind": "outcome", "command": str(place)})
        assert (log.owed, log.given_up) == (outcome_log.MOST, 3)

    run_virtual(main())
