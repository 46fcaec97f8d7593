"""What a write means for the samples of its tag: from the frame to the read-back the image keeps what it had."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count

import pytest

from drivers.errors import DeviceFault
from drivers.memory import MemoryPlant, plant
from drivers.values import Sample
from drivers.writing import Unanswered
from gateway.control.aftermath import GRACE
from gateway.endpoints.fair_queue import Priority
from gateway.safety.constraint import Setting
from tests.field import Field
from tests.permits import Permit
from tests.virtual_time import VirtualClock, run_virtual

_urls = count()

VALVES = """
  valves:
    driver: memory
    url: {url}
    scan: 1s
    deadman: {{tag: beat}}
    tags:
      polled: {{address: polled, start: 1, writable: true}}
      pushed: {{address: pushed, start: 1, push: true, writable: true}}
      remote: {{address: remote, start: 1, writable: true, readback: valves.position}}
      position: {{address: position, start: 1}}
      blind: {{address: blind, start: 1, writable: true, readback: none}}
      beat: {{address: beat, start: 0, writable: true}}
"""


def story_of(story: Callable[[Field, MemoryPlant], Awaitable[None]]) -> None:
    async def main() -> None:
        url = f"memory://aftermath-{next(_urls)}"
        field = Field(VALVES.format(url=url), VirtualClock())
        async with field.running():
            await ready(field)
            field.told.clear()
            await story(field, plant(url))

    run_virtual(main())


async def ready(field: Field) -> None:
    await field.ready("valves")
    await field.until(lambda: field.sample("valves.polled").value and field.sample("valves.pushed").value)


async def write(field: Field, path: str, value: Setting) -> None:
    outlet, tag = field.outlet("valves"), field.tag(path)
    await outlet.write(tag, outlet.encode(tag, value), Permit(), Priority.WRITE)


async def read_back(field: Field, path: str) -> Sample:
    return await field.outlet("valves").read_back(field.tag(path), Priority.WRITE)


@pytest.mark.parametrize("tag", ["valves.polled", "valves.pushed"])
def test_until_it_is_read_back_the_old_sample_stays_and_then_the_new_one_is_told_at_once(tag: str) -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        await write(field, tag, 5)
        await asyncio.sleep(1.8)
        assert field.sample(tag) == Sample(1)
        assert field.values(tag) == []
        assert await read_back(field, tag) == Sample(5)
        assert field.sample(tag) == Sample(5)
        assert set(field.values(tag)) == {5}

    story_of(story)


@pytest.mark.parametrize("tag", ["valves.polled", "valves.pushed"])
def test_a_value_that_the_device_takes_back_after_the_read_back_shows(tag: str) -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        await write(field, tag, 5)
        await read_back(field, tag)
        far.set(tag.partition(".")[2], 1)
        await asyncio.sleep(1.1)
        assert field.sample(tag) == Sample(1)
        assert field.values(tag)[-1] == 1

    story_of(story)


@pytest.mark.parametrize("tag", ["valves.polled", "valves.pushed"])
def test_a_value_that_was_taken_back_before_anybody_read_it_shows_once_the_read_back_is_given_up(tag: str) -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        await write(field, tag, 5)
        far.set(tag.partition(".")[2], 2)
        await asyncio.sleep(1.1)  # it was told, and dropped
        assert field.sample(tag) == Sample(1)
        field.outlet("valves").release(field.tag(tag))
        await asyncio.sleep(1.1)
        assert field.sample(tag) == Sample(2)

    story_of(story)


@pytest.mark.parametrize("tag", ["valves.polled", "valves.pushed"])
def test_a_write_without_an_answer_holds_the_sample_until_it_was_read(tag: str) -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        far.mute = {1}
        with pytest.raises(Unanswered):
            await write(field, tag, 5)
        far.mute = set()
        await asyncio.sleep(1.1)
        assert field.sample(tag) == Sample(1)
        await read_back(field, tag)
        assert field.sample(tag) == Sample(5)

    story_of(story)


def test_a_read_back_that_fails_leaves_the_old_sample_until_it_is_given_up() -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        await write(field, "valves.polled", 5)
        far.fault = DeviceFault("exception_4", "not now")
        with pytest.raises(DeviceFault, match="not now"):
            await read_back(field, "valves.polled")
        far.fault = None
        await asyncio.sleep(1.1)
        assert field.sample("valves.polled") == Sample(1)
        field.outlet("valves").release(field.tag("valves.polled"))
        await asyncio.sleep(1.1)
        assert field.sample("valves.polled") == Sample(5)

    story_of(story)


def test_what_nobody_reads_back_or_gives_up_is_given_up_in_the_end() -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        await write(field, "valves.polled", 5)
        seconds = field.tag("valves.polled").settings.readback_timeout + GRACE
        await asyncio.sleep(seconds - 1)
        assert field.sample("valves.polled") == Sample(1)
        await asyncio.sleep(2.1)
        assert field.sample("valves.polled") == Sample(5)

    story_of(story)


def test_a_tag_that_is_read_back_elsewhere_holds_both_and_shows_both_again() -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        await write(field, "valves.remote", 5)
        far.set("position", 4)
        await asyncio.sleep(1.1)
        assert field.values("valves.remote") == []
        assert field.values("valves.position") == []
        far.set("position", 5)
        assert await read_back(field, "valves.remote") == Sample(5)
        assert field.values("valves.position") == [5]
        far.set("position", 1)
        await asyncio.sleep(1.1)
        assert field.sample("valves.remote") == Sample(5)
        assert field.sample("valves.position") == Sample(1)

    story_of(story)


def test_a_tag_that_is_not_read_back_shows_what_the_next_scan_brings() -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        await write(field, "valves.blind", 5)
        await asyncio.sleep(1.1)
        assert field.sample("valves.blind") == Sample(5)

    story_of(story)


def test_a_tag_that_reads_the_same_is_told_once_more_after_a_write_and_then_no_more() -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        await write(field, "valves.polled", 5)
        await read_back(field, "valves.polled")
        await asyncio.sleep(5)
        assert field.values("valves.polled") == [5, 5]
        assert field.values("valves.position") == []

    story_of(story)


def test_the_deadman_is_written_without_any_of_this() -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        await write(field, "valves.beat", 1)
        await asyncio.sleep(1.1)
        assert field.sample("valves.beat") == Sample(1)
        assert field.values("valves.beat") == [1]

    story_of(story)


def test_the_second_of_two_writes_is_not_let_go_by_the_first() -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        await write(field, "valves.polled", 5)
        await write(field, "valves.polled", 6)
        field.outlet("valves").release(field.tag("valves.polled"))
        await asyncio.sleep(1.1)
        assert field.sample("valves.polled") == Sample(1)
        field.outlet("valves").release(field.tag("valves.polled"))
        await asyncio.sleep(1.1)
        assert field.sample("valves.polled") == Sample(6)

    story_of(story)


def test_one_reading_ends_the_matter_for_every_write_before_it() -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        await write(field, "valves.polled", 5)
        await write(field, "valves.polled", 6)
        await read_back(field, "valves.polled")
        far.set("polled", 7)
        await asyncio.sleep(1.1)
        assert field.sample("valves.polled") == Sample(7)

    story_of(story)


def test_giving_up_while_a_second_frame_is_on_the_wire_does_not_let_its_samples_in() -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        await write(field, "valves.pushed", 5)
        far.latency = 0.2
        second = asyncio.create_task(write(field, "valves.pushed", 6))
        await asyncio.sleep(0.1)
        field.outlet("valves").release(field.tag("valves.pushed"))
        far.set("pushed", 9)
        await second
        assert field.values("valves.pushed") == []
        far.latency = 0
        await read_back(field, "valves.pushed")
        assert field.sample("valves.pushed") == Sample(9)

    story_of(story)


@pytest.mark.parametrize("tag", ["valves.polled", "valves.pushed"])
def test_a_connection_that_ends_before_the_read_back_leaves_nothing_behind(tag: str) -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        await write(field, tag, 5)
        far.cut(reachable=True)
        await asyncio.sleep(0.01)
        await ready(field)
        assert field.sample(tag) == Sample(5)
        far.set(tag.partition(".")[2], 6)
        await asyncio.sleep(1.1)
        assert field.sample(tag) == Sample(6)

    story_of(story)


def test_a_connection_that_ends_while_the_frame_is_on_the_wire_leaves_nothing_behind() -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        far.latency = 0.2
        writing = asyncio.create_task(write(field, "valves.polled", 5))
        await asyncio.sleep(0.1)
        far.cut(reachable=True)
        with pytest.raises(Unanswered):
            await writing
        far.latency = 0
        await ready(field)
        far.set("polled", 6)
        await asyncio.sleep(1.1)
        assert field.sample("valves.polled") == Sample(6)

    story_of(story)
