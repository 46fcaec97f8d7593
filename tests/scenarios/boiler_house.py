"""The boiler house of the demo: each of its PLCs a process that can be killed, and the configuration that reads it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryDirectory
from time import sleep
from typing import Any

import yaml

from simulators.control import ask
from simulators.errors import SimulatorError
from tests.scenarios.deadlines import BROKER_PAUSE, DEVICE_PAUSE, MAX_AGE, PERIOD, SCAN, START, TIMEOUT
from tests.servers import ROOT, free_port

SPEED = "20"
"""Of the plant: a burner that fires too hard takes 2 s to drive the steam over its limit."""

POLL = 0.05


class Farm:
    """The process that forks the simulators."""

    def __init__(self, log: Path) -> None:
        command = (sys.executable, "-m", "tests.scenarios.plc_farm")
        with log.open("w") as errors:
            self._process = Popen(command, cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=errors, text=True)

    def fork(self, arguments: Sequence[str]) -> int:
        """Start a simulator, and return its process id."""
        into, out = self._process.stdin, self._process.stdout
        assert into is not None, "asked for at the start"
        assert out is not None, "asked for at the start"
        into.write(f"{json.dumps(arguments)}\n")
        into.flush()
        return int(out.readline())

    def close(self) -> None:
        """End it; simulators that still run end with it."""
        self._process.kill()
        self._process.communicate()


class Plc:
    """A simulator process of which one PLC is used; the other one's port is taken from nobody."""

    def __init__(self, farm: Farm, folder: Path, name: str, face: str) -> None:
        """Face: `modbus` or `opcua`."""
        self.port = free_port()
        self._farm = farm
        self._control = folder / f"{name}.control"
        ports = {"modbus": 0, "opcua": 0, face: self.port}
        faces = [word for each, port in ports.items() for word in (f"--{each}", f"127.0.0.1:{port}")]
        self._arguments = (*faces, "--speed", SPEED, "--control", str(self._control))
        self._pid = 0

    async def start(self) -> None:
        """Return once it listens; harmless where it runs."""
        if not self._pid:
            self._pid = await asyncio.to_thread(self._farm.fork, self._arguments)
        async with asyncio.timeout(START):
            while not await self._answers():  # noqa: ASYNC110  (a process tells of no event)
                await asyncio.sleep(POLL)

    def kill(self) -> None:
        """SIGKILL; harmless where it does not run."""
        pid, self._pid = self._pid, 0
        while pid and _is_running(pid, signal.SIGKILL):
            sleep(POLL / 10)

    async def ask(self, **request: Any) -> dict[str, Any]:
        """Move or break the plant: `set={...}`, `fault={...}`, `clear="all"`."""
        reply = await ask(self._control, request)
        assert reply["ok"], reply
        return reply

    async def reading(self, point: str) -> Any:
        """Return what a point shows."""
        return (await self.ask(query=[point]))["points"][point]["value"]

    async def _answers(self) -> bool:
        try:
            return bool(await self.ask(query=[]))
        except SimulatorError:
            return False


class BoilerHouse:
    """Both PLCs. Each has a whole plant of its own behind it, since one has to outlive the other."""

    def __init__(self, folder: Path) -> None:
        self._farm = Farm(folder / "simulators.log")
        self.boiler = Plc(self._farm, folder, "boiler", "modbus")
        self.turbine = Plc(self._farm, folder, "turbine", "opcua")
        self._shipped: Mapping[str, Any] = yaml.safe_load((ROOT / "config" / "boiler-house.yaml").read_text())
        house = self._shipped["devices"]["house"]
        # What looks back for an hour is good only after most of it.
        house["tags"] = {name: tag for name, tag in house["tags"].items() if "window" not in tag}
        self.tags = {name: list(device["tags"]) for name, device in self._shipped["devices"].items()}

    @property
    def topics(self) -> set[str]:
        """Everything that the gateway keeps retained, without `agent/{id}/`."""
        judged = [each["name"] for each in self._shipped["safety"]["constraints"]]
        return {
            "status",
            *(f"constraint/{name}" for name in judged),
            *(f"device/{device}" for device in self.tags),
            *(f"tag/{device}/{tag}" for device, tags in self.tags.items() for tag in tags),
        }

    async def start(self) -> None:
        """Start what does not run, and repair what does."""
        for plc in (self.boiler, self.turbine):
            await plc.start()
            await plc.ask(clear="all")

    def kill(self) -> None:
        for plc in (self.boiler, self.turbine):
            plc.kill()

    def close(self) -> None:
        self.kill()
        self._farm.close()

    def configuration(self, mqtt: int, **mqtt_keys: Any) -> dict[str, Any]:
        """Return the shipped configuration at these ports, with times that suit a test."""
        shipped, devices, safety = self._shipped, self._shipped["devices"], self._shipped["safety"]
        times = {"scan": f"{SCAN}s", "reconnect_max": f"{DEVICE_PAUSE}s", "max_age": f"{MAX_AGE}s"}
        boiler = {"url": f"tcp://127.0.0.1:{self.boiler.port}", "timeout": f"{TIMEOUT}s", **times}
        turbine = {"url": f"opc.tcp://127.0.0.1:{self.turbine.port}/", **times}
        constraints = [
            each | ({"max_age": f"{MAX_AGE}s"} if "max_age" in each else {}) for each in safety["constraints"]
        ]
        return {
            **shipped,
            "gateway": {"id": "boiler-house"},
            "mqtt": {"url": f"mqtt://127.0.0.1:{mqtt}", "reconnect_max": f"{BROKER_PAUSE}s", **mqtt_keys},
            "devices": devices | {"boiler": devices["boiler"] | boiler, "turbine": devices["turbine"] | turbine},
            "safety": safety | {"period": f"{PERIOD}s", "constraints": constraints},
        }


def _is_running(pid: int, how: signal.Signals) -> bool:
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return False
    return True


def run_command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run `plantgate` to its end; what it would keep goes with it."""
    with TemporaryDirectory() as state:
        return subprocess.run(
            [sys.executable, "-m", "gateway", *arguments],
            cwd=ROOT,
            env={**os.environ, "STATE_DIRECTORY": state},
            capture_output=True,
            text=True,
            timeout=START,
            check=False,
        )
