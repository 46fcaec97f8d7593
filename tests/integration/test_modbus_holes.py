"""A device with holes behind the gateway's own session: the good tags are good, and what was learned stays."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
import pytest_asyncio

from drivers.base import Surroundings
from drivers.modbus import DRIVER
from drivers.modbus.point import ModbusPoint
from drivers.modbus.settings import ModbusDevice
from drivers.values import DataType, Sample, Seconds, bad
from gateway.clock import SystemClock
from gateway.counters import DeviceCounters
from gateway.endpoints.device import Device
from gateway.endpoints.session import Session
from gateway.endpoints.settings import DeviceSettings
from gateway.tags.image import ProcessImage
from gateway.tags.tag import Tag, TagSettings
from tests.integration.fake_plc import Asked, Behaviour, FakePlc, exception, fake_plc, good

pytestmark = pytest.mark.real


@pytest_asyncio.fixture
async def plc() -> AsyncIterator[FakePlc]:
    async with fake_plc() as plc:
        plc.words = list(range(65536))
        yield plc


def without(*absent: int) -> Behaviour:
    async def answer(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
        touches = any(asked.start <= each < asked.start + asked.size for each in absent)
        await (exception(2) if touches else good)(plc, asked, writer)

    return answer


class Gateway:
    """One unit, its tags named after their places."""

    def __init__(self, plc: FakePlc, points: list[ModbusPoint], learned: dict[str, Any]) -> None:
        clock, settings = SystemClock(), DeviceSettings(scan=Seconds(0.05))
        self.tags = [Tag(place, "plc", str(place), TagSettings(), settings.stale_after) for place in range(len(points))]
        self.image = ProcessImage(self.tags, clock)
        self.image.listen(lambda _: self._news.set())
        self._news = asyncio.Event()
        wire = ModbusDevice(plc.url, timeout=Seconds(5.0))
        device = Device("plc", settings, wire, self.tags, points, DeviceCounters(), clock)
        around = {"plc": Surroundings(learned=learned)}
        self.session = Session(plc.url, [device], lambda: DRIVER.connect(wire), self.image, clock, Random(1), around)

    def samples(self) -> list[Sample]:
        now = asyncio.get_running_loop().time()
        return [self.image.sample(tag, now) for tag in self.tags]

    async def until(self, condition: Callable[[list[Sample]], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition(self.samples()):
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def running(plc: FakePlc, points: list[ModbusPoint], learned: dict[str, Any]) -> AsyncIterator[Gateway]:
    gateway = Gateway(plc, points, learned)
    task = asyncio.create_task(gateway.session.run())
    try:
        yield gateway
    finally:
        gateway.session.stop()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_only_the_tag_that_does_not_exist_is_bad_and_the_next_connection_knows_it(plc: FakePlc) -> None:
    plc.always(without(13, 16))
    points = [ModbusPoint(f"holding:{at}") for at in (10, 11, 12, 14, 16, 18)]
    expected = [Sample(10), Sample(11), Sample(12), Sample(14), bad("exception_2"), Sample(18)]
    learned: dict[str, Any] = {}
    async with running(plc, points, learned) as gateway:
        await gateway.until(lambda samples: samples == expected)
    assert learned["missing"] == ["holding:16"]
    plc.asked.clear()
    async with running(plc, points, learned) as gateway:
        await gateway.until(lambda samples: samples == expected)
        assert (10, 9) not in {(asked.start, asked.size) for asked in plc.asked}


async def test_an_exponent_that_a_hole_keeps_apart_still_scales_its_value(plc: FakePlc) -> None:
    plc.always(without(12))
    plc.words[14] = 2
    points = [ModbusPoint("holding:10", DataType.INT16, exponent="holding:14"), ModbusPoint("holding:11")]
    async with running(plc, points, {}) as gateway:
        await gateway.until(lambda samples: samples == [Sample(1000.0), Sample(11)])


async def test_a_device_that_is_still_starting_is_read_as_planned_once_it_is_up(plc: FakePlc) -> None:
    plc.always(exception(2))
    points = [ModbusPoint(f"holding:{at}") for at in range(20)]
    learned: dict[str, Any] = {}
    async with running(plc, points, learned) as gateway:
        await plc.was_asked(20)
        plc.always(good)
        await gateway.until(lambda samples: samples == [Sample(at) for at in range(20)])
        assert (plc.asked[-1].start, plc.asked[-1].size) == (0, 20)
    assert learned == {}
