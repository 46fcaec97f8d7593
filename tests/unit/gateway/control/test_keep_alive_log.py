"""What is on record of values that are written again and again."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.control.keep_alive_log import MOST, KeepAliveLog
from gateway.control.outcome_log import OutcomeLog
from tests.unit.gateway.control.journal import memory_journal
from tests.virtual_time import VirtualClock, run_virtual


class Rig:
    def __init__(self) -> None:
        self.journal = memory_journal()
        self.outcomes = OutcomeLog(self.journal)
        self.log = KeepAliveLog(self.outcomes, VirtualClock())

    def records(self, tag: str = "a.b") -> list[tuple[str, int]]:
        """Return what is on the disk of a tag: events, each with its count."""
        bodies: list[dict[str, Any]] = [json.loads(each.body) for each in self.journal.disk.chained]
        return [(each["event"], each["writes"]) for each in bodies if each.get("tags") == [tag]]


def tell(story: Callable[[Rig], Awaitable[None]]) -> None:
    async def main() -> None:
        rig = Rig()
        running = asyncio.create_task(rig.log.run())
        await story(rig)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run_virtual(main())


def test_each_hour_is_one_record_with_the_writes_in_it() -> None:
    async def story(rig: Rig) -> None:
        rig.log.start("a.b", "operator")
        for _ in range(75):
            await asyncio.sleep(100)
            rig.log.wrote("a.b")
        rig.log.end("a.b", "the wish has ended")
        await asyncio.sleep(1)
        # At the end of the first hour the write of that very moment may stand on either side of it.
        events, writes = zip(*rig.records(), strict=True)
        assert events == ("start", "hourly", "hourly", "stop")
        assert sum(writes) == 75
        assert writes[1] in {35, 36}

    tell(story)


def test_tags_are_counted_apart() -> None:
    async def story(rig: Rig) -> None:
        rig.log.start("a.b")
        await asyncio.sleep(1800)
        rig.log.start("a.c")
        rig.log.wrote("a.c")
        await asyncio.sleep(1801)
        assert rig.records() == [("start", 0), ("hourly", 0)]
        assert rig.records("a.c") == [("start", 0)]
        rig.log.end("a.c", "deviation: it reads 3", "deviation")
        await asyncio.sleep(1)
        assert rig.records("a.c") == [("start", 0), ("deviation", 1)]

    tell(story)


def test_what_does_not_go_on_is_not_counted() -> None:
    async def story(rig: Rig) -> None:
        rig.log.wrote("a.b")
        rig.log.end("a.b", "never begun")
        await asyncio.sleep(7300)
        assert rig.records() == []

    tell(story)


def test_a_disk_that_fails_loses_none_of_it() -> None:
    async def story(rig: Rig) -> None:
        rig.journal.fail("no space left")
        rig.log.start("a.b")
        rig.log.end("a.b", "tripped: hot")
        await asyncio.sleep(30)
        assert rig.records() == []
        rig.journal.recover()
        await rig.outcomes.flush()
        assert rig.records() == [("start", 0), ("stop", 0)]

    tell(story)


def test_what_waits_for_the_disk_is_bounded() -> None:
    async def story(rig: Rig) -> None:
        for _ in range(MOST):
            rig.log.start("a.b")
        assert rig.log.given_up == 0
        rig.log.start("a.c")
        assert rig.log.given_up == 1
        await asyncio.sleep(60)
        assert rig.records() == [("start", 0)] * (MOST - 1)
        assert rig.records("a.c") == [("start", 0)]

    tell(story)
