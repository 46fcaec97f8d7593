"""The way out to a device in memory, on virtual time: values, frames, connections."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count

import pytest

from drivers.errors import DeviceFault
from drivers.memory import Frame, MemoryPlant, plant
from drivers.memory.writing import MemoryWriter
from drivers.values import Quality, Sample
from drivers.writing import NotSent, Unanswered
from gateway.endpoints.fair_queue import Priority
from gateway.safety.constraint import Setting
from tests.field import Field
from tests.permits import Permit, Refused
from tests.virtual_time import VirtualClock, run_virtual

_urls = count()

BOILER = """
  boiler:
    driver: memory
    url: {url}
    scan: 1s
    tags:
      setpoint: {{address: setpoint, start: 4500, scale: 0.1, range: [0, 700], writable: true}}
      level: {{address: level, start: 1.5, scale: 10, offset: 3, writable: true}}
      enabled: {{address: enabled, start: true, writable: true}}
      mode: {{address: mode, start: 1, writable: true}}
      steam: {{address: steam, start: 7}}
"""
ANOTHER = """
  other:
    driver: memory
    url: {url}
    unit: 2
    tags: {{mode: {{address: other, start: 1, writable: true}}}}
"""


def story_of(story: Callable[[Field, MemoryPlant], Awaitable[None]], devices: str = BOILER) -> None:
    async def main() -> None:
        url = f"memory://outlet-{next(_urls)}"
        field = Field(devices.format(url=url), VirtualClock())
        async with field.running():
            await story(field, plant(url))

    run_virtual(main())


async def write(field: Field, path: str, value: Setting, permit: Permit | None = None) -> None:
    outlet, tag = field.outlet(path.partition(".")[0]), field.tag(path)
    await outlet.write(tag, outlet.encode(tag, value), permit or Permit(), Priority.WRITE)


@pytest.mark.parametrize(
    ("path", "value", "raw", "holds"),
    [
        ("boiler.setpoint", 23.4, 234, pytest.approx(23.4)),
        ("boiler.setpoint", 450, 4500, 450.0),
        ("boiler.setpoint", 0.3, 3, pytest.approx(0.3)),
        ("boiler.setpoint", 23.44, 234, pytest.approx(23.4)),
        ("boiler.level", 8.0, 0.5, 8.0),
        ("boiler.enabled", False, False, False),
        ("boiler.mode", 7, 7, 7),
        ("boiler.mode", 7.0, 7, 7),
    ],
)
def test_a_value_is_encoded_in_the_devices_own_units(path: str, value: Setting, raw: object, holds: object) -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        outlet, tag = await field.ready("boiler"), field.tag(path)
        encoded = outlet.encode(tag, value)
        assert (type(encoded), encoded) == (type(raw), raw)
        sample = outlet.decode(tag, encoded)
        assert (sample.value, sample.quality) == (holds, Quality.GOOD)

    story_of(story)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("boiler.mode", 7.5),
        ("boiler.mode", True),
        ("boiler.mode", "on"),
        ("boiler.mode", float("nan")),
        ("boiler.setpoint", float("inf")),
        ("boiler.setpoint", 1e300),
        ("boiler.enabled", 1),
        ("boiler.level", False),
    ],
)
def test_what_a_tag_cannot_hold_is_refused_in_one_line(path: str, value: Setting) -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        outlet = await field.ready("boiler")
        with pytest.raises(ValueError, match=r".") as refused:
            outlet.encode(field.tag(path), value)
        assert "\n" not in str(refused.value)
        assert len(str(refused.value)) < 400

    story_of(story)


def test_a_write_is_one_frame_under_a_permit_for_exactly_it() -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        outlet, permit = await field.ready("boiler"), Permit()
        await write(field, "boiler.setpoint", 23.4, permit)
        assert list(far.frames) == [Frame(1, "setpoint", 234)]
        assert permit.spent == [("boiler", "setpoint", 234, outlet.generation)]
        assert (await outlet.read_back(field.tag("boiler.setpoint"), Priority.WRITE)).value == pytest.approx(23.4)

    story_of(story)


def test_without_a_connection_nothing_is_encoded_sent_or_read() -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        far.reachable = False
        await asyncio.sleep(1)
        outlet, tag, permit = field.outlet("boiler"), field.tag("boiler.mode"), Permit()
        assert outlet.generation is None
        with pytest.raises(NotSent) as not_encoded:
            outlet.encode(tag, 3)
        with pytest.raises(NotSent):
            outlet.decode(tag, 3)
        with pytest.raises(NotSent):
            await outlet.write(tag, 3, permit, Priority.WRITE)
        with pytest.raises(DeviceFault):
            await outlet.read_back(tag, Priority.WRITE)
        outlet.release(tag)
        assert not_encoded.value.kind == "device_down"
        assert not permit.spent

    story_of(story)


def test_each_connection_has_a_generation_of_its_own_and_is_announced() -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        outlet = field.outlet("boiler")
        seen: list[int | None] = []
        outlet.listen(lambda: seen.append(outlet.generation))
        await field.ready("boiler")
        far.cut(reachable=True)
        await asyncio.sleep(0.01)
        assert outlet.generation is None
        await field.ready("boiler")
        assert len(set(seen)) == 2
        assert None not in seen

    story_of(story)


def test_what_the_permit_raises_goes_through_and_the_samples_of_the_tag_go_on() -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        await field.ready("boiler")
        with pytest.raises(Refused):
            await write(field, "boiler.mode", 3, Permit(allows=False))
        assert not far.frames
        far.set("mode", 5)
        await asyncio.sleep(1.1)
        assert field.sample("boiler.mode") == Sample(5)

    story_of(story)


def test_a_write_that_has_begun_goes_its_way_though_nobody_waits_any_more() -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        await field.ready("boiler")
        far.latency = 0.2
        writing = asyncio.create_task(write(field, "boiler.mode", 3))
        await asyncio.sleep(0.05)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        assert len(far.frames) == 1
        outlet = field.outlet("boiler")
        assert (await outlet.read_back(field.tag("boiler.mode"), Priority.WRITE)).value == 3
        await asyncio.sleep(2)
        assert field.sample("boiler.mode") == Sample(3)
        assert len(far.frames) == 1

    story_of(story)


def test_a_write_that_waits_for_the_wire_is_not_sent_when_nobody_waits_for_it() -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        await field.ready("boiler")
        far.latency = 0.2
        first = asyncio.create_task(write(field, "boiler.mode", 3))
        await asyncio.sleep(0.01)
        second = asyncio.create_task(write(field, "boiler.level", 13.0))
        await asyncio.sleep(0.01)
        second.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        await asyncio.sleep(1)
        assert [frame.address for frame in far.frames] == ["mode"]

    story_of(story)


def test_a_write_that_waits_while_its_connection_ends_is_not_sent_over_the_next() -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        await field.ready("boiler")
        far.latency = 0.2
        first = asyncio.create_task(write(field, "boiler.mode", 3))
        await asyncio.sleep(0.01)
        permit = Permit()
        second = asyncio.create_task(write(field, "boiler.level", 13.0, permit))
        await asyncio.sleep(0.01)
        far.cut(reachable=True)
        outcomes = await asyncio.gather(first, second, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [Unanswered, NotSent]
        await field.ready("boiler")
        await asyncio.sleep(1)
        assert len(far.frames) == 1
        assert not permit.spent

    story_of(story)


def test_a_silent_device_leaves_a_write_open_and_the_session_goes_on() -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        outlet = await field.ready("boiler")
        far.mute = {1}
        with pytest.raises(Unanswered):
            await write(field, "boiler.mode", 3)
        far.mute = set()
        assert (await outlet.read_back(field.tag("boiler.mode"), Priority.WRITE)).value == 3
        assert field.counters.devices["boiler"].errors["timeout"] == 1

    story_of(story)


def test_a_refusal_of_the_device_is_what_the_driver_says() -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        await field.ready("boiler")
        far.refusal = DeviceFault("exception_3", "not that value")
        with pytest.raises(DeviceFault) as refused:
            await write(field, "boiler.mode", 3)
        assert type(refused.value) is DeviceFault
        assert refused.value.kind == "exception_3"

    story_of(story)


def failing_writers(times: int, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Let the first calls of `prepare` fail."""
    left = [error] * times
    prepare = MemoryWriter.prepare

    async def fail_first(writer: MemoryWriter) -> None:
        if left:
            raise left.pop()
        await prepare(writer)

    monkeypatch.setattr(MemoryWriter, "prepare", fail_first)


