"""One suite for every driver: what the gateway relies on, whatever the protocol."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from drivers.base import Block, Change, Connection, Plan, Reader
from drivers.errors import LinkLost
from drivers.values import Quality, Sample
from tests.contract.benches import Bench, BlueprintBench, MemoryPolledBench, MemoryPushedBench
from tests.contract.modbus_benches import SerialLineBench, SerialServerBench, TlsBench
from tests.contract.node_benches import NodeModbusBench, NodeOpcUaBench
from tests.contract.real_benches import ModbusBench, OpcUaBench

BENCHES: dict[str, type[Bench]] = {
    "memory polled": MemoryPolledBench,
    "memory pushed": MemoryPushedBench,
    "blueprint": BlueprintBench,
    "modbus": ModbusBench,
    "modbus, serial line": SerialLineBench,
    "modbus, serial server": SerialServerBench,
    "modbus, tls": TlsBench,
    "opcua": OpcUaBench,
    "modbus, second make": NodeModbusBench,
    "opcua, second make": NodeOpcUaBench,
}
REAL = {name for name in BENCHES if name.startswith(("modbus", "opcua"))}

PATIENCE = 10.0
"""Seconds that an event may take on a busy machine before a test gives up."""


@pytest.fixture(params=[pytest.param(name, marks=[pytest.mark.real] * (name in REAL)) for name in BENCHES])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    bench = BENCHES[request.param]()
    await bench.start()
    yield bench
    await bench.stop()


class Ear:
    """A listener that remembers, and that can be waited for."""

    def __init__(self) -> None:
        self.samples: dict[int, Sample] = {}
        self.told: Counter[int] = Counter()
        """How often each point was reported."""
        self.signs = 0
        self._news = asyncio.Event()

    def granted(self, block: Block, period: float) -> None:
        assert period > 0

    def received(self, block: Block, changes: Sequence[Change]) -> None:
        self.signs += 1
        assert {place for place, _ in changes} <= set(block.points)
        self.samples.update(changes)
        self.told.update(place for place, _ in changes)
        self._news.set()

    def failed(self, block: Block, reason: str) -> None:
        self.samples.update((place, Sample(None, Quality.BAD, reason)) for place in block.points)
        self._news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._news.clear()
                await self._news.wait()


async def opened(bench: Bench) -> tuple[Connection, Reader, Plan]:
    connection: Connection = bench.driver.connect(bench.device)
    await connection.open()
    reader = connection.reader(bench.device, bench.points)
    return connection, reader, await reader.prepare()


async def read_all(reader: Reader, plan: Plan) -> dict[int, Sample]:
    samples: dict[int, Sample] = {}
    for block in [*plan.polled, *plan.subscribed]:
        samples.update(await reader.read(block))
    return samples


async def test_every_point_is_in_exactly_one_block(bench: Bench) -> None:
    connection, _, plan = await opened(bench)
    places = sorted(place for block in [*plan.polled, *plan.subscribed] for place in block.points)
    assert places == list(range(len(bench.points)))
    await connection.close()


async def test_the_first_read_returns_every_point_and_the_unknown_one_is_bad(bench: Bench) -> None:
    connection, reader, plan = await opened(bench)
    samples: dict[int, Sample] = {}
    for block in plan.polled:
        try:
            samples.update(await reader.read(block))
        except bench.unknown_raises:
            assert set(block.points) == {bench.unknown}
            samples[bench.unknown] = Sample(None, Quality.BAD)
    for block in plan.subscribed:
        samples.update(await reader.read(block))
    assert samples[0].value == bench.first
    assert samples[0].quality is Quality.GOOD
    assert samples[bench.unknown].quality is Quality.BAD
    assert samples[bench.unknown].value is None
    assert len(samples) == len(bench.points)
    await connection.close()


async def test_a_polled_value_is_reported_when_it_changes_and_only_then(bench: Bench) -> None:
    connection, reader, plan = await opened(bench)
    for block in plan.polled:
        if bench.unknown in block.points and bench.unknown_raises:
            continue
        await reader.read(block)
        assert not await reader.read(block)
        await bench.set(0, bench.second)
        assert dict(await reader.read(block)).get(0, Sample(bench.second)).value == bench.second
        assert not await reader.read(block)
    await connection.close()


async def test_a_subscription_brings_every_point_and_then_each_change(bench: Bench) -> None:
    connection, reader, plan = await opened(bench)
    ear = Ear()
    await reader.subscribe(ear)
    expected = {place for block in plan.subscribed for place in block.points}
    await ear.until(lambda: set(ear.samples) == expected)
    if 0 in expected:
        await bench.set(0, bench.second)
        await ear.until(lambda: ear.samples[0].value == bench.second)
        signs = ear.signs
        await bench.quiet()
        await ear.until(lambda: ear.signs > signs)
    await connection.close()


async def test_a_polled_point_that_is_forgotten_is_told_once_more_though_it_is_the_same(bench: Bench) -> None:
    connection, reader, plan = await opened(bench)
    for block in plan.polled:
        if bench.unknown in block.points and bench.unknown_raises:
            continue
        reader.forget([0])
        assert set(dict(await reader.read(block))) == set(block.points)
        reader.forget([0])
        again = dict(await reader.read(block))
        assert set(again) == {0} & set(block.points)
        assert again.get(0, Sample(bench.first)).value == bench.first
        assert not await reader.read(block)
        reader.forget([0])
        await bench.set(0, bench.second)
        news = await reader.read(block)
        assert [place for place, _ in news] == [0] * (0 in block.points)
        assert dict(news).get(0, Sample(bench.second)).value == bench.second
        assert not await reader.read(block)
    await connection.close()


async def test_a_subscribed_point_that_is_forgotten_is_told_once_more_though_it_is_the_same(bench: Bench) -> None:
    connection, reader, plan = await opened(bench)
    ear = Ear()
    await reader.subscribe(ear)
    subscribed = {place for block in plan.subscribed for place in block.points}
    await ear.until(lambda: set(ear.samples) == subscribed)
    if 0 in subscribed:
        told = ear.told[0]
        reader.forget([0, bench.unknown])
        await ear.until(lambda: ear.told[0] > told)
        assert ear.samples[0].value == bench.first
        await bench.set(0, bench.second)
        await ear.until(lambda: ear.samples[0].value == bench.second)
        assert ear.samples[bench.unknown].quality is Quality.BAD
    await connection.close()


async def test_forgetting_after_the_far_side_is_gone_does_nothing(bench: Bench) -> None:
    connection, reader, _ = await opened(bench)
    ear = Ear()
    await reader.subscribe(ear)
    await bench.die()
    reader.forget([0])
    await connection.close()
    reader.forget([0])


async def test_the_type_of_a_known_point_is_told(bench: Bench) -> None:
    connection, reader, _ = await opened(bench)
    assert reader.data_type(0) is bench.data_type
    await connection.close()


async def test_a_far_side_that_dies_ends_the_connection_and_says_why(bench: Bench) -> None:
    connection, reader, plan = await opened(bench)
    ear = Ear()
    await reader.subscribe(ear)
    await bench.die()
    async with asyncio.timeout(PATIENCE):
        # Some protocols learn of it only by asking.
        lost = asyncio.create_task(connection.lost())
        while not lost.done() and plan.polled:
            try:
                await reader.read(plan.polled[0])
            except LinkLost:
                break
            await asyncio.sleep(0.01)
        assert await lost
    with pytest.raises(LinkLost):
        await read_all(reader, plan)
    await connection.close()


async def test_nobody_there_is_told_in_one_line(bench: Bench) -> None:
    await bench.die()
    connection: Connection = bench.driver.connect(bench.device)
    with pytest.raises(LinkLost) as refused:
        await connection.open()
    assert str(refused.value)
    assert "\n" not in str(refused.value)
    await connection.close()


async def test_a_connection_may_be_closed_at_any_time_and_twice(bench: Bench) -> None:
    never: Connection = bench.driver.connect(bench.device)
    await never.close()
    connection, _, _ = await opened(bench)
    await connection.close()
    await connection.close()


async def test_a_new_connection_works_after_the_far_side_came_back(bench: Bench) -> None:
    connection, _, _ = await opened(bench)
    await bench.die()
    await connection.close()
    await bench.start()
    again, reader, plan = await opened(bench)
    blocks = [block for block in [*plan.polled, *plan.subscribed] if 0 in block.points]
    assert dict(await reader.read(blocks[0]))[0].quality is Quality.GOOD
    await again.close()


async def test_two_devices_share_one_endpoint(bench: Bench) -> None:
    assert bench.driver.endpoint(bench.device) == bench.driver.endpoint(bench.device)
    connection: Connection = bench.driver.connect(bench.device)
    await connection.open()
    for _ in range(2):
        reader = connection.reader(bench.device, bench.points[:1])
        plan = await reader.prepare()
        assert (await read_all(reader, plan))[0].value == bench.first
    await connection.close()
