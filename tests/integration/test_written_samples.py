"""Samples of tags that are written, from real servers: nothing from before a write is taken for what came of it."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from drivers.values import Sample
from drivers.writing import Raw, Unanswered
from gateway.clock import SystemClock
from gateway.endpoints.fair_queue import Priority
from gateway.safety.constraint import Setting
from tests.field import Field
from tests.integration.fake_plc import Asked, FakePlc, fake_plc, good, silent
from tests.integration.opcua_server import OpcUaServer, ServerSpec, Value, opcua_server
from tests.integration.register_writes import WRITES
from tests.permits import Permit

pytestmark = pytest.mark.real

MODBUS = """
  plc:
    driver: modbus
    url: {url}
    scan: 200ms
    timeout: 1s
    profile: {{max_gap: 0}}
    tags:
      setpoint: {{address: holding:0, scale: 0.1, writable: true}}
      slow: {{address: holding:200}}
      last: {{address: holding:400}}
"""
OPCUA = """
  plc:
    driver: opcua
    url: {url}
    scan: 100ms
    timeout: 5s
    verify: 60s
    tags:
      a: {{node: "nsu=urn:boiler-house;s=a", writable: true}}
      b: {{node: "nsu=urn:boiler-house;s=b", writable: true, mode: poll}}
