"""What dead, slow and many devices do to the others: judged by when the devices were asked, on their side.

`python -m benchmarks.endpoints [dead|slow|fifty|scale ...]` prints each figure beside what is wanted; all of
them where nothing is named.
"""

import asyncio
import itertools
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from benchmarks.endpoints.site import SCAN, Farm, Unit, cpu_seconds, farm, gateway, rss_bytes
from tests.servers import free_port, mosquitto

RUN = 30.0
"""Seconds of one run."""
SETTLE = 5.0
"""Seconds that the gateway and its first scans get."""


class Pace:
    """How regularly the scans of a unit came, within a time."""

    def __init__(self, times: Sequence[float], seconds: float) -> None:
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        self.share = len(times) / (seconds / SCAN)
        self.longest = max(gaps, default=seconds) / SCAN
        self.error = abs(statistics.fmean(gaps) - SCAN) / SCAN if gaps else 1.0


def say(what: str, figure: str, wanted: str) -> None:
    """Print one figure."""
    print(f"{what}: {figure} (wanted: {wanted})", flush=True)


def nowhere() -> dict[str, str]:
    """Return the settings of a broker that is not there: what is measured here is the field side."""
    return {"url": f"mqtt://127.0.0.1:{free_port()}"}


async def observe(field: Farm, dying: Sequence[Unit]) -> dict[Unit, Pace]:
    """Let units die in the middle of a run; return the pace of each that lives."""
    await asyncio.sleep(SETTLE)
    await field.scans()
    await asyncio.sleep(RUN / 3)
    if dying:
        field.silence(dying)
    await asyncio.sleep(RUN * 2 / 3)
    scans = await field.scans()
    return {unit: Pace(scans.get(unit, []), RUN) for unit in field.units if unit not in dying}


def say_paces(what: str, paces: dict[Unit, Pace], wanted: str) -> None:
    """Print the worst of some units."""
    share = min(pace.share for pace in paces.values())
    gap = max(pace.longest for pace in paces.values())
    say(what, f"fewest scans {share:.1%}, longest gap {gap:.2f} scans", wanted)


async def dead(folder: Path) -> None:
    """One live unit beside a dead one."""
    wanted = "99 %, 1.5"
    for when in ("from the start", "in the middle"):
        async with farm(1, 2, 10) as field:
            victim = field.units[1:]
            if when == "from the start":
                field.silence(victim)
            async with gateway(folder, field.devices(), nowhere()):
                paces = await observe(field, victim)
        say_paces(f"one unit dead {when}, its neighbour", paces, wanted)


async def slow(folder: Path) -> None:
    """100 tags of a device that takes 20 ms for each answer."""
    for spread, what in ((1, "in one block"), (10, "scattered over ten blocks")):
        async with farm(1, 1, 100 * spread, latency=0.02) as field, gateway(folder, field.devices(spread), nowhere()):
            paces = await observe(field, [])
        error = paces[field.units[0]].error
        say(f"20 ms an answer, 100 tags at 1 s {what}: period error", f"{error:.2%}", "at most 5 %")


async def fifty(folder: Path) -> None:
    """50 devices, of which ten die."""
    for endpoints, units, what in ((50, 1, "of 50 endpoints"), (1, 50, "of 50 units behind one endpoint")):
        for dying in (0, 10):
            async with farm(endpoints, units, 20, latency=0.002) as field, gateway(folder, field.devices(), nowhere()):
                paces = await observe(field, field.units[::5][:dying])
            say_paces(f"{dying} {what} die at once, the others", paces, "as if alone")


async def scale(folder: Path) -> None:
    """100 devices, 20,000 tags at 1 s, 10 % changing, by one gateway and by two on one broker."""
    async with mosquitto(folder) as broker:
        for publish in ("tag", "device"):
            for gateways in (1, 2):
                async with farm(100, 1, 200, latency=0.002) as field:
                    await scale_once(folder, field, {"url": broker.url, "publish": publish}, gateways)


async def scale_once(folder: Path, field: Farm, mqtt: dict[str, str], gateways: int) -> None:
    """Run so many gateways over the farm, each with its share of the devices."""
    named = list(field.devices().items())
    running = [gateway(folder, dict(named[part::gateways]), mqtt, f"scale{part}") for part in range(gateways)]
    processes = [await each.__aenter__() for each in running]
    try:
        await asyncio.sleep(2 * SETTLE)
        await field.scans()
        before = [cpu_seconds(process.pid) for process in processes]
        await asyncio.sleep(RUN)
        spent = [cpu_seconds(each.pid) - was for each, was in zip(processes, before, strict=True)]
        paces = {unit: Pace(times, RUN) for unit, times in (await field.scans()).items()}
        memory = [rss_bytes(process.pid) / 1e6 for process in processes]
    finally:
        for each in running:
            await each.__aexit__(None, None, None)
    cpu = ", ".join(f"{seconds / RUN:.0%}" for seconds in spent)
    sizes = ", ".join(f"{size:.0f} MB" for size in memory)
    say(
        f"100 devices, 20,000 tags, publish: {mqtt['publish']}, {gateways} gateway(s)",
        f"{cpu} of a core, {sizes}, period error {max(pace.error for pace in paces.values()):.2%}, "
        f"longest gap {max(pace.longest for pace in paces.values()):.2f} scans of {len(paces)} devices",
        "head-room on two cores",
    )


async def memory(folder: Path) -> None:
    """What a tag takes: the gateway with 20,000 tags less the same with 100, each tag published once."""
    async with mosquitto(folder) as broker:
        sizes = []
        for registers in (1, 200):
            async with (
                farm(100, 1, registers, share=0.0) as field,
                gateway(folder, field.devices(), {"url": broker.url}) as process,
            ):
                await asyncio.sleep(2 * SETTLE)
                sizes.append(rss_bytes(process.pid))
        say("memory of a tag", f"{(sizes[1] - sizes[0]) / (100 * 199) / 1024:.1f} KiB", "stated")


MEASURES: dict[str, Callable[[Path], Awaitable[None]]] = {
    "dead": dead,
    "slow": slow,
    "fifty": fifty,
    "scale": scale,
    "memory": memory,
}


async def main(names: Sequence[str]) -> None:
    """Measure what is named."""
    with tempfile.TemporaryDirectory() as folder:
        for name in names or MEASURES:
            await MEASURES[name](Path(folder))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
