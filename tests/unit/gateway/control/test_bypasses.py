"""Bypasses: begun by a person, ended by time, and measured over restarts."""

import asyncio
import json

import pytest

from drivers.values import Seconds
from gateway.control.lasting_time import LastingTime, boot_ticks
from gateway.storage.port import Table
from tests.unit.gateway.control.tripping import BURNER, STEAM, Gateway, Site, play, run, running, steam

HOUR = 3600.0


def bypassable(**keys: object) -> list[object]:
    return [steam(bypassable=True, **keys)]


async def begun(gateway: Gateway, seconds: float = HOUR) -> None:
    reply = await gateway.command("bypass", name="steam", seconds=seconds)
    assert (reply.outcome, reply.code) == ("applied", "")


def is_bypassed(gateway: Gateway) -> bool:
    return gateway.live().is_bypassed(gateway.clock.monotonic())


def states(site: Site) -> list[str]:
    return [json.loads(record)["state"] for record in site.records("bypass")]


def test_while_it_lasts_nothing_is_denied_and_nothing_trips_and_that_is_shown() -> None:
    async def story(gateway: Gateway) -> None:
        await begun(gateway)
        gateway.site.turn(STEAM, 600.0)
        await asyncio.sleep(5)
        assert not gateway.live().latch.is_latched
        assert gateway.site.frames() == []
        shown = gateway.shown[-1].bypassed_until
        assert shown == pytest.approx(gateway.clock.wall() + HOUR, abs=10)
        assert ("bypass", "begun") in [(kind, what) for kind, what, _ in gateway.told]

    run(story, constraints=bypassable())


def test_when_it_is_over_that_is_recorded_and_the_constraint_acts_again() -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            await begun(gateway, 30.0)
            site.turn(STEAM, 600.0)
            await asyncio.sleep(29)
            assert not gateway.live().latch.is_latched
            await asyncio.sleep(1.2)
            assert gateway.live().latch.is_latched
            await asyncio.sleep(1.5)
            assert gateway.shown[-1].bypassed_until is None
            assert "expired" in gateway.events
            assert site.value(BURNER) is False
        assert states(site) == ["begun", "expired"]
        assert site.kept(Table.BYPASSES) == set()

    play(story, constraints=bypassable())


def test_it_clears_no_latch() -> None:
    async def story(gateway: Gateway) -> None:
        gateway.site.turn(STEAM, 600.0)
        await gateway.until(lambda: gateway.live().latch.is_latched)
        await begun(gateway)
        assert gateway.live().latch.is_latched
        assert (await gateway.command("reset", name="steam")).outcome == "applied"
        assert not gateway.live().latch.is_latched

    run(story, constraints=bypassable())


def test_a_shorter_one_ends_it_sooner() -> None:
    async def story(gateway: Gateway) -> None:
        await begun(gateway)
        await begun(gateway, 0.001)
        await asyncio.sleep(2)
        assert not is_bypassed(gateway)
        assert "expired" in gateway.events

    run(story, constraints=bypassable())


def test_the_longest_that_is_allowed_is_allowed() -> None:
    async def story(gateway: Gateway) -> None:
        await asyncio.sleep(0.1)
        await begun(gateway, HOUR)
        assert is_bypassed(gateway)
        reply = await gateway.command("bypass", name="steam", seconds=HOUR + 0.1)
        assert reply.code == "bad_value"

    run(story, constraints=bypassable(max_bypass=Seconds(HOUR)))


def test_without_a_limit_of_its_own_it_lasts_a_shift_at_most() -> None:
    async def story(gateway: Gateway) -> None:
        assert (await gateway.command("bypass", name="steam", seconds=8 * HOUR + 1)).code == "bad_value"
        await begun(gateway, 8 * HOUR)

    run(story, constraints=bypassable())


@pytest.mark.parametrize("away", [0.0, 1000.0], ids=["at once", "after a while"])
def test_it_goes_on_after_a_restart_with_the_time_away_counted(away: float) -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            await begun(gateway)
        site.slept = away
        site.turn(STEAM, 600.0)
        async with running(site) as gateway:
            left = gateway.live().bypassed_until - gateway.clock.monotonic()
            assert left == pytest.approx(HOUR - away, abs=10)
            assert not gateway.live().latch.is_latched
            assert "restored" in gateway.events
        assert states(site) == ["begun"]

    play(story, constraints=bypassable())


