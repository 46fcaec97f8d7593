"""The field side of a configuration, with its outlets, as the daemon builds it: for tests of what is written."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from drivers.values import Sample
from gateway.app.plant import Plant, build_plant
from gateway.clock import Clock
from gateway.control.outlet import Outlet
from gateway.counters import Counters
from gateway.settings.load import load
from gateway.tags.image import Batch
from gateway.tags.tag import Tag

PATIENCE = 10.0
"""Seconds that an event may take on a busy machine before a test gives up."""


class Field:
    """Every device of a configuration, and what the image told."""

    def __init__(self, devices: str, clock: Clock) -> None:
        """Devices: the section, in YAML, indented by two."""
        with TemporaryDirectory() as folder:
            file = Path(folder) / "field.yaml"
            file.write_text(f"gateway: {{id: field}}\ndevices:\n{devices}")
            settings = load(file).settings
        self.clock = clock
        self.counters = Counters()
        self.plant: Plant = build_plant(settings, clock, Random(1), self.counters)
        self.image = self.plant.image
        self.told: list[tuple[str, Sample]] = []
        """Every sample that the image told of, with its tag's path, in order."""
        self._news = asyncio.Event()
        self.image.listen(self._note)

    def tag(self, path: str) -> Tag:
        """Return a tag by `device.tag`."""
        found = self.image.find(path)
        assert found is not None
        return found

    def outlet(self, device: str) -> Outlet:
        """Return the way out to a device."""
        return self.plant.outlets[device]

    def sample(self, path: str) -> Sample:
        """Return a tag's sample of now, without its source time."""
        return self.image.sample(self.tag(path), self.clock.monotonic())._replace(source_time=None)

    def values(self, path: str) -> list[object]:
        """Return the values of a tag that were told of, in order."""
        return [sample.value for tag, sample in self.told if tag == path]

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is true that follows from what comes in, or from a connection."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._news.clear()
                try:
                    async with asyncio.timeout(0.05):
                        await self._news.wait()
                except TimeoutError:
                    self.image.expire()

    async def ready(self, device: str) -> Outlet:
        """Wait until a device can be written, and return the way out to it."""
        outlet = self.outlet(device)
        await self.until(lambda: outlet.generation is not None and outlet.device.state.connected)
        return outlet

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Field"]:
        """Run the sessions."""
        tasks = [asyncio.create_task(session.run()) for session in self.plant.sessions]
        try:
            yield self
        finally:
            for session in self.plant.sessions:
                session.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _note(self, batch: Batch) -> None:
        self.told += [(tag.path, sample) for tag, sample in batch.changes]
        self._news.set()