"""


@pytest_asyncio.fixture
async def plc() -> AsyncIterator[FakePlc]:
    async with fake_plc() as plc:
        plc.words[0] = 10
        yield plc


@pytest.fixture
def server() -> Iterator[OpcUaServer]:
    nodes = {name: Value(1, "Int32") for name in "ab"}
    with opcua_server(ServerSpec(nodes=nodes, writable=("a", "b"))) as server:
        yield server


class Marking(Permit):
    """Notes what had been told when the frame left."""

    def __init__(self, field: Field) -> None:
        super().__init__()
        self._field = field
        self.mark = 0

    def spend(self, device: str, tag: str, raw: Raw, generation: int) -> None:
        super().spend(device, tag, raw, generation)
        self.mark = len(self._field.told)


async def write(field: Field, path: str, value: Setting, permit: Permit | None = None) -> None:
    outlet, tag = field.outlet("plc"), field.tag(path)
    await outlet.write(tag, outlet.encode(tag, value), permit or Permit(), Priority.WRITE)


async def read_back(field: Field, path: str) -> object:
    sample = await field.outlet("plc").read_back(field.tag(path), Priority.WRITE)
    assert field.sample(path) == sample._replace(source_time=None)  # in that very step
    return sample.value


async def test_an_answer_to_a_scan_from_before_the_write_is_never_told_after_it(plc: FakePlc) -> None:
    may_answer, hangs = asyncio.Event(), asyncio.Event()
    coming: list[int] = []

    async def slow_in_the_middle(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
        reads = asked.function not in WRITES
        if reads and asked.start == 0 and coming:
            plc.words[0] = coming.pop()
            may_answer.clear()
        if reads and asked.start == 200 and not may_answer.is_set():
            hangs.set()
            await may_answer.wait()
        await good(plc, asked, writer)

    may_answer.set()
    plc.always(slow_in_the_middle)
    field = Field(MODBUS.format(url=plc.url), SystemClock())
    async with field.running():
        await field.ready("plc")
        await field.until(lambda: field.sample("plc.setpoint") == Sample(1.0))
        for old in (50, 51, 52):
            hangs.clear()
            coming.append(old)
            await hangs.wait()  # the setpoint was answered, and is held back for the others of its scan
            permit = Marking(field)
            writing = asyncio.create_task(write(field, "plc.setpoint", 23.4, permit))
            await asyncio.sleep(0)
            may_answer.set()
            await writing
            assert await read_back(field, "plc.setpoint") == pytest.approx(23.4)
            await plc.was_asked(len(plc.asked) + 6)
            told = [sample.value for tag, sample in field.told[permit.mark :] if tag == "plc.setpoint"]
            assert set(told) == {234 * 0.1}


async def test_a_register_that_falls_back_before_the_next_scan_shows_what_it_was_before(plc: FakePlc) -> None:
    async def taken_back(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
        written = bool(plc.writes) and asked.function not in WRITES and asked.start == 0
        await good(plc, asked, writer)
        if written:
            plc.words[0] = 10

    plc.always(taken_back)
    field = Field(MODBUS.format(url=plc.url), SystemClock())
    async with field.running():
        await field.ready("plc")
        await field.until(lambda: field.sample("plc.setpoint") == Sample(1.0))
        await write(field, "plc.setpoint", 2.0)
        assert await read_back(field, "plc.setpoint") == 2.0
        await field.until(lambda: field.sample("plc.setpoint") == Sample(1.0))


async def test_a_write_without_an_answer_shows_what_became_of_it_once_it_is_given_up(plc: FakePlc) -> None:
    async def deaf(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
        await (silent if asked.function in WRITES else good)(plc, asked, writer)

    plc.always(deaf)
    field = Field(MODBUS.format(url=plc.url), SystemClock())
    async with field.running():
        outlet = await field.ready("plc")
        await field.until(lambda: field.sample("plc.setpoint") == Sample(1.0))
        with pytest.raises(Unanswered):
            await write(field, "plc.setpoint", 2.0)
        plc.words[0] = 20
        await plc.was_asked(len(plc.asked) + 6)
        assert field.sample("plc.setpoint") == Sample(1.0)
        outlet.release(field.tag("plc.setpoint"))
        await field.until(lambda: field.sample("plc.setpoint") == Sample(2.0))


@pytest.mark.parametrize("name", ["a", "b"])
async def test_a_node_is_told_as_it_was_read_back_and_then_as_it_changes(server: OpcUaServer, name: str) -> None:
    field, path = Field(OPCUA.format(url=server.url), SystemClock()), f"plc.{name}"
    async with field.running():
        await field.ready("plc")
        await field.until(lambda: field.sample(path) == Sample(1))
        permit = Marking(field)
        await write(field, path, 7, permit)
        assert await read_back(field, path) == 7
        server.write(name, Value(1, "Int32"))
        await field.until(lambda: field.sample(path) == Sample(1))
        told = [sample.value for tag, sample in field.told[permit.mark :] if tag == path]
        assert told[0] == 7


async def test_a_notification_that_was_dropped_is_made_up_for_by_reading(server: OpcUaServer) -> None:
    field = Field(OPCUA.format(url=server.url), SystemClock())
    async with field.running():
        outlet = await field.ready("plc")
        await field.until(lambda: field.sample("plc.a") == Sample(1))
        updates = field.counters.devices["plc"].updates
        await write(field, "plc.a", 7)
        server.write("a", Value(9, "Int32"))
        await field.until(lambda: field.counters.devices["plc"].updates > updates)
        assert field.sample("plc.a") == Sample(1)
        await outlet.read_back(field.tag("plc.a"), Priority.WRITE)
        server.write("a", Value(1, "Int32"))
        await field.until(lambda: field.sample("plc.a") == Sample(1))
        # What is not reported any more, since nothing changes, was told because it was read.
        await write(field, "plc.a", 3)
        updates = field.counters.devices["plc"].updates
        await field.until(lambda: field.counters.devices["plc"].updates > updates)
        outlet.release(field.tag("plc.a"))
        await field.until(lambda: field.sample("plc.a") == Sample(3))


async def test_a_server_that_comes_back_is_read_and_written_anew(server: OpcUaServer) -> None:
    field = Field(OPCUA.format(url=server.url), SystemClock())
    async with field.running():
        outlet = await field.ready("plc")
        generation = outlet.generation
        await field.until(lambda: field.sample("plc.a") == Sample(1))
        await write(field, "plc.a", 7)
        server.kill()
        await field.until(lambda: outlet.generation is None)
        server.start()
        await field.ready("plc")
        await field.until(lambda: field.sample("plc.a") == Sample(1))
        assert outlet.generation != generation
        await write(field, "plc.a", 8)
        assert await read_back(field, "plc.a") == 8