def test_one_that_ran_out_while_the_gateway_was_away_is_over() -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            await begun(gateway)
        site.slept = HOUR
        async with running(site) as gateway:
            assert not is_bypassed(gateway)
            await asyncio.sleep(1)
        assert states(site) == ["begun", "expired"]
        assert site.kept(Table.BYPASSES) == set()

    play(story, constraints=bypassable())


def test_over_a_reboot_the_wall_clock_measures_it_if_it_is_trusted() -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            await begun(gateway)
        site.boot, site.slept = "boot-2", 600.0
        async with running(site) as gateway:
            left = gateway.live().bypassed_until - gateway.clock.monotonic()
            assert left == pytest.approx(HOUR - 600, abs=10)

    play(story, constraints=bypassable())


@pytest.mark.parametrize("when", ["then", "now"])
def test_what_no_clock_can_measure_ends(when: str) -> None:
    async def story(site: Site) -> None:
        site.trusts_time = when == "now"
        async with running(site) as gateway:
            await begun(gateway)
        site.boot, site.trusts_time = "boot-2", when == "then"
        async with running(site) as gateway:
            assert not is_bypassed(gateway)
            await asyncio.sleep(1)
        assert states(site) == ["begun", "unmeasurable"]

    play(story, constraints=bypassable())


def test_a_wall_clock_that_was_turned_back_measures_nothing() -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            await begun(gateway)
        site.boot, site.slept = "boot-2", -600.0
        async with running(site) as gateway:
            assert not is_bypassed(gateway)

    play(story, constraints=bypassable())


def test_a_constraint_that_may_be_bypassed_no_more_is_not() -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            await begun(gateway)
        site.constraints = [steam()]
        async with running(site) as gateway:
            assert not is_bypassed(gateway)
            await asyncio.sleep(1)
        assert states(site) == ["begun", "ended"]

    play(story, constraints=bypassable())


def test_one_that_may_last_less_than_it_was_given_is_cut_short() -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            await begun(gateway)
        site.constraints = bypassable(max_bypass=Seconds(60))  # type: ignore[assignment]
        async with running(site) as gateway:
            assert gateway.live().bypassed_until - gateway.clock.monotonic() <= 60

    play(story, constraints=bypassable())


def test_suspend_counts_against_it_while_the_gateway_runs() -> None:
    async def story(gateway: Gateway) -> None:
        await begun(gateway)
        gateway.site.slept = HOUR - 10
        await asyncio.sleep(1.5)
        assert gateway.live().bypassed_until - gateway.clock.monotonic() <= 10
        gateway.site.slept = HOUR
        await asyncio.sleep(1.5)
        assert not is_bypassed(gateway)

    run(story, constraints=bypassable())


def test_what_is_not_on_record_is_not_bypassed_and_nobody_finds_it_later() -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            site.journal_latency = lambda: 20.0
            reply = await gateway.command("bypass", name="steam", seconds=HOUR)
            assert reply.code == "journal_unavailable"
            assert not is_bypassed(gateway)
            site.journal_latency = lambda: 0.01
            await asyncio.sleep(60)
            assert not is_bypassed(gateway)
        assert site.kept(Table.BYPASSES) == set()

    play(story, constraints=bypassable())


def test_a_damaged_table_bypasses_nothing_and_is_mended_by_the_next_bypass() -> None:
    async def story(site: Site) -> None:
        site.disk.damaged = frozenset((Table.BYPASSES,))
        async with running(site) as gateway:
            assert not is_bypassed(gateway)
            await begun(gateway)
        assert not site.disk.damaged

    play(story, constraints=bypassable())


@pytest.mark.parametrize(
    "granted",
    [{}, {"seconds": 10.0}, {"seconds": "x", "ticks": 5.0, "boot": "here"}, {"boot": "here", "ticks": "x"},
     {"seconds": 10.0, "boot": "", "ticks": 99.0, "wall": None}],
    ids=["nothing", "no times", "no duration", "no number", "no boot"],
)  # fmt: skip
def test_what_makes_no_sense_has_nothing_left(granted: dict[str, object]) -> None:
    for boot in ("here", ""):
        assert not LastingTime(boot, lambda: 1.0, lambda: 1.0).left(granted)


def test_the_clock_of_the_boot_goes_on() -> None:
    assert 0 < boot_ticks() <= boot_ticks()
