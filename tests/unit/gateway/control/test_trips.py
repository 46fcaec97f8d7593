"""Latched trips on the disk: whatever the journal does, and wherever the process is killed."""

import asyncio
import json
from collections.abc import Callable
from random import Random

import pytest

from drivers.values import Seconds
from gateway.audit.chain import HashChain
from gateway.audit.record import Trip
from gateway.audit.verify import verify
from gateway.control.trips import Trips
from gateway.counters import ControlCounters
from gateway.errors import StorageError
from gateway.safety.operation import Operation, Write
from gateway.safety.verdict import SafetyLevel
from gateway.storage.memory import Disk, MemoryJournal
from gateway.storage.port import Limits, Table
from tests.unit.gateway.control.tripping import SETPOINT, STEAM, Gateway, Site, play, run, running, steam
from tests.virtual_time import VirtualClock, run_virtual


def refused(gateway: Gateway, tag: str = SETPOINT) -> list[tuple[str, str]]:
    wanted = Operation("me", (Write(tag, 1.0),))
    decision = gateway.gate.judge(wanted, gateway.clock.monotonic())
    return [(finding.code, finding.name) for finding in decision.refusals]


def killing(site: Site, after: int) -> Callable[[Gateway], None]:
    """Make the journal crash at its n-th point; everything of it that the gateway hears ends there."""

    def arm(gateway: Gateway) -> None:
        left = after

        def point(_: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                gateway.journal.crash()

        site.point = point

    return arm


async def trip(gateway: Gateway) -> None:
    gateway.site.turn(STEAM, 600.0)
    await gateway.until(lambda: gateway.live().latch.is_latched)


def test_a_trip_is_on_the_disk_with_what_was_seen() -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            await trip(gateway)
            await gateway.until(lambda: gateway.trips.is_persisted("steam"), 0.1)
        (record,) = map(json.loads, site.records("trip"))
        assert record["constraint"] == "steam"
        assert record["saw"][STEAM]["value"] == 600
        assert record["limit"] == {"max": 580}
        assert record["safe_state"] == {"boiler.burner": False}
        assert record["first_out"] is True
        assert site.kept() == {"steam"}

    play(story)


def test_how_the_safe_state_came_on_is_on_the_disk() -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            await trip(gateway)
            await asyncio.sleep(2)
        (record,) = map(json.loads, site.records("safe_state"))
        assert record["state"] == "confirmed"
        assert record["read_back"] == {"boiler.burner": {"requested": False, "read": False, "outcome": "confirmed"}}
        assert [frame["tag"] for frame in record["frames"]] == ["burner"]

    play(story)


@pytest.mark.parametrize("after", range(1, 13))
def test_a_trip_outlives_a_kill_at_any_point_once_it_is_on_the_disk(after: int) -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            killing(site, after)(gateway)
            await trip(gateway)
            await asyncio.sleep(1)
            was_persisted = gateway.trips.is_persisted("steam")
            assert gateway.live().latch.is_latched
        site.turn(STEAM, 400.0)
        async with running(site) as gateway:
            assert gateway.live().latch.is_latched >= was_persisted
            assert bool(gateway.trips.names) == gateway.live().latch.is_latched
            if was_persisted:
                assert ("halted", "steam") in refused(gateway)
            assert gateway.live().latch.is_latched or not site.records("trip")
        assert verify(site.disk.chained).is_proved

    play(story)


@pytest.mark.parametrize("after", range(1, 13))
def test_a_reset_that_was_answered_outlives_a_kill_and_one_that_was_not_says_so(after: int) -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            await trip(gateway)
            site.turn(STEAM, 400.0)
            await asyncio.sleep(2)
            killing(site, after)(gateway)
            reply = await gateway.command("reset", name="steam")
        async with running(site) as gateway:
            if reply.outcome == "applied":
                assert not gateway.live().latch.is_latched
            else:
                assert reply.code == "journal_unavailable"
            # What was recorded and what is in force are the same, whichever it is.
            assert gateway.live().latch.is_latched is not bool(site.records("reset"))
        assert verify(site.disk.chained).is_proved

    play(story)


def test_a_dead_journal_holds_nothing_up_and_is_an_alarm_after_a_second() -> None:
    async def story(gateway: Gateway) -> None:
        gateway.site.journal_latency = lambda: 1e6
        await trip(gateway)
        await gateway.until(lambda: gateway.safe_states.progress("steam") == "confirmed", 1)
        await asyncio.sleep(0.5)
        assert gateway.counters.control.unpersisted == 0
        await asyncio.sleep(1)
        assert gateway.counters.control.unpersisted == 1
        assert "unpersisted" in gateway.events
        assert gateway.gate.is_halted

    run(story)


def test_a_journal_that_fails_gets_the_trip_as_soon_as_it_can() -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            for _ in range(20):
                gateway.journal.fail_next("disk full")
            await trip(gateway)
            await asyncio.sleep(3)
            assert not gateway.trips.is_persisted("steam")
            assert gateway.counters.control.unpersisted == 1
            gateway.journal._failing.clear()
            gateway.journal.recover()
            await gateway.until(lambda: gateway.trips.is_persisted("steam"), 2)
        assert site.kept() == {"steam"}
        assert json.loads(site.disk.state[Table.TRIPS, "steam"])["confirmed"] is True
        assert any('"kind":"trip"' in each.body.decode() for each in site.disk.chained)

    play(story)


def test_an_unhealthy_journal_takes_trips_and_nothing_else() -> None:
    async def story(gateway: Gateway) -> None:
        gateway.journal.fail("no space left")
        await trip(gateway)
        await gateway.until(lambda: gateway.trips.is_persisted("steam"), 1)
        assert gateway.counters.control.unpersisted == 0
        with pytest.raises(StorageError):
            await gateway.journal.commit([{"kind": "intent"}])

    run(story)


def test_a_full_queue_before_the_journal_is_waited_out() -> None:
    async def main() -> None:
        clock, counters, told = VirtualClock(), ControlCounters(), list[str]()
        journal = MemoryJournal(HashChain(), clock, Random(1), latency=lambda: 3.0, limits=Limits(waiting=1))
        trips = Trips(journal, clock, counters, lambda _, what, __: told.append(what))
        await trips.load()
        ahead = asyncio.create_task(journal.commit([{"kind": "trip"}], urgent=True))
        await asyncio.sleep(0)
        trips.remember(Trip(constraint="steam", verdict="violated", first_out=True, saw={}, epoch=1))
        await asyncio.sleep(1.5)
        assert told == ["unpersisted"]
        await asyncio.sleep(8)
        assert trips.is_persisted("steam")
        await ahead
        await trips.close()

    run_virtual(main())


def test_a_record_that_cannot_be_written_does_not_keep_the_latch_from_the_disk() -> None:
    async def main() -> None:
        clock = VirtualClock()
        journal = MemoryJournal(HashChain(), clock, Random(1))
        trips = Trips(journal, clock, ControlCounters(), lambda *_: None)
        await trips.load()
        bad = Trip(constraint="steam", verdict="violated", first_out=True, saw={}, limit=object(), epoch=1)
        trips.remember(bad)
        await asyncio.sleep(0.5)
        assert trips.is_persisted("steam")
        assert json.loads(journal.disk.chained[0].body)["constraint"] == "steam"
        await trips.close()

    run_virtual(main())


def test_a_reset_that_nobody_knows_the_end_of_leaves_the_trip_on_the_disk() -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            await trip(gateway)
            site.turn(STEAM, 400.0)
            await asyncio.sleep(2)
            site.journal_latency = lambda: 20.0
            assert (await gateway.command("reset", name="steam")).code == "journal_unavailable"
            assert gateway.live().latch.is_latched
            site.journal_latency = lambda: 0.01
            await asyncio.sleep(60)
            assert gateway.live().latch.is_latched
        assert site.kept() == {"steam"}

    play(story)


def test_a_trip_whose_constraint_is_gone_halts_until_a_person_resets_it() -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            await trip(gateway)
            await asyncio.sleep(1)
        site.constraints = [steam(name="other")]
        site.turn(STEAM, 400.0)
        async with running(site) as gateway:
            assert gateway.gate.latched() == ["steam"]
            assert gateway.gate.is_halted
            assert refused(gateway, "turbine.trip_valve") == [("halted", "steam")]
            assert (await gateway.command("reset", name="steam")).outcome == "applied"
            assert refused(gateway) == []
        assert site.kept() == set()

    play(story)


def test_a_trip_of_a_constraint_that_is_critical_no_more_can_be_reset() -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            await trip(gateway)
            await asyncio.sleep(1)
        site.constraints = [steam(level=SafetyLevel.HIGH)]
        site.turn(STEAM, 400.0)
        async with running(site) as gateway:
            assert gateway.gate.is_halted
            assert (await gateway.command("reset")).outcome == "applied"
            assert gateway.gate.latched() == []

    play(story)


def test_a_damaged_table_is_told_and_ends_with_a_reset_of_all() -> None:
    async def story(site: Site) -> None:
        site.disk.damaged = frozenset((Table.TRIPS,))
        async with running(site) as gateway:
            assert gateway.trips.is_damaged
            assert (await gateway.command("reset", name="steam")).message == "steam: not latched"
            assert gateway.trips.is_damaged
            assert (await gateway.command("reset", reason="")).code == "bad_schema"
            assert (await gateway.command("reset")).outcome == "applied"
        assert not site.disk.damaged
        (record,) = map(json.loads, site.records("reset"))
        assert (record["principal"], record["reason"]) == ("operator-1", "because")
        async with running(site) as gateway:
            assert not gateway.trips.is_damaged

    play(story)


def test_mending_a_table_keeps_what_cannot_be_reset() -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            await trip(gateway)
            await asyncio.sleep(1)
        site.disk.damaged = frozenset((Table.TRIPS,))
        async with running(site) as gateway:
            reply = await gateway.command("reset")
            assert reply.code == "cause_present"
            assert not gateway.trips.is_damaged
            assert gateway.gate.is_halted
        assert site.kept() == {"steam"}

    play(story)


def test_a_table_that_cannot_be_read_at_the_start_denies_until_it_was_read_and_reset() -> None:
    async def main() -> None:
        site = Site()
        async with running(site) as gateway:
            await trip(gateway)
            await asyncio.sleep(1)
        site.journal_latency = lambda: 10.0
        async with running(site, settled=False) as gateway:
            assert gateway.trips.is_damaged
            assert not gateway.live().latch.is_latched
            site.journal_latency = lambda: 0.01
            await gateway.until(lambda: gateway.live().latch.is_latched)
            assert (await gateway.command("reset")).code == "cause_present"
            site.turn(STEAM, 400.0)
            await asyncio.sleep(2)
            assert (await gateway.command("reset")).outcome == "applied"
        assert site.kept() == set()

    run_virtual(main())


def test_a_trip_that_comes_again_while_the_record_of_the_last_one_waits_is_kept() -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            for _ in range(5):
                await trip(gateway)
                site.turn(STEAM, 400.0)
                await gateway.until(lambda: gateway.live().judgement.reason == "" and gateway.gate.is_halted)
                await asyncio.sleep(0.3)
                assert (await gateway.command("reset")).outcome == "applied"
                site.journal_latency = lambda: 0.4
            await trip(gateway)
            await asyncio.sleep(5)
        assert site.kept() == {"steam"}
        assert len(site.records("trip")) == 6

    play(story, constraints=[steam(off_delay=Seconds(0.1))])


def test_nothing_is_kept_of_a_disk_that_is_new() -> None:
    async def story(site: Site) -> None:
        site.disk = Disk()
        async with running(site) as gateway:
            assert gateway.trips.names == frozenset()
            assert not gateway.trips.is_damaged

    play(story)


@pytest.mark.parametrize("value", [400.0, "what?"], ids=["the cause is gone", "nobody knows"])
def test_trips_that_were_not_read_at_the_start_are_reset_like_others(value: float | str) -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            await trip(gateway)
            await asyncio.sleep(1)
        site.turn(STEAM, value)
        site.journal_latency = lambda: 10.0
        async with running(site) as gateway:
            assert gateway.gate.latched() == []
            assert gateway.trips.is_damaged
            assert (await gateway.command("reset")).code == "journal_unavailable"
            site.journal_latency = lambda: 0.01
            await asyncio.sleep(30)
            reply = await gateway.command("reset")
            assert reply.code == ("" if value == 400.0 else "cause_present")
            assert gateway.trips.is_damaged is bool(reply.code)
        assert site.kept() == ({"steam"} if reply.code else set())

    play(story)
