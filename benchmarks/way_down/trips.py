"""How long it takes from a sample that trips to the frame of the safe state, on the plant's side of the wire."""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks.way_down.caller import Caller
from benchmarks.way_down.figures import Figures, Meanwhile, say
from benchmarks.way_down.site import SCAN, Plc, configuration, gateway, plc
from tests.servers import ROOT, Mosquitto

ROUNDS, TRIPS = 4, 75
SLOW_TRIPS = 60
SLOW = 0.02
"""Seconds that a slow boiler takes for an answer."""
SLOW_SCAN = 0.25

Trip = tuple[float, int]


async def some_trips(field: Plc, times: int, reset: Callable[[], Awaitable[None]]) -> list[Trip]:
    """Trip so many times, each at a random moment of the scans."""
    found = []
    for _ in range(times):
        await reset()
        await asyncio.sleep(random.uniform(0.02, 0.02 + SCAN))
        found.append(await field.trip())
    return found


async def of_bare_loop(field: Plc, times: int, scan: float = SCAN) -> list[Trip]:
    """Trip a bare loop."""
    command = (sys.executable, "benchmarks/way_down/bare_trip.py", str(field.boiler), str(scan))
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    await asyncio.sleep(0.5)
    try:
        return await some_trips(field, times, lambda: asyncio.sleep(0))
    finally:
        process.kill()
        await process.wait()


async def of_gateway(folder: Path, settings: dict[str, Any], field: Plc, broker: Mosquitto, times: int) -> list[Trip]:
    """Trip the gateway, and reset it by a command each time."""
    async with gateway(folder, settings):
        caller = Caller(broker.port)
        try:
            return await some_trips(field, times, lambda: caller.insist("reset", {"name": "hot"}))
        finally:
            caller.stop()


def say_trips(what: str, trips: list[Trip], wanted: str = "") -> Figures:
    """Print the figures of some trips."""
    found = say(what, [seconds for seconds, _ in trips], wanted)
    between = Counter(others for _, others in trips)
    told = ", ".join(f"{number} in {times}" for number, times in sorted(between.items()))
    print(f"  requests between the sample and the safe state: {told}", flush=True)
    return found


async def quick(folder: Path, broker: Mosquitto) -> None:
    """A boiler that answers at once, beside 1,000 changing tags a second; the bare loop in turn."""
    bare: list[Trip] = []
    ours: list[Trip] = []
    with Meanwhile():
        async with plc() as field:
            settings = configuration(field, broker.url)
            for _ in range(ROUNDS):
                bare += await of_bare_loop(field, TRIPS)
                ours += await of_gateway(folder, settings, field, broker, TRIPS)
    floor = say_trips("a sample that trips to the frame of the safe state: bare loop", bare)
    found = say_trips("the same, gateway", ours, "p99 at most 5 ms")
    print(f"  ratio {found.over(floor)}", flush=True)


async def slow(folder: Path, broker: Mosquitto) -> None:
    """A boiler that takes 20 ms an answer: alone, with a neighbour on its wire, with a block after the steam's."""
    async with plc(SLOW) as field:
        behind = {"late": {"address": "input:150"}}
        neighbour = {
            "driver": "modbus",
            "url": f"tcp://127.0.0.1:{field.boiler}",
            "unit": 2,
            "scan": f"{1000 * SLOW_SCAN:g}ms",
            "tags": {f"r{place}": {"address": f"holding:{place}"} for place in range(0, 160, 20)},
        }
        for what, tags, devices in (
            ("alone on its wire", {}, {}),
            ("with a neighbour on its wire", {}, {"neighbour": neighbour}),
            ("with another block after it in the scan", behind, {}),
        ):
            settings = configuration(field, broker.url, SLOW_SCAN, tags, devices)
            with Meanwhile():
                found = await of_gateway(folder, settings, field, broker, SLOW_TRIPS)
            say_trips(f"the same, 20 ms an answer, {what}", found, "the next frame")
