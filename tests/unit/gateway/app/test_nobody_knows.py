"""What nobody knows is not decided by who has only a part of it: lost trips, and devices that may be others."""

import asyncio

import pytest

from drivers.values import bad
from gateway.control.reply import Outcome
from gateway.storage.memory import Disk
from tests.unit.gateway.app.control_site import HOT, ControlSite, configuration, play
from tests.virtual_time import run_virtual

FAST = {"name": "fast", "kind": "threshold", "tag": "turbine.speed", "max": 3600, "level": "critical"}
ROWS = {
    "boiler-man": {"role": "operator", "may": ["reset"], "tags": ["boiler.*"]},
    "chief": {"role": "operator", "may": ["reset"], "tags": ["*"]},
}


async def with_a_trip_of_the_turbine() -> Disk:
    """Return the disk of a gateway that had a constraint which the next one has no more, and it is latched."""
    site = ControlSite(configuration(constraints=[HOT, FAST]))
    async with site.running():
        site.far("turbine").set("speed", 4000.0)
        await site.scan(4)
        assert site.control.gate.latched() == ["fast"]
    return site.journal.disk


@pytest.mark.parametrize(("who", "left"), [("boiler-man", ["fast"]), ("chief", [])])
def test_a_trip_without_a_constraint_is_reset_by_those_who_have_every_tag(who: str, left: list[str]) -> None:
    async def main() -> None:
        site = ControlSite(configuration(authority=ROWS), await with_a_trip_of_the_turbine())
        async with site.running():
            await site.submit(who, verb="reset", reason="looked at it")
            assert site.control.gate.latched() == left

    run_virtual(main())


@pytest.mark.parametrize(("who", "code"), [("boiler-man", "forbidden"), ("chief", "")])
def test_so_is_what_is_damaged_on_record(who: str, code: str) -> None:
    async def story(site: ControlSite) -> None:
        site.control.trips._table.is_damaged = True
        reply = await site.submit(who, verb="reset", reason="looked at it")
        assert reply.code == code
        assert site.control.trips.is_damaged is bool(code)

    play(story, configuration(authority=ROWS))


def test_what_another_device_reads_proves_no_write() -> None:
    async def story(site: ControlSite) -> None:
        far = site.far()

        def swap(_: int, what: str) -> None:
            if what == "write":  # the cable is pulled, and what answers then is another device
                far.set("mode", "another")
                far.cut(reachable=True)

        far.asked = swap
        reply = await site.write("boiler.count", 8)
        assert (reply.outcome, reply.code) == (Outcome.UNKNOWN, "timeout")
        assert site.frames("count") == [8]
        far.asked = lambda _, __: None
        far.set("mode", "auto")
        await asyncio.sleep(5)
        assert site.counters.control.unresolved == 0

    play(story, configuration(boiler={"fingerprint": {"mode": "auto"}}))


def test_a_device_that_cannot_be_asked_who_it_is_any_more_is_not_written() -> None:
    async def story(site: ControlSite) -> None:
        assert (await site.write("boiler.count", 8)).outcome is Outcome.APPLIED
        mark = site.plant.image.find("boiler.mode")
        assert mark is not None
        site.plant.image.put(mark, bad("exception_2"))  # of its block alone; all others answer on
        await site.scan()
        reply = await site.write("boiler.count", 9)
        assert (reply.code, site.frames("count")) == ("fingerprint_mismatch", [8])

    play(story, configuration(boiler={"fingerprint": {"mode": "auto"}}))


def test_the_deadman_of_a_device_is_written_by_nobody() -> None:
    async def story(site: ControlSite) -> None:
        before = site.frames("count")
        assert (await site.write("boiler.count", 99)).code == "not_writable"
        assert 99 not in [*before, *site.frames("count")]

    play(story, configuration(boiler={"deadman": {"tag": "count", "period": "1s"}}))


def test_while_the_trips_on_record_are_damaged_no_device_gets_a_beat() -> None:
    async def story(site: ControlSite) -> None:
        await asyncio.sleep(3)
        assert len(site.frames("count")) > 1
        site.control.trips._table.is_damaged = True
        await asyncio.sleep(1)
        before = len(site.frames("count"))
        await asyncio.sleep(5)
        assert len(site.frames("count")) == before

    play(story, configuration(boiler={"deadman": {"tag": "count", "period": "1s"}}))
