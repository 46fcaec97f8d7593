"""A device with a counter to watch is believed only while that moves."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count

import pytest

from drivers.memory import MemoryPlant, plant
from drivers.values import Quality, Sample, bad
from gateway.endpoints.fingerprint import MISMATCH
from tests.field import Field
from tests.virtual_time import VirtualClock, run_virtual

_urls = count()

PLC = """
  plc:
    driver: memory
    url: {url}
    scan: 500ms
    watch_counter: {{tag: cycles, within: 3s}}
    {more}
    tags:
      level: {{address: level, start: 7}}
      model: {{address: model, start: 4}}
      cycles: {{address: cycles, start: 1, push: {push}}}
"""
FROZEN = bad("frozen")


class Site:
    """The device, and a guard that looks at the time."""

    def __init__(self, push: str, more: str) -> None:
        url = f"memory://counter-{next(_urls)}"
        self.plant: MemoryPlant = plant(url)
        self.field = Field(PLC.format(url=url, push=push, more=more), VirtualClock())
        self.device = self.field.plant.devices[0]
        self._cycles = 1
        self.changes: list[str] = []
        self.device.listen(lambda _, change: self.changes.append(change))

    def count(self) -> None:
        self._cycles += 1
        self.plant.set("cycles", self._cycles)

    async def run(self, seconds: float, *, moving: bool) -> None:
        """Let time pass, in which the counter moves twice a second or not at all."""
        for step in range(round(seconds * 10)):
            if moving and step % 5 == 0:
                self.count()
            await asyncio.sleep(0.1)
            self.field.image.expire()

    @property
    def level(self) -> Sample:
        return self.field.sample("plc.level")


def story_of(story: Callable[[Site], Awaitable[None]], push: str = "false", more: str = "") -> None:
    async def main() -> None:
        site = Site(push, more)
        async with site.field.running():
            await story(site)

    run_virtual(main())


@pytest.mark.parametrize("push", ["false", "true"])
def test_a_counter_that_moves_changes_nothing(push: str) -> None:
    async def story(site: Site) -> None:
        await site.run(10, moving=True)
        assert site.level == Sample(7)
        assert site.device.state.connected
        assert not site.device.state.reason
        assert all(sample.quality is Quality.GOOD for _, sample in site.field.told)

    story_of(story, push)


@pytest.mark.parametrize("push", ["false", "true"])
def test_a_counter_that_stands_still_makes_every_tag_bad_until_it_moves_again(push: str) -> None:
    async def story(site: Site) -> None:
        await site.run(2, moving=True)
        await site.run(2.3, moving=False)
        assert site.level == Sample(7)
        await site.run(1.2, moving=False)
        assert site.level == FROZEN
        assert {tag for tag, sample in site.field.told if sample == FROZEN} == {"plc.level", "plc.model", "plc.cycles"}
        assert site.device.state.connected  # it answers, and a safe state may still be written to it
        assert site.device.state.reason == "frozen"
        await site.run(60, moving=False)
        assert site.level == FROZEN
        site.plant.set("level", 8)
        await site.run(0.6, moving=True)
        assert site.level == Sample(8)
        assert not site.device.state.reason
        assert site.changes == ["device_connected", "device_frozen", "device_thawed"]

    story_of(story, push)


def test_a_counter_that_never_moved_since_the_start_is_no_proof_either() -> None:
    async def story(site: Site) -> None:
        await site.run(2.8, moving=False)
        assert site.level == Sample(7)
        await site.run(0.5, moving=False)
        assert site.level == FROZEN

    story_of(story)


def test_a_counter_that_cannot_be_read_is_no_proof() -> None:
    async def story(site: Site) -> None:
        await site.run(1, moving=True)
        site.plant.set("cycles", None, Quality.BAD, "sensor_failure")
        await site.run(3.5, moving=False)
        assert site.level == FROZEN

    story_of(story)


def test_it_is_found_out_without_any_sample_and_without_a_new_answer_to_the_rest() -> None:
    async def story(site: Site) -> None:
        await site.run(1, moving=True)
        site.plant.latency = 1000.0
        await site.run(1.4, moving=False)
        site.field.told.clear()
        await site.run(3, moving=False)
        assert site.level in {bad("stale"), FROZEN}
        assert site.device.state.reason == "frozen"

    story_of(story)


def test_a_new_connection_thaws_nothing_and_a_counter_that_moved_meanwhile_does() -> None:
    async def story(site: Site) -> None:
        await site.run(1, moving=True)
        await site.run(4, moving=False)
        site.plant.cut(reachable=True)
        await site.run(2, moving=False)
        assert site.level == FROZEN
        assert site.device.state.reason
        site.plant.cut()
        await site.run(2, moving=False)
        site.count()
        site.field.told.clear()
        site.plant.reachable = True
        await site.run(6, moving=True)
        assert site.level == Sample(7)
        assert site.device.state.connected
        assert not site.device.state.reason
        assert FROZEN not in [sample for _, sample in site.field.told]

    story_of(story)


def test_an_outage_longer_than_the_counter_may_stand_still_ends_with_the_outage() -> None:
    async def story(site: Site) -> None:
        await site.run(1, moving=True)
        site.plant.cut()
        await site.run(60, moving=True)
        assert site.level.quality is Quality.BAD
        site.plant.reachable = True
        await site.run(6, moving=True)
        assert site.level == Sample(7)
        assert FROZEN not in [sample for _, sample in site.field.told]

    story_of(story)


def test_a_counter_that_moves_proves_no_fingerprint_and_the_other_way_round() -> None:
    async def story(site: Site) -> None:
        await site.run(1, moving=True)
        assert site.level == bad(MISMATCH)
        site.plant.set("model", 5)
        await site.run(1, moving=True)
        assert site.level == Sample(7)
        await site.run(4, moving=False)
        assert site.level == FROZEN
        site.plant.set("model", 4)
        await site.run(1, moving=False)
        assert site.level == bad(MISMATCH)
        await site.run(1, moving=True)
        assert site.level == bad(MISMATCH)
        site.plant.set("model", 5)
        await site.run(1, moving=True)
        assert site.level == Sample(7)
        assert site.device.state.connected
        assert not site.device.state.reason

    story_of(story, more="fingerprint: {model: 5}")
