"""Refusals are recorded one by one up to a rate, and counted beyond it."""

import asyncio

from gateway.audit.record import Refusal
from gateway.control.refusal_log import RefusalLog
from gateway.storage.port import Change, Table
from tests.unit.gateway.control.journal import memory_journal
from tests.virtual_time import VirtualClock, run_virtual


def test_a_refusal_is_recorded_with_what_belongs_to_it() -> None:
    async def main() -> None:
        journal = memory_journal()
        log = RefusalLog(journal, VirtualClock())
        found = await log.record(Refusal(code="forbidden"), [Change(Table.COMMANDS, "me/1", {"a": 1})])
        assert found == journal.disk.head.hash.hex()
        assert await journal.find(Table.COMMANDS, "me/1") == {"a": 1}

    run_virtual(main())


def test_a_flood_of_refusals_is_ten_records_and_one_count() -> None:
    async def main() -> None:
        journal = memory_journal()
        log = RefusalLog(journal, VirtualClock())
        keeper = asyncio.create_task(log.run())
        for _ in range(500):
            await log.record(Refusal(code="bad_schema", principal="anonymous"))
        await asyncio.sleep(3)
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        bodies = [each.body.decode() for each in journal.disk.chained]
        assert len(bodies) == 11
        assert '"counts":{"bad_schema":490}' in bodies[-1]

    run_virtual(main())


def test_at_a_stop_the_second_that_has_not_ended_is_recorded_too() -> None:
    async def main() -> None:
        journal = memory_journal()
        log = RefusalLog(journal, VirtualClock())
        for _ in range(12):
            await log.record(Refusal(code="bad_schema", principal="anonymous"))
        await log.flush(everything=True)
        assert '"bad_schema":2' in journal.disk.chained[-1].body.decode()

    run_virtual(main())


def test_a_refusal_stays_one_where_it_cannot_be_recorded() -> None:
    async def main() -> None:
        journal = memory_journal()
        journal.fail("gone")
        assert await RefusalLog(journal, VirtualClock()).record(Refusal(code="forbidden")) == ""

    run_virtual(main())


def test_beyond_the_rate_no_answer_is_kept_and_yet_the_sequence_of_a_signature_is_used_up() -> None:
    async def main() -> None:
        journal = memory_journal()
        log = RefusalLog(journal, VirtualClock())
        for number in range(12):
            refusal = Refusal(code="violation", principal="key-1")
            answer = Change(Table.COMMANDS, f"key-1/{number}", {"reply": None})
            await log.record(refusal, [Change(Table.SEQUENCES, "key-1", {"sequence": number}), answer])
        assert await journal.find(Table.SEQUENCES, "key-1") == {"sequence": 11}
        assert await journal.find(Table.COMMANDS, "key-1/9") is not None
        assert await journal.find(Table.COMMANDS, "key-1/10") is None
        assert len(journal.disk.chained) == 10

    run_virtual(main())
