"""The plant of the benchmark, its configuration, and the gateway as a process of its own over it."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.servers import ROOT

SCAN, LOAD_SCAN = 0.037, 0.1
"""Seconds; of no common measure, so that the scans of the two devices fall together now and then."""
LOAD_TAGS = 100
MAX_AGE = 2.0
"""Seconds; three scans would be less than a busy machine may stand still."""
PATIENCE = 10.0
"""Seconds that anything may take before the run is given up."""


class Plc:
    """The process with the boiler and the load."""

    def __init__(self, process: asyncio.subprocess.Process, boiler: int, load: int) -> None:
        """Boiler, load: their ports."""
        self._process = process
        self.boiler = boiler
        self.load = load

    async def trip(self) -> tuple[float, int]:
        """Be too hot; return the seconds until the burner was written off, and the requests that came before that."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(b"heat\n")
        async with asyncio.timeout(PATIENCE):
            seconds, others = json.loads(await self._process.stdout.readline())
        return seconds, others


@asynccontextmanager
async def plc(latency: float = 0.0) -> AsyncIterator[Plc]:
    """Run the plant. Latency: seconds that the boiler takes for each answer."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "benchmarks/way_down/plc.py", str(latency)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    try:
        yield Plc(process, *json.loads(await process.stdout.readline()))
    finally:
        process.stdin.close()
        await process.wait()


def configuration(
    field: Plc,
    mqtt: str,
    scan: float = SCAN,
    tags: Mapping[str, Any] = MappingProxyType({}),
    devices: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return the settings of a gateway over the plant. Tags: further ones of the boiler. Devices: further ones."""
    return {
        "gateway": {"id": "bench", "control": "on"},
        "mqtt": {"url": mqtt},
        "http": {"enabled": False},
        "time": {"require_sync": False},
        "logging": {"level": "warning"},
        "authority": "open",
        "devices": {
            "boiler": {
                "driver": "modbus",
                "url": f"tcp://127.0.0.1:{field.boiler}",
                "unit": 1,
                "scan": f"{1000 * scan:g}ms",
                "max_age": f"{MAX_AGE:g}s",
                "tags": {
                    "steam": {"address": "input:0", "range": [0, 1000]},
                    "burner": {"address": "coil:0", "writable": True},
                    "setpoint": {"address": "holding:10", "range": [0, 1000], "writable": True},
                    **tags,
                },
            },
            "load": {
                "driver": "modbus",
                "url": f"tcp://127.0.0.1:{field.load}",
                "unit": 1,
                "scan": f"{1000 * LOAD_SCAN:g}ms",
                "tags": {f"r{place}": {"address": f"holding:{place}"} for place in range(LOAD_TAGS)},
            },
            **devices,
        },
        "safety": {
            "constraints": [
                {
                    "name": "hot", "kind": "threshold", "tag": "boiler.steam", "max": 580, "level": "critical",
                    "on_trip": {"boiler.burner": False},
                }
            ]
        },
    }  # fmt: skip


def write_configuration(folder: Path, settings: dict[str, Any]) -> Path:
    """Return the file with the settings."""
    path = folder / "bench.yaml"
    path.write_text(json.dumps(settings), encoding="utf-8")
    return path


@asynccontextmanager
async def gateway(folder: Path, settings: dict[str, Any]) -> AsyncIterator[None]:
    """Run `plantgate run`; its state and its log lie in the folder."""
    config = write_configuration(folder, settings)
    command = (sys.executable, "-m", "gateway", "run", str(config), "--state-dir", str(folder / "state"))
    with (folder / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stderr=log)
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
