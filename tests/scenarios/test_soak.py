"""The gateway under one fault after the other: what it holds stays the same.

A minute in `make test`; `make soak` is an hour with a fault a minute. PLANTGATE_SOAK_SECONDS, PLANTGATE_SOAK_PAUSE
(seconds between two faults) and PLANTGATE_SOAK_SEED change that.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from statistics import median
from time import monotonic

import pytest

from tests.scenarios.matrix_site import MARGIN, NOTICED
from tests.scenarios.mqtt_client import mqtt_client
from tests.scenarios.process_figures import CountedGateway, Holdings
from tests.scenarios.small_plant import GATEWAY, configuration
from tests.scenarios.soak_plant import SoakPlant, soak_plant
from tests.servers import Mosquitto

pytestmark = pytest.mark.real

SECONDS = float(os.environ.get("PLANTGATE_SOAK_SECONDS", "60"))
PAUSE = float(os.environ.get("PLANTGATE_SOAK_PAUSE", "0"))
SEED = int(os.environ.get("PLANTGATE_SOAK_SEED", "1"))
WARM_UP = 12
"""Faults before memory is compared: as many as there are, so that each way was gone once."""
GROWTH_PER_HOUR = 0.01
"""Of resident memory, as promised for a day; beside it, for the allocator, NOISE."""
NOISE = 3.0
"""MiB."""


def drawn(names: list[str], seed: int) -> Iterator[str]:
    """Yield faults for ever, in an order that the seed decides, each once before any comes again."""
    random = Random(seed)
    while True:
        yield from random.sample(names, len(names))


class Course:
    """What was seen from fault to fault."""

    def __init__(self, plant: SoakPlant, daemon: CountedGateway, before: Holdings) -> None:
        self.resident: list[float] = []
        """MiB, after each fault."""
        self.slowest = (0.0, "")
        """Seconds from the end of a fault until all was good, and which it was."""
        self._plant = plant
        self._daemon = daemon
        self._before = before

    async def suffer(self, fault: str) -> None:
        """Go through one fault: everything is read again, nothing was believed wrongly, nothing was left behind."""
        await self._plant.faults[fault]()
        mended = monotonic()
        await self._plant.is_well()
        self.slowest = max(self.slowest, (monotonic() - mended, fault))
        await self._is_as_before(fault)
        self._plant.believed_only()
        assert (await self._daemon.get("/healthz"))[0] == 200
        self.resident.append(self._daemon.resident())

    async def idle(self, until: float) -> None:
        """Let values change, once a second, and nothing else."""
        while monotonic() < until:
            await self._plant.is_well()
            self._plant.believed_only()
            await asyncio.sleep(1)

    def growth(self) -> tuple[float, float]:
        """Return the resident memory after the warm-up and at the end, MiB."""
        settled = self.resident[WARM_UP:]
        third = max(len(settled) // 3, 1)
        return median(settled[:third]), median(settled[-third:])

    async def _is_as_before(self, fault: str) -> None:
        """See the same descriptors and tasks as before, once all is quiet."""
        before, deadline = self._before, monotonic() + MARGIN * NOTICED
        while (now := await self._daemon.holdings()) != before:
            more = now.files - before.files, now.tasks - before.tasks
            less = before.files - now.files, before.tasks - now.tasks
            assert monotonic() < deadline, f"after '{fault}': more {more}, fewer {less}"
            await asyncio.sleep(0.1)


@asynccontextmanager
async def counted_gateway(folder: Path, plant: SoakPlant, broker: Mosquitto) -> AsyncIterator[CountedGateway]:
    daemon = CountedGateway(folder, configuration(broker.url, plant.devices), {"TASKS": str(folder / "tasks")})
    try:
        await daemon.start()
        async with mqtt_client(broker.port, GATEWAY) as plant.client:
            yield daemon
        await daemon.stop()  # and no error, warning or exception in its log
    finally:
        await daemon.discard()


@pytest.mark.timeout(SECONDS + PAUSE + 180)
async def test_descriptors_tasks_and_memory_stay_the_same_under_one_fault_after_the_other(tmp_path: Path) -> None:
    async with soak_plant(tmp_path) as (plant, broker), counted_gateway(tmp_path, plant, broker) as daemon:
        await plant.is_well()
        before, began = await daemon.holdings(), monotonic()
        course = Course(plant, daemon, before)
        for fault in drawn(list(plant.faults), SEED):
            due = monotonic() + PAUSE
            await course.suffer(fault)
            if due - began > SECONDS and len(course.resident) > WARM_UP:
                break
            await course.idle(due)
        lasted, (first, last) = monotonic() - began, course.growth()
        print(  # noqa: T201  (the line for docs/proof.md)
            f"| soak of {lasted:.0f} s, {len(course.resident)} faults of {len(plant.faults)} kinds, seed {SEED} "
            f"| {before.files.total()} descriptors and {before.tasks.total()} tasks after every fault; resident "
            f"{course.resident[0]:.1f} MiB at first, {first:.1f} after the warm-up, {last:.1f} at the end; all good "
            f"{course.slowest[0]:.1f} s after the end of a fault at worst ({course.slowest[1]}) |"
        )
        assert last - first <= NOISE + first * GROWTH_PER_HOUR * lasted / 3600, course.resident
        assert "session_crashed" not in daemon.log, daemon.log
