"""A boiler and a turbine in memory, with everything between a sample and a safe state, on virtual time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from drivers.memory import DRIVER, MemoryDevice, MemoryPlant, MemoryPoint, plant
from drivers.memory.writing import WRITER
from drivers.values import Seconds
from gateway.audit.chain import HashChain
from gateway.control.accepted import Accepted
from gateway.control.answers import Answers
from gateway.control.bypasses import Bypasses
from gateway.control.command import Command
from gateway.control.constraint_commands import ConstraintCommands
from gateway.control.guard import ConstraintState, Guard
from gateway.control.lasting_time import LastingTime
from gateway.control.outlet import Outlet
from gateway.control.refusal_log import RefusalLog
from gateway.control.reply import Reply
from gateway.control.reset_command import ResetCommand
from gateway.control.safe_state import SafeStates
from gateway.control.shelves import Shelves
from gateway.control.sight import Sight
from gateway.control.trips import Trips
from gateway.control.world import PlantWorld
from gateway.counters import Counters, DeviceCounters
from gateway.endpoints.device import Device
from gateway.endpoints.session import Session
from gateway.endpoints.settings import DeviceSettings
from gateway.safety.constraint import Constraint
from gateway.safety.gate import Gate
from gateway.safety.kinds.threshold import Threshold
from gateway.safety.live import LiveConstraint
from gateway.safety.verdict import SafetyLevel
from gateway.storage.memory import Disk, MemoryJournal
from gateway.storage.port import Change, Table
from gateway.tags.image import ProcessImage
from gateway.tags.tag import Tag, TagSettings
from tests.virtual_time import VirtualClock, run_virtual

STEAM, BURNER, VALVE, SETPOINT = "boiler.steam", "boiler.burner", "boiler.valve", "boiler.setpoint"
SPEED, TRIP_VALVE = "turbine.speed", "turbine.trip_valve"
CELLS: Mapping[str, Mapping[str, Any]] = {
    "boiler": {"steam": 400.0, "burner": True, "valve": 1.0, "setpoint": 450.0},
    "turbine": {"speed": 3000.0, "trip_valve": False},
}
WRITABLE = {BURNER, VALVE, SETPOINT, TRIP_VALVE}

_urls = count()


def steam(**keys: Any) -> Threshold:
    declared = {"name": "steam", "tag": STEAM, "max": 580.0, "hysteresis": 5.0, "on_trip": {BURNER: False}, **keys}
    return Threshold(level=declared.pop("level", SafetyLevel.CRITICAL), **declared)


def speed(**keys: Any) -> Threshold:
    declared = {"name": "speed", "tag": SPEED, "max": 3600.0, "on_trip": {TRIP_VALVE: True}, **keys}
    return Threshold(level=SafetyLevel.CRITICAL, **declared)


@dataclass
class Site:
    """What outlives the gateway: its disk, its plant, and the machine that it runs on."""

    constraints: Sequence[Constraint] = field(default_factory=lambda: [steam()])
    tags: Mapping[str, TagSettings] = field(default_factory=dict)
    devices: Mapping[str, DeviceSettings] = field(default_factory=dict)
    disk: Disk = field(default_factory=Disk)
    boot: str = "boot-1"
    trusts_time: bool = True
    latency: float = 0.01
    journal_latency: Callable[[], float] = lambda: 0.005
    written: Mapping[str, bool] = field(default_factory=lambda: {"boiler": True, "turbine": True})
    """Which devices have a way out at all."""
    slept: float = 0.0
    """Seconds of suspend, or of a machine that was off."""
    urls: dict[str, str] = field(default_factory=dict)
    point: Callable[[str], None] = lambda _: None
    """See MemoryJournal."""

    def __post_init__(self) -> None:
        for device in CELLS:
            self.urls[device] = f"memory://tripping-{next(_urls)}"
            self.plant(device).latency = self.latency

    def plant(self, device: str) -> MemoryPlant:
        return plant(self.urls[device])

    def turn(self, tag: str, value: Any) -> None:
        device, _, name = tag.partition(".")
        self.plant(device).set(name, value)

    def value(self, tag: str) -> Any:
        device, _, name = tag.partition(".")
        return self.plant(device).cells[name].value

    def frames(self, device: str = "boiler") -> list[tuple[str, Any]]:
        return [(frame.address, frame.value) for frame in self.plant(device).frames]

    def kept(self, table: Table = Table.TRIPS) -> set[str]:
        return {key for name, key in self.disk.state if name is table}

    def records(self, kind: str) -> list[str]:
        marked = f'"kind":"{kind}"'
        return [text for each in self.disk.chained if marked in (text := each.body.decode())]


class Gateway:
    """One run of the gateway at a site. Made by `running`."""

    def __init__(
        self, site: Site, clock: VirtualClock, journal: MemoryJournal, trips: Trips, counters: Counters
    ) -> None:
        self.site = site
        self.clock = clock
        self.journal = journal
        self.trips = trips
        self.counters = counters
        self.told: list[tuple[str, str, Mapping[str, Any]]] = []
        self.shown: list[ConstraintState] = []
        tags = [
            Tag(index, path.partition(".")[0], path.partition(".")[2], self._settings(path), Seconds(3))
            for index, path in enumerate(f"{device}.{name}" for device, cells in CELLS.items() for name in cells)
        ]
        self.image = ProcessImage(tags, clock)
        self.devices = {name: self._device(name, [tag for tag in tags if tag.device == name]) for name in CELLS}
        self.outlets = {
            name: Outlet(device, WRITER, self.image, clock)
            for name, device in self.devices.items()
            if site.written[name]
        }
        self.sessions = [self._session(name) for name in CELLS]
        self.world = PlantWorld(self.image, may_write=lambda *_: True)
        self.gate = Gate(site.constraints, self.world, clock.monotonic, latched=trips.names)
        self.guard = Guard(self.gate, self.image, 0.1, clock, counters.guard, counters.loop_lag, lambda: None)
        self.sight = Sight(self.gate, self.world, clock)
        self.safe_states = SafeStates(
            self.gate, self.image, self.outlets, trips, self.guard, self.sight, clock, Random(1), counters.control,
            self.world.wrote, self.tell,
        )  # fmt: skip
        self.guard.on_trip(self.safe_states.begin)
        self.guard.show_progress(self.safe_states.progress)
        self.guard.suppress_for(lambda name: not self.devices[name].state.connected)
        self.guard.listen(self.shown.append)
        time = LastingTime(site.boot, lambda: clock.monotonic() + site.slept, self._wall)
        self.bypasses = Bypasses(journal, self.gate, clock, time, self.guard.report, self.tell)
        self.shelves = Shelves(journal, self.gate, clock, time, self.guard.report)
        answers = Answers(RefusalLog(journal, clock), clock)
        reset = ResetCommand(
            self.gate, trips, journal, self.sight, answers, clock, self.safe_states.end, self.guard.report, self.tell
        )
        self.commands = ConstraintCommands(
            self.gate, journal, answers, reset, self.bypasses, self.shelves, self.guard.report
        )

    def tell(self, kind: str, what: str, details: Mapping[str, Any]) -> None:
        self.told.append((kind, what, details))

    def live(self, name: str = "steam") -> LiveConstraint:
        live = self.gate.find(name)
        assert live is not None
        return live

    @property
    def events(self) -> list[str]:
        return [what for _, what, _ in self.told]

    async def command(self, verb: Any, principal: str = "operator-1", **keys: Any) -> Reply:
        """Carry out a command that the arbiter accepted."""
        now = self.clock.monotonic()
        wanted = Command(verb, actor=keys.pop("actor", ""), reason=keys.pop("reason", "because"), **keys)
        accepted = Accepted(
            id=f"c-{now}",
            command=wanted,
            principal=principal,
            received=now,
            deadline=now + 10,
            key=f"{principal}/c-{now}",
            digest="",
            closing=lambda reply: (Change(Table.COMMANDS, reply.id, {"outcome": reply.outcome.value}),),
        )
        return await self.commands.handlers[verb](accepted)

    async def until(self, true: Callable[[], bool], seconds: float = 60.0) -> None:
        async with asyncio.timeout(seconds):
            while not true():  # noqa: ASYNC110  (virtual time costs nothing)
                await asyncio.sleep(0.005)

    def _settings(self, path: str) -> TagSettings:
        return self.site.tags.get(path, TagSettings(writable=path in WRITABLE))

    def _wall(self) -> float | None:
        return self.clock.wall() + self.site.slept if self.site.trusts_time else None

    def _device(self, name: str, tags: Sequence[Tag]) -> Device:
        settings = self.site.devices.get(name, DeviceSettings(scan=Seconds(0.5)))
        points = [MemoryPoint(cell, start=value) for cell, value in CELLS[name].items()]
        return Device(name, settings, MemoryDevice(self.site.urls[name]), tags, points, DeviceCounters(), self.clock)

    def _session(self, name: str) -> Session:
        device = self.devices[name]
        halves = {name: self.outlets[name]} if name in self.outlets else {}
        return Session(
            self.site.urls[name], [device], lambda: DRIVER.connect(device.driver_settings), self.image, self.clock,
            Random(1), write_halves=halves,
        )  # fmt: skip


@asynccontextmanager
async def running(site: Site, *, settled: bool = True) -> AsyncIterator[Gateway]:
    """Run a gateway at a site. Leaving is as sudden as a kill: what is not on the disk by then is lost."""
    clock, counters = VirtualClock(), Counters()
    journal = MemoryJournal(HashChain(), clock, Random(1), site.disk, latency=lambda: float(site.journal_latency()))

    def point(word: str) -> None:
        site.point(word)

    journal.point = point
    told: list[tuple[str, str, Mapping[str, Any]]] = []
    trips = Trips(journal, clock, counters.control, lambda *what: told.append(what))
    await trips.load()
    gateway = Gateway(site, clock, journal, trips, counters)
    gateway.told = told
    await gateway.bypasses.restore()
    await gateway.shelves.restore()
    gateway.safe_states.resume()
    tasks = [
        asyncio.create_task(each)
        for each in (
            gateway.guard.run(),
            gateway.safe_states.run(),
            gateway.bypasses.run(),
            gateway.shelves.run(),
            *(session.run() for session in gateway.sessions),
        )
    ]
    try:
        if settled:
            await gateway.until(lambda: all(outlet.generation is not None for outlet in gateway.outlets.values()))
            await asyncio.sleep(1.0)
        yield gateway
    finally:
        journal.crash()
        for session in gateway.sessions:
            session.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await trips.close(0.0)
        if journal._pump is not None:
            await asyncio.wait([journal._pump])


def play(story: Callable[[Site], Awaitable[None]], **keys: Any) -> None:
    async def main() -> None:
        await story(Site(**keys))

    run_virtual(main())


def run(story: Callable[[Gateway], Awaitable[None]], **keys: Any) -> None:
    """Tell the story of one run."""

    async def main(site: Site) -> None:
        async with running(site) as gateway:
            await story(gateway)

    play(main, **keys)
