"""The programs of the demo: the simulated PLCs, and the gateway with its broker."""

import asyncio
import re
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from gateway.cli import demo_config
from gateway.cli.child import Child
from gateway.errors import GatewayError, ServiceError

HOST = "127.0.0.1"
START = 60.0
"""Seconds within which everything has to be up."""
STOP = 10.0
"""Seconds that each program gets to stop in order."""
POLL = 0.1

_READY = re.compile(r"READY modbus=\S+:(\d+) opcua=\S+:(\d+) ")


@dataclass(frozen=True, slots=True)
class Ports:
    """Where everything listens, on loopback; 0 while any free port will do."""

    mqtt: int
    modbus: int
    opcua: int
    http: int


class Demo:
    """Started one after the other, stopped the other way round; an async context manager for the stop."""

    def __init__(self, folder: Path, ports: Ports) -> None:
        """Folder: for everything that is written; it is the caller's to delete."""
        self.ports = ports
        self.control = folder / "plant"
        """The socket at which the plant can be moved and broken."""
        self.config = folder / demo_config.NAME
        self._state = folder / "state"
        self._children: list[Child] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for child in reversed(self._children):
            await child.stop(STOP)

    async def start(self) -> None:
        """Return once everything is up, `ports` being the real ones. Raises ServiceError where something fails."""
        try:
            async with asyncio.timeout(START):
                await self._start_plcs()
                await self._start_gateway()
        except TimeoutError:
            raise self._blame(self._children[-1], f"was not ready within {START:g} s") from None

    async def run(self, duration: float | None) -> None:
        """Return after the duration, never where it is None. Raises ServiceError as soon as a program ends."""
        ends = {asyncio.create_task(child.ended(), name=f"{child.name} ended"): child for child in self._children}
        try:
            done, _ = await asyncio.wait(ends, timeout=duration, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
        for end in done:
            raise self._blame(ends[end], f"ended with code {end.result()}")

    async def _start_plcs(self) -> None:
        control = str(self.control)
        at = ("--modbus", f"{HOST}:{self.ports.modbus}", "--opcua", f"{HOST}:{self.ports.opcua}")
        plcs = await self._launch("simulated boiler house", "simulators", *at, "--control", control)
        ready = _READY.match(await plcs.announced())
        if ready is None:
            raise self._blame(plcs, f"ended with code {await plcs.ended()}")
        mqtt, http = (port or _free_port() for port in (self.ports.mqtt, self.ports.http))
        self.ports = Ports(mqtt, int(ready[1]), int(ready[2]), http)

    async def _start_gateway(self) -> None:
        self.config.write_text(configure(demo_config.find().read_text(), self.ports))
        gateway = await self._launch("gateway", "gateway", "run", str(self.config))
        while not await _is_ready(self.ports.http):
            if gateway.has_ended:
                raise self._blame(gateway, f"ended with code {await gateway.ended()}")
            await asyncio.sleep(POLL)

    async def _launch(self, name: str, module: str, *arguments: str) -> Child:
        state = {"STATE_DIRECTORY": str(self._state)}
        child = await Child.start(name, sys.executable, "-m", module, *arguments, environ=state)
        self._children.append(child)
        return child

    def _blame(self, child: Child, what: str) -> GatewayError:
        for line in child.last_lines:
            print(f"  {line}", file=sys.stderr)
        said = "; it said nothing" if not child.last_lines else "; its last lines are above"
        return ServiceError(f"the {child.name} {what}{said}")


def configure(text: str, ports: Ports) -> str:
    """Return the demo's configuration with everything at these ports, the broker being the gateway's own."""
    return demo_config.rewrite(
        text,
        {
            ("mqtt", "url"): f"embedded://{HOST}:{ports.mqtt}",
            ("http", "listen"): f"{HOST}:{ports.http}",
            ("devices", "boiler", "url"): f"tcp://{HOST}:{ports.modbus}",
            ("devices", "turbine", "url"): f"opc.tcp://{HOST}:{ports.opcua}/",
        },
    )


async def _is_ready(port: int) -> bool:
    """Ask the gateway whether every part of it is up."""
    try:
        reader, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    try:
        writer.write(b"GET /readyz HTTP/1.0\r\n\r\n")
        return b" 200 " in await reader.readline()
    except OSError:
        return False
    finally:
        writer.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
