"""The boiler house in step with a clock; its faces are not opened here."""

import asyncio
from contextlib import suppress

import pytest

from simulators.boiler_house_plcs import BoilerHousePlcs
from simulators.real_time import MOST_BEHIND, PERIOD
from tests.virtual_time import run_virtual


async def run_for(plcs: BoilerHousePlcs, seconds: float, speed: float = 1.0) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await plcs.run(speed)


@pytest.mark.parametrize("speed", [1.0, 10.0])
def test_the_plant_neither_gains_nor_loses_on_the_clock(speed: float) -> None:
    plcs = BoilerHousePlcs()
    run_virtual(run_for(plcs, 60.05, speed))
    assert plcs.house.time == pytest.approx(60 * speed)


def test_a_machine_that_slept_catches_up_with_a_little_and_leaves_out_the_rest() -> None:
    plcs = BoilerHousePlcs()

    async def sleep_through() -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(1.0, setattr, loop._selector, "now", loop.time() + 600)  # type: ignore[attr-defined]
        await run_for(plcs, 602)

    run_virtual(sleep_through())
    assert 1.0 + MOST_BEHIND <= plcs.house.time <= 4.0 + MOST_BEHIND + PERIOD
