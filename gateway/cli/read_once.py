"""Asking devices once, without a session: connect, read every block, hang up."""

import asyncio
from collections.abc import Callable, Iterable, MutableMapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from drivers.base import Block, Connection, Driver, Reader, Surroundings
from drivers.errors import DeviceFault, LinkLost
from drivers.registry import load
from drivers.values import DataType, Quality, Sample, bad
from gateway.cli.asking import ask_for
from gateway.clock import Clock
from gateway.settings.model import Device, DeviceTag
from gateway.tags.conditioning import condition

Complain = Callable[[str], None]
"""Is told, in one line, why something could not be read."""

Notebooks: TypeAlias = MutableMapping[str, MutableMapping[str, Any]]
"""By device: what its driver knows of it by experience."""


class Wanted(NamedTuple):
    """A tag that is to be read."""

    device: Device
    tag: DeviceTag

    @property
    def path(self) -> str:
        """`device.tag`, as the configuration names it."""
        return f"{self.device.name}.{self.tag.name}"


class Answer(NamedTuple):
    """What a tag's device said."""

    sample: Sample
    """In engineering units."""
    data_type: DataType | None
    wall: float
    """When it was received, seconds since 1970 UTC."""


async def read_once(
    wanted: Sequence[Wanted], clock: Clock, complain: Complain, notebooks: Notebooks | None = None
) -> dict[str, Answer]:
    """Read the tags, endpoints side by side; return the answers by tag, those of silent devices BAD.

    Notebooks: what the drivers learn is written there.
    """
    answers: dict[str, Answer] = {}
    learned = {} if notebooks is None else notebooks
    async with asyncio.TaskGroup() as group:
        for driver, devices in _endpoints(wanted):
            group.create_task(_Visit(driver, devices, clock, complain, answers, learned).run())
    return answers


def _endpoints(wanted: Iterable[Wanted]) -> list[tuple[Driver, list[list[Wanted]]]]:
    """Return each endpoint's driver with the tags of its devices."""
    drivers: dict[str, Driver] = {}
    devices: dict[str, dict[str, list[Wanted]]] = {}
    for each in wanted:
        driver = load(each.device.driver)
        endpoint = driver.endpoint(each.device.driver_settings)
        drivers[endpoint] = driver
        devices.setdefault(endpoint, {}).setdefault(each.device.name, []).append(each)
    return [(drivers[endpoint], list(by_name.values())) for endpoint, by_name in devices.items()]


class _Visit:
    """One connection to one endpoint."""

    def __init__(
        self,
        driver: Driver,
        devices: Sequence[Sequence[Wanted]],
        clock: Clock,
        complain: Complain,
        answers: dict[str, Answer],
        notebooks: Notebooks,
    ) -> None:
        self._driver = driver
        self._devices = devices
        self._clock = clock
        self._complain = complain
        self._answers = answers
        self._notebooks = notebooks

    async def run(self) -> None:
        connection = self._driver.connect(self._devices[0][0].device.driver_settings)
        try:
            await connection.open()
            for tags in self._devices:
                await self._read_device(connection, tags)
        except LinkLost as fault:
            self._give_up([each for tags in self._devices for each in tags], fault)
        finally:
            await connection.close()

    async def _read_device(self, connection: Connection, tags: Sequence[Wanted]) -> None:
        device = tags[0].device
        around = Surroundings(learned=self._notebooks.setdefault(device.name, {}))
        reader = connection.reader(device.driver_settings, [each.tag.point for each in tags], around)
        try:
            plan = await reader.prepare()
        except LinkLost:
            raise
        except DeviceFault as fault:
            self._give_up(tags, fault)
            return
        unsettled = await self._read_blocks(reader, (*plan.polled, *plan.subscribed), tags)
        # A value may be bad only because another block had to be read first, such as that of its exponent.
        await self._read_blocks(reader, unsettled, tags)

    async def _read_blocks(self, reader: Reader, blocks: Iterable[Block], tags: Sequence[Wanted]) -> list[Block]:
        """Ask for the blocks; return those whose answers have bad values in them."""
        unsettled = []
        async for block, changes, fault in ask_for(reader, blocks):
            if fault is not None:
                self._give_up([tags[place] for place in block.points], fault)
            for place, sample in changes:
                self._take(tags[place], sample, reader.data_type(place))
            if any(sample.quality is Quality.BAD for _, sample in changes):
                unsettled.append(block)
        return unsettled

    def _take(self, wanted: Wanted, sample: Sample, data_type: DataType | None) -> None:
        wall = self._clock.wall()
        self._answers[wanted.path] = Answer(condition(sample, wanted.tag.settings, wall), data_type, wall)

    def _give_up(self, tags: Iterable[Wanted], fault: DeviceFault) -> None:
        left = [each for each in tags if each.path not in self._answers]
        for each in left:
            self._answers[each.path] = Answer(bad(fault.kind), None, self._clock.wall())
        devices = ", ".join(dict.fromkeys(each.device.name for each in left))
        if left:
            self._complain(f"{devices}: {fault}")
