"""A whole gateway below its MQTT link, from a configuration, over devices in memory and a journal in memory."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from drivers.memory import MemoryPlant, plant
from gateway.app.control import Control, open_control
from gateway.app.plant import Plant, build_plant
from gateway.control.command import Command
from gateway.control.reply import Reply
from gateway.counters import Counters
from gateway.safety.constraint import Setting
from gateway.settings.load import load
from gateway.settings.model import Settings
from gateway.storage.memory import Disk, MemoryJournal
from tests.unit.gateway.control.journal import memory_journal
from tests.virtual_time import VirtualClock, VirtualLoop, run_virtual

_urls = count()

BOILER = {
    "steam": {"address": "steam", "start": 400.0, "range": [0, 700]},
    "setpoint": {"address": "setpoint", "start": 450.0, "range": [100, 560], "writable": True},
    "burner": {"address": "burner", "start": True, "writable": True},
    "count": {"address": "count", "start": 7, "writable": True},
    "mode": {"address": "mode", "start": "auto", "writable": True},
}
TURBINE = {
    "speed": {"address": "speed", "start": 3000.0},
    "load": {"address": "load", "start": 2.0, "writable": True},
}
HOT = {
    "name": "hot", "kind": "threshold", "tag": "boiler.steam", "max": 580, "hysteresis": 5, "level": "critical",
    "on_trip": {"boiler.burner": False},
}  # fmt: skip


def settings_of(text: Mapping[str, Any]) -> Settings:
    """Return the settings of a configuration; a mistake in it fails the test."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "plant.yaml")
        file.write_text(yaml.safe_dump(dict(text), sort_keys=False), encoding="utf-8")
        return load(file).settings


def configuration(
    *,
    boiler: Mapping[str, Any] | None = None,
    constraints: list[Mapping[str, Any]] | None = None,
    authority: Any = "open",
    control: str = "on",
    tags: Mapping[str, Mapping[str, Any]] | None = None,
    **sections: Any,
) -> Settings:
    """Return the settings of the site. Boiler: keys of the device. Tags: keys added to tags of the boiler."""
    changed = {name: {**keys, **(tags or {}).get(name, {})} for name, keys in BOILER.items()}
    number = next(_urls)
    devices = {
        "boiler": {
            "driver": "memory",
            "url": f"memory://b{number}",
            "scan": "200ms",
            "tags": changed,
            **(boiler or {}),
        },
        "turbine": {"driver": "memory", "url": f"memory://t{number}", "scan": "200ms", "tags": TURBINE},
    }
    safety = {"constraints": [HOT] if constraints is None else constraints, **sections.pop("safety", {})}
    return settings_of(
        {
            "gateway": {"id": "site", "control": control},
            "time": {"require_sync": False},
            "authority": authority,
            "devices": devices,
            "safety": safety,
            **sections,
        }
    )


class ControlSite:
    """One gateway; `running` lets it live."""

    control: Control
    plant: Plant
    journal: MemoryJournal

    def __init__(self, settings: Settings | None = None, disk: Disk | None = None, latency: float = 0.001) -> None:
        """Disk: of a gateway before this one."""
        self.settings = settings or configuration()
        self.clock = VirtualClock()
        self.counters = Counters()
        self.told: list[tuple[str, str, Mapping[str, Any]]] = []
        self.disk = disk
        self.latency = latency
        self.left: list[str] = []

    def far(self, device: str = "boiler") -> MemoryPlant:
        """Return the far side of a device."""
        return plant(self.settings.devices[device].driver_settings.url)

    def frames(self, address: str | None = None, device: str = "boiler") -> list[Any]:
        """Return what was written, as the far side counted it."""
        return [each.value for each in self.far(device).frames if address in {None, each.address}]

    def read(self, address: str, device: str = "boiler") -> Any:
        """Return what a cell holds."""
        return self.far(device).cells[address].value

    async def submit(self, principal: str = "ann", **fields: Any) -> Reply:
        """Submit a command."""
        return await self.control.arbiter.submit(Command(**fields), principal)

    async def write(self, tag: str, value: Setting, principal: str = "ann", **fields: Any) -> Reply:
        """Submit a write of one tag."""
        return await self.submit(principal, verb="write", writes={tag: value}, **fields)

    def records(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Return what is on the disk, in order."""
        found = [json.loads(each.body) for each in self.journal.disk.chained]
        return [each for each in found if kind in {None, each["kind"]}]

    async def scan(self, times: float = 2.0) -> None:
        """Let some scans pass."""
        await asyncio.sleep(0.2 * times)

    def stall(self, seconds: float) -> None:
        """Let time pass in which the loop does nothing."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.stall(seconds)

    @asynccontextmanager
    async def running(self, *, settle: float = 1.0) -> AsyncIterator["ControlSite"]:
        """Run everything; once it is entered, all devices are connected and all is judged."""
        self.journal = memory_journal(self.disk, self.latency)
        self.plant = build_plant(self.settings, self.clock, Random(1), self.counters)
        ids = count(1)
        self.control = control = await open_control(
            self.settings,
            self.plant,
            self.journal,
            self.clock,
            Random(1),
            self.counters,
            lambda: None,
            lambda kind, what, details: self.told.append((kind, what, details)),
            lambda: f"made-{next(ids)}",
        )
        self.left = (await control.recover()).unresolved
        sessions = [asyncio.create_task(each.run()) for each in self.plant.sessions]
        jobs = [asyncio.create_task(job, name=name) for name, job in control.jobs().items()]
        await asyncio.sleep(settle)
        try:
            yield self
        finally:
            await control.stop()
            for session in self.plant.sessions:
                session.stop()
            for task in (*sessions, *jobs):
                task.cancel()
            await asyncio.gather(*sessions, *jobs, return_exceptions=True)


def play(
    story: Callable[[ControlSite], Awaitable[None]], settings: Settings | None = None, disk: Disk | None = None
) -> ControlSite:
    """Tell a story of a gateway that runs; return it as it ended."""
    site = ControlSite(settings, disk)

    async def main() -> None:
        async with site.running():
            await story(site)

    run_virtual(main())
    return site