@pytest.mark.parametrize("times", [1, 3])
def test_a_writer_that_could_not_be_prepared_is_prepared_later_and_the_reading_goes_on(
    times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_writers(times, monkeypatch, DeviceFault("busy", "not now"))

    async def story(field: Field, far: MemoryPlant) -> None:
        announced: list[int | None] = []
        outlet = field.outlet("boiler")
        outlet.listen(lambda: announced.append(outlet.generation))
        await asyncio.sleep(0.5)
        assert outlet.generation is None
        assert field.sample("boiler.steam") == Sample(7)
        await field.ready("boiler")
        assert announced == [outlet.generation]
        assert field.counters.devices["boiler"].errors["busy"] == times
        assert field.counters.devices["boiler"].reconnects == 0

    story_of(story)


def test_a_writer_that_is_not_prepared_is_prepared_in_the_turn_in_which_it_is_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failing_writers(1, monkeypatch, DeviceFault("busy", "not now"))

    async def story(field: Field, far: MemoryPlant) -> None:
        await asyncio.sleep(0.5)
        outlet, tag = field.outlet("boiler"), field.tag("boiler.mode")
        assert outlet.generation is None
        assert (await outlet.read_back(tag, Priority.WRITE)).value == 1
        assert outlet.generation is not None

    story_of(story)


def test_a_bug_in_a_writer_does_not_end_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    failing_writers(1000, monkeypatch, ZeroDivisionError("a bug"))

    async def story(field: Field, far: MemoryPlant) -> None:
        await asyncio.sleep(5)
        assert field.sample("boiler.steam") == Sample(7)
        assert field.outlet("boiler").generation is None

    story_of(story)


def test_a_unit_that_is_dead_beside_others_is_prepared_only_once_it_has_answered() -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        far.silent = {2}
        await field.ready("boiler")
        await asyncio.sleep(20)
        assert field.outlet("other").generation is None
        far.silent = set()
        await field.ready("other")
        await write(field, "other.mode", 3)
        assert far.frames[-1] == Frame(2, "other", 3)

    story_of(story, BOILER + ANOTHER)


def test_a_device_that_only_reports_is_written_to_as_long_as_its_connection_lasts() -> None:
    devices = """
  turbine:
    driver: memory
    url: {url}
    tags: {{speed: {{address: speed, start: 3000, push: true, writable: true}}}}
"""

    async def story(field: Field, far: MemoryPlant) -> None:
        for speed in (3100, 3200):
            outlet = await field.ready("turbine")
            await write(field, "turbine.speed", speed)
            await outlet.read_back(field.tag("turbine.speed"), Priority.WRITE)
            assert field.sample("turbine.speed") == Sample(speed)
            far.cut(reachable=True)
            await asyncio.sleep(0.01)

    story_of(story, devices)


def test_a_bug_after_the_frame_has_left_leaves_the_write_open(monkeypatch: pytest.MonkeyPatch) -> None:
    async def spend_and_fail(self: MemoryWriter, point: int, tag: str, raw: object, permit: Permit) -> None:
        permit.spend("boiler", tag, raw, self.generation)
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(MemoryWriter, "write", spend_and_fail)

    async def story(field: Field, far: MemoryPlant) -> None:
        await field.ready("boiler")
        with pytest.raises(Unanswered, match="a bug"):
            await write(field, "boiler.mode", 3)

    story_of(story)


def test_a_device_with_nothing_writable_has_no_way_out() -> None:
    async def story(field: Field, far: MemoryPlant) -> None:
        assert field.plant.outlets == {}

    story_of(story, "\n  meter: {{driver: memory, url: '{url}', tags: {{power: {{address: power}}}}}}\n")
