"""Two devices in memory, and the way down to them as the gateway has it, on virtual time."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from random import Random
from typing import Any, NamedTuple

from drivers.memory import DRIVER, MemoryDevice, MemoryPlant, MemoryPoint, plant
from drivers.values import Sample, Seconds
from drivers.writing import load_writer
from gateway.control.accepted import Accepted
from gateway.control.command import Command
from gateway.control.devices_in_turn import DevicesInTurn
from gateway.control.guard import Guard
from gateway.control.keep_alive_log import KeepAliveLog
from gateway.control.outcome_log import OutcomeLog
from gateway.control.outlet import Outlet
from gateway.control.priority import Slot
from gateway.control.sending import Sender, Sent
from gateway.control.sight import Sight
from gateway.control.target import Mode, Target, Targets
from gateway.control.wishes import Wishes
from gateway.control.world import PlantWorld
from gateway.counters import Counters, DeviceCounters
from gateway.endpoints.device import Device
from gateway.endpoints.session import Session
from gateway.endpoints.settings import DeviceSettings
from gateway.safety.constraint import Constraint, Setting
from gateway.safety.gate import Gate
from gateway.safety.kinds.threshold import Threshold
from gateway.safety.operation import Operation
from gateway.safety.verdict import SafetyLevel
from gateway.tags.image import ProcessImage
from gateway.tags.tag import Tag, TagSettings
from tests.unit.gateway.control.journal import memory_journal
from tests.virtual_time import VirtualClock, VirtualLoop, run_virtual

_urls = count()

WRITABLE = TagSettings(writable=True)
HOT = Threshold(name="hot", level=SafetyLevel.CRITICAL, tag="boiler.steam", max=580, on_trip={"boiler.burner": False})


class Cell(NamedTuple):
    """A tag of the rig."""

    name: str
    start: Setting
    settings: TagSettings = TagSettings()


class PlantRig:
    """The boiler has `steam`, `burner` and what a test adds; the turbine has `speed` and what a test adds."""

    def __init__(
        self,
        boiler: Sequence[Cell] = (),
        turbine: Sequence[Cell] = (),
        *,
        keys: Mapping[str, Mapping[str, Any]] | None = None,
        constraints: Sequence[Constraint] = (HOT,),
        halt_on_critical: bool = True,
        mode: Mode = "on",
        beats: Sequence[str] = (),
        latched: Sequence[str] = (),
        push: bool = False,
    ) -> None:
        """Keys: of the devices, by name. Push: they report by themselves, every half a second at least."""
        self.clock = VirtualClock()
        cells = {
            "boiler": [Cell("steam", 400.0), Cell("burner", start=True, settings=WRITABLE), *boiler],
            "turbine": [Cell("speed", 3000), *turbine],
        }
        settings = {name: DeviceSettings(scan=Seconds(0.5), **((keys or {}).get(name, {}))) for name in cells}
        named = [(name, cell) for name, each in cells.items() for cell in each]
        self.tags = [
            Tag(place, name, cell.name, cell.settings, settings[name].stale_after)
            for place, (name, cell) in enumerate(named)
        ]
        self.image = ProcessImage(self.tags, self.clock)
        self.counters = Counters()
        self._push = push
        url = f"memory://rig-{next(_urls)}-"
        self.plants: dict[str, MemoryPlant] = {name: plant(url + name) for name in cells}
        self.devices = {name: self._device(name, settings[name], url, cells[name]) for name in cells}
        writer = load_writer("memory")
        assert writer is not None
        self.outlets = {name: Outlet(device, writer, self.image, self.clock) for name, device in self.devices.items()}
        self.sessions = [self._session(device) for device in self.devices.values()]
        self.world = PlantWorld(self.image)
        self.gate = Gate(
            constraints,
            self.world,
            self.clock.monotonic,
            halt_on_critical=halt_on_critical,
            beats=beats,
            latched=latched,
        )
        self.guard = Guard(
            self.gate, self.image, 0.1, self.clock, self.counters.guard, self.counters.loop_lag, lambda: None
        )
        self.targets = Targets(self.image, self.outlets, mode)
        self.wishes = Wishes(self.tags, lambda who: Slot.OPERATOR if who == "operator" else Slot.AUTOMATIC)
        control = self.counters.control
        self.turns = DevicesInTurn(10, control)
        self.sight = Sight(self.gate, self.world, self.clock)
        self.sender = Sender(self.gate, self.sight, self.wishes, self.clock, control, self._check, self.world.wrote)
        self.journal = memory_journal()
        self.log = KeepAliveLog(OutcomeLog(self.journal), self.clock)
        self.told: list[tuple[str, str, Mapping[str, Any]]] = []
        self.tell = lambda kind, what, details: self.told.append((kind, what, details))

    async def command(
        self, tag: str, value: Setting, principal: str = "operator", **keys: Any
    ) -> tuple[Accepted, Sent]:
        """Write as a command does, without its records; fail the test where it is refused."""
        command = Command("write", writes={tag: value}, **keys)
        now = self.clock.monotonic()
        accepted = Accepted("c1", command, principal, now, now + 10, "", "", lambda _: ())
        targets = self.targets.resolve(command.writes)
        operation = Operation(principal, tuple(each.write for each in targets), command.key, command.locks)
        async with self.turns.turn("normal", {targets[0].tag.device}, accepted.deadline, operation):
            (sent,) = await self.sender.send_all(
                accepted, operation, targets, self.sender.bounds(targets, accepted.deadline)
            )
        return accepted, sent

    def frames(self, address: str, device: str = "boiler") -> list[Any]:
        """Return what was written to a cell, as the plant saw it."""
        return [frame.value for frame in self.plants[device].frames if frame.address == address]

    def cell(self, address: str, device: str = "boiler") -> Any:
        """Return what the plant holds."""
        return self.plants[device].cells[address].value

    async def records(self) -> list[dict[str, Any]]:
        """Return every record so far, without what the journal adds."""
        await self.log.flush()
        bodies = [json.loads(each.body) for each in self.journal.disk.chained]
        return [{key: each[key] for key in _TOLD if key in each} for each in bodies]

    def stall(self, seconds: float) -> None:
        """Let time pass in which the loop does nothing."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.stall(seconds)

    @asynccontextmanager
    async def running(self) -> Any:
        """Run sessions and guard, until everything is connected and judged at first."""
        tasks = [asyncio.create_task(session.run()) for session in self.sessions]
        guard = asyncio.create_task(self.guard.run())
        if self._push:
            tasks.append(asyncio.create_task(self._report()))
        self.guard_task = guard
        await asyncio.sleep(0.35)
        try:
            yield
        finally:
            for session in self.sessions:
                session.stop()
            for task in (*tasks, guard):
                task.cancel()
            await asyncio.gather(*tasks, guard, return_exceptions=True)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            for each in self.plants.values():
                each.beat()

    def _device(self, name: str, settings: DeviceSettings, url: str, cells: Sequence[Cell]) -> Device:
        own = [tag for tag in self.tags if tag.device == name]
        points = [MemoryPoint(cell.name, start=cell.start, push=self._push) for cell in cells]
        counted = self.counters.devices[name] = DeviceCounters()
        return Device(name, settings, MemoryDevice(url + name), own, points, counted, self.clock)

    def _session(self, device: Device) -> Session:
        return Session(
            device.driver_settings.url,
            [device],
            lambda: DRIVER.connect(device.driver_settings),
            self.image,
            self.clock,
            Random(1),
            write_halves={device.name: self.outlets[device.name]},
        )

    def _check(self, targets: Sequence[Target], principal: str) -> None:
        for target in targets:
            self.wishes.check(target.tag.path, principal, self.clock.monotonic())


_TOLD = ("kind", "event", "principal", "tags", "reason", "writes")


def play(rig: Callable[[], PlantRig], story: Callable[[Any], Awaitable[None]]) -> None:
    """Tell a story of a plant that runs."""

    async def main() -> None:
        built = rig()
        async with built.running():
            await story(built)

    run_virtual(main())


def good(value: Setting) -> Sample:
    """Return what a device tells of a value."""
    return Sample(value)
