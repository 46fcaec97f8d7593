"""Writes of which nobody knows whether they took effect."""

import asyncio

import pytest

from gateway.control import unresolved
from gateway.control.command import Command
from gateway.control.reply import Outcome
from gateway.storage.port import Change, Table
from tests.unit.gateway.app.control_site import ControlSite, configuration, play
from tests.virtual_time import run_virtual


def fall_silent(site: ControlSite) -> None:
    """Let the boiler do the next write, and say nothing from then on."""
    far = site.far()
    far.mute.add(1)
    far.asked = lambda _, what: far.silent.add(1) if what == "write" else None


def speak(site: ControlSite) -> None:
    far = site.far()
    far.asked = lambda _, __: None
    far.silent.clear()
    far.mute.clear()


async def intents(site: ControlSite) -> list[str]:
    return sorted((await site.journal.load(Table.INTENTS)).values)


def test_it_is_looked_after_over_a_restart_and_has_one_outcome_until_it_is_known() -> None:
    settings = configuration()

    async def main() -> None:
        site = ControlSite(settings)
        async with site.running():
            fall_silent(site)
            assert (await site.write("boiler.count", 8, id="7")).outcome is Outcome.UNKNOWN
            assert await intents(site) == ["ann/7"]
        again = ControlSite(settings, site.journal.disk)
        async with again.running():
            assert again.left == []  # its outcome is on record: unknown
            assert len(again.records("outcome")) == 1
            speak(again)
            await asyncio.sleep(20)
            settled = again.records("outcome")[-1]
            assert settled["reason"] == unresolved.FOUND_OUT
            assert await intents(again) == []

    run_virtual(main())


def test_a_later_write_of_the_tag_ends_the_search_for_what_became_of_the_first() -> None:
    async def story(site: ControlSite) -> None:
        fall_silent(site)
        await site.write("boiler.count", 8, id="7")
        site.control.unresolved.supersede("boiler.mode")  # another tag
        assert site.counters.control.unresolved == 1
        speak(site)
        site.control.unresolved.supersede("boiler.count")
        await asyncio.sleep(3)
        assert site.counters.control.unresolved == 0
        reply = await site.write("boiler.count", 8, id="7")
        assert (reply.outcome, reply.message) == (Outcome.UNKNOWN, unresolved.ANEW)
        assert await intents(site) == []

    play(story)


def test_of_several_writes_only_the_unknown_one_is_read() -> None:
    async def story(site: ControlSite) -> None:
        turbine = site.far("turbine")
        turbine.mute.add(1)
        turbine.asked = lambda _, what: turbine.silent.add(1) if what == "write" else None
        reply = await site.submit(
            verb="write", writes={"boiler.count": 8, "turbine.load": 1.0, "boiler.mode": "x"}, id="7"
        )
        assert reply.outcome is Outcome.UNKNOWN
        turbine.asked = lambda _, __: None
        turbine.silent.clear()
        turbine.mute.clear()
        await asyncio.sleep(20)
        again = await site.submit(
            verb="write", writes={"boiler.count": 8, "turbine.load": 1.0, "boiler.mode": "x"}, id="7"
        )
        assert again.results["boiler.count"].outcome is Outcome.APPLIED
        assert again.results["turbine.load"].outcome in {Outcome.APPLIED, Outcome.MISMATCH}
        assert again.results["boiler.mode"].code == "cancelled"

    play(story)


@pytest.mark.parametrize(
    ("tag", "keys", "value"),
    [("gone", {}, 8), ("count", {"readback": "none"}, 8), ("setpoint", {}, 99999)],
    ids=["its tag is gone", "it cannot be read back", "its value is out of range by now"],
)
def test_what_can_never_be_known_is_given_up_as_unknown(tag: str, keys: dict[str, str], value: int) -> None:
    settings = configuration(tags={tag: keys} if keys else None)

    async def main() -> None:
        site = ControlSite(settings)
        async with site.running():
            kept = {"digest": "d", "id": "7", "principal": "ann", "writes": {f"boiler.{tag}": value}}
            await site.journal.commit([], [Change(Table.INTENTS, "ann/7", kept)])
        again = ControlSite(settings, site.journal.disk)
        async with again.running():
            assert again.left == ["7"]
            await asyncio.sleep(3)
            assert await intents(again) == []
            assert again.records("outcome")[-1]["outcome"] == "unknown"

    run_virtual(main())


def test_a_value_that_differs_is_found_out_as_a_mismatch() -> None:
    settings = configuration()

    async def main() -> None:
        site = ControlSite(settings)
        async with site.running():
            kept = {"digest": "d", "id": "7", "principal": "ann", "writes": {"boiler.count": 8}}
            await site.journal.commit([], [Change(Table.INTENTS, "ann/7", kept)])
        again = ControlSite(settings, site.journal.disk)
        async with again.running():
            again.far().silent.add(1)
            await asyncio.sleep(3)
            assert await intents(again) == ["ann/7"]  # it does not answer: it may yet
            again.far().silent.clear()
            await asyncio.sleep(10)
            assert again.records("outcome")[-1]["outcome"] == "mismatch"

    run_virtual(main())


def test_what_is_looked_after_is_bounded() -> None:
    async def story(site: ControlSite) -> None:
        site.far().cut()
        await site.scan(3)
        for place in range(unresolved.MOST + 2):
            entry = unresolved._Open(f"ann/{place}", str(place), "ann", "d", {"boiler.count": 8}, {})
            site.control.unresolved._enter(entry)
        assert site.counters.control.unresolved == unresolved.MOST

    play(story)


def test_a_reply_with_any_value_of_a_device_can_be_stored_and_recorded() -> None:
    async def story(site: ControlSite) -> None:
        site.far().takes = lambda _, __: float("nan")
        reply = await site.write("boiler.setpoint", 460, id="1")
        assert reply.outcome in {Outcome.MISMATCH, Outcome.UNKNOWN}
        again = await site.control.arbiter.submit(Command("write", id="1", writes={"boiler.setpoint": 460}), "ann")
        assert again.repeated

    play(story)
