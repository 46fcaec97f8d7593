"""Random writes, changes, silences and cut wires on virtual time: the image never goes back, and misses nothing.

Every value that the far side ever holds is a larger number than the one before, so whatever is told of a tag after
something newer would show as a smaller one.
"""

import asyncio
from contextlib import suppress
from itertools import count
from random import Random

import pytest

from drivers.errors import DeviceFault
from drivers.memory import MemoryPlant, plant
from gateway.endpoints.fair_queue import Priority
from tests.field import Field
from tests.permits import Permit, Refused
from tests.virtual_time import VirtualClock, run_virtual

_urls = count()
ROUNDS = 15
CELLS = ("polled", "pushed", "remote", "position", "blind")
WRITABLE = ("polled", "pushed", "remote", "blind")

DEVICES = """
  plc:
    driver: memory
    url: {url}
    scan: 300ms
    reconnect_max: 200ms
    tags:
      polled: {{address: polled, start: 0, writable: true, readback_timeout: 500ms}}
      pushed: {{address: pushed, start: 0, push: true, writable: true, readback_timeout: 500ms}}
      remote: {{address: remote, start: 0, writable: true, readback: plc.position, readback_timeout: 500ms}}
      position: {{address: position, start: 0}}
      blind: {{address: blind, start: 0, writable: true, readback: none}}
"""


class Play:
    """One far side and what is done to it."""

    def __init__(self, seed: int) -> None:
        url = f"memory://play-{next(_urls)}"
        self.far: MemoryPlant = plant(url)
        self.field = Field(DEVICES.format(url=url), VirtualClock())
        self.random = Random(seed)
        self._newest = 0

    def next_value(self) -> int:
        self._newest += 1
        return self._newest

    async def round(self) -> None:
        """Let all kinds of things happen, and then nothing for a while."""
        doings: set[asyncio.Task[None]] = set()
        for _ in range(self.random.randint(5, 40)):
            doings.add(asyncio.create_task(self._something()))
            await asyncio.sleep(self.random.choice([0, 0, 0.001, 0.02, 0.1, 0.3]))
        await asyncio.gather(*doings)
        self.far.mute, self.far.latency, self.far.fault, self.far.refusal = set(), 0.0, None, None
        for _ in range(130):  # also for those that nobody has given up
            self.far.beat()
            await asyncio.sleep(0.1)

    def check(self) -> None:
        for name in CELLS:
            assert self.field.sample(f"plc.{name}").value == self.far.cells[name].value, name
            told = [sample.value for tag, sample in self.field.told if tag == f"plc.{name}"]
            values = [value for value in told if isinstance(value, int)]  # it is None where the tag is bad
            assert values == sorted(values), name

    async def _something(self) -> None:
        match self.random.randrange(12):
            case 0 | 1 | 2:
                self.far.set(self.random.choice(CELLS), self.next_value())
            case 3:
                self.far.latency = self.random.choice([0.0, 0.0, 0.01, 0.15])
            case 4:
                self.far.mute = {1} if self.random.random() < 0.3 else set()
            case 5:
                self.far.fault = DeviceFault("exception_4", "not now") if self.random.random() < 0.3 else None
            case 6 if self.random.random() < 0.3:
                self.far.cut(reachable=True)
            case 7:
                self.far.beat()
            case _:
                await self._write()

    async def _write(self) -> None:
        outlet, tag = self.field.outlet("plc"), self.field.tag(f"plc.{self.random.choice(WRITABLE)}")
        reads, gives_up = self.random.random() < 0.7, self.random.random() < 0.9
        permit = _Numbering(self, allows=self.random.random() < 0.9)
        with suppress(DeviceFault, Refused):
            await outlet.write(tag, 0, permit, Priority.WRITE)
        await asyncio.sleep(self.random.choice([0, 0.01, 0.5]))
        if reads:
            with suppress(DeviceFault):
                await outlet.read_back(tag, Priority.WRITE)
        if gives_up or not reads:
            outlet.release(tag)


class _Numbering(Permit):
    """Has the far side take a number that is larger than all before, whatever was to be written."""

    def __init__(self, play: Play, *, allows: bool) -> None:
        super().__init__(allows=allows)
        self._play = play

    def spend(self, device: str, tag: str, raw: object, generation: int) -> None:
        super().spend(device, tag, raw, generation)
        value = self._play.next_value()
        self._play.far.takes = lambda address, _: value


@pytest.mark.parametrize("seed", range(4))
def test_the_image_follows_the_far_side_and_never_goes_back(seed: int) -> None:
    async def story() -> None:
        play = Play(seed)
        async with play.field.running():
            await play.field.ready("plc")
            for _ in range(ROUNDS):
                await play.round()
                play.check()

    run_virtual(story())
