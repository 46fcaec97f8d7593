"""A farm of devices, a gateway that reads it as a process of its own, and what can be seen of both."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.servers import ROOT

SCAN = 1.0
TICK = os.sysconf("SC_CLK_TCK")
_LINE_LIMIT = 1 << 26


class Unit(NamedTuple):
    """One device behind one endpoint of the farm."""

    endpoint: int
    unit: int

    @property
    def name(self) -> str:
        """Its name in the gateway's configuration."""
        return f"d{self.endpoint}_{self.unit}"


class Farm:
    """The farm's process."""

    def __init__(self, process: asyncio.subprocess.Process, ports: Sequence[int], units: int, registers: int) -> None:
        self._process = process
        self.ports = ports
        self.registers = registers
        self.units = [Unit(endpoint, unit) for endpoint in range(len(ports)) for unit in range(1, units + 1)]

    def silence(self, units: Sequence[Unit]) -> None:
        """Let exactly these answer nothing."""
        self._say(f"dead {json.dumps(units)}")

    async def scans(self) -> dict[Unit, list[float]]:
        """Return when each unit was scanned since the last report, and forget it."""
        self._say("report")
        assert self._process.stdout
        report = json.loads(await self._process.stdout.readline())
        return {Unit(endpoint, unit): times for endpoint, unit, times in report}

    def devices(self, blocks: int = 1) -> dict[str, Any]:
        """Return the gateway's devices for all units; their registers lie in so many blocks far from each other."""
        size = self.registers // (2 * blocks - 1)
        places = [2 * block * size + place for block in range(blocks) for place in range(size)]
        tags = {f"r{place}": {"address": f"holding:{place}"} for place in places}
        return {
            each.name: {
                "driver": "modbus",
                "url": f"tcp://127.0.0.1:{self.ports[each.endpoint]}",
                "unit": each.unit,
                "scan": f"{SCAN:g}s",
                "tags": tags,
            }
            for each in self.units
        }

    def _say(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n".encode())


@asynccontextmanager
async def farm(
    endpoints: int, units: int, registers: int, share: float = 0.1, latency: float = 0.0
) -> AsyncIterator[Farm]:
    """Run a farm."""
    wanted = {"endpoints": endpoints, "units": units, "registers": registers, "share": share, "latency": latency}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "benchmarks/endpoints/farm.py", json.dumps(wanted)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LINE_LIMIT,
    )
    assert process.stdin
    assert process.stdout
    try:
        yield Farm(process, json.loads(await process.stdout.readline()), units, registers)
    finally:
        process.stdin.close()
        await process.wait()


@asynccontextmanager
async def gateway(
    folder: Path, devices: Mapping[str, Any], mqtt: Mapping[str, Any], name: str = "bench"
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `plantgate run` over these devices."""
    path = folder / f"{name}.yaml"
    configuration = {
        "gateway": {"id": name},
        "mqtt": mqtt,
        "http": {"enabled": False},
        "time": {"require_sync": False},
        "logging": {"level": "error"},
        "devices": devices,
    }
    path.write_text(json.dumps(configuration), encoding="utf-8")
    command = (sys.executable, "-m", "gateway", "run", str(path), "--state-dir", str(folder / f"{name}.state"))
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def rss_bytes(pid: int) -> int:
    """Return the resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
