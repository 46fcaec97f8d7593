"""A boiler and a turbine that can be written: two fake PLCs that count what comes, each behind a wire of its own."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.integration.fake_plc import FakePlc, fake_plc
from tests.integration.plantgate_command import plantgate
from tests.integration.register_writes import COIL, REGISTER, Written
from tests.scenarios.commander import Commander, commander
from tests.scenarios.deadlines import BACK, BROKER_PAUSE, DEVICE_PAUSE, PERIOD, SCAN
from tests.scenarios.gateway_process import GatewayProcess
from tests.scenarios.mqtt_client import MqttClient, mqtt_client
from tests.scenarios.small_disk import SmallDisk
from tests.scenarios.tcp_proxy import TcpProxy, tcp_proxy
from tests.servers import Mosquitto, mosquitto

GATEWAY = "written"
LIMIT, HOT, COLD = 580, 600, 400
"""Degrees: of the steam that trips, above it, and far enough below."""
STEAM, SETPOINT, BURNER, COUNT = 0, 10, 20, 30
"""Places at the boiler."""
SPEED, LOAD, RATE, VALVE = 0, 10, 11, 20
"""Places at the turbine."""
BURNER_OFF, VALVE_SHUT = Written(COIL, BURNER, (0,)), Written(COIL, VALVE, (1,))
"""The safe state."""
WATCHED = ("status", "device/#", "constraint/#", "event/#", "command/write/retained")
"""Not the commands of a flood."""
SCANS = 6
"""So many requests more have to come before it is believed that nothing was written."""
TRIPPED = {"trip", "safe_state"}
"""What a gateway logs as errors when it trips."""

HOT_STEAM = {
    "name": "hot",
    "kind": "threshold",
    "tag": "boiler.steam",
    "max": LIMIT,
    "hysteresis": 5,
    "level": "critical",
    "on_trip": {"boiler.burner": False, "turbine.valve": True},
}
LOW_SETPOINT = {"name": "low", "kind": "threshold", "tag": "boiler.setpoint", "max": 500, "level": "high"}


def setpoint(value: int) -> Written:
    """Return the frame that writes the boiler's setpoint."""
    return Written(REGISTER, SETPOINT, (value,))


def device(url: str, tags: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {
        "driver": "modbus",
        "url": url,
        "scan": f"{SCAN}s",
        "timeout": "500ms",
        "max_age": "3s",
        "reconnect_max": f"{DEVICE_PAUSE}s",
        "tags": tags,
        **keys,
    }


def boiler(url: str, **keys: Any) -> dict[str, Any]:
    tags = {
        "steam": {"address": f"holding:{STEAM}", "range": [1, 700]},
        "setpoint": {"address": f"holding:{SETPOINT}", "range": [100, 560], "writable": True},
        "burner": {"address": f"coil:{BURNER}", "writable": True},
        "count": {"address": f"holding:{COUNT}", "writable": True},
    }
    return device(url, tags, **keys)


def turbine(url: str, **keys: Any) -> dict[str, Any]:
    tags = {
        "speed": {"address": f"holding:{SPEED}"},
        "load": {"address": f"holding:{LOAD}", "writable": True},
        "rate": {"address": f"holding:{RATE}", "writable": True},
        "valve": {"address": f"coil:{VALVE}", "writable": True},
    }
    return device(url, tags, **keys)


def configuration(
    mqtt: str, devices: dict[str, Any], constraints: list[dict[str, Any]] | None = None, **sections: Any
) -> dict[str, Any]:
    """Return a gateway's configuration; everybody may do everything where nothing else is said."""
    judged = [HOT_STEAM, LOW_SETPOINT] if constraints is None else constraints
    return {
        "gateway": {"id": GATEWAY, "control": "on"},
        "mqtt": {"url": mqtt, "reconnect_max": f"{BROKER_PAUSE}s"},
        "time": {"require_sync": False},
        "authority": "open",
        "devices": devices,
        "safety": {"period": f"{PERIOD}s", "constraints": judged},
        **sections,
    }


class WrittenPlant(NamedTuple):
    """What a test can watch, break and command."""

    boiler: FakePlc
    turbine: FakePlc
    boiler_wire: TcpProxy
    turbine_wire: TcpProxy
    broker: Mosquitto
    daemon: GatewayProcess
    client: MqttClient
    commander: Commander

    async def begins(self) -> None:
        """Start the gateway, and wait until everything is up and judged."""
        await self.daemon.start()
        await self.is_up()

    async def is_up(self) -> None:
        """Wait until both devices are connected, everything is judged, and commands come in."""
        await self.daemon.is_missing(set(), BACK)
        for name in ("boiler", "turbine"):
            await self.client.shows(f"device/{name}", BACK, state="connected")

    async def trips(self) -> None:
        """Let the steam get too hot, and wait until the plant is safe."""
        self.boiler.words[STEAM] = HOT
        await self.client.shows("constraint/hot", BACK, latched=True, safe_state="confirmed")

    async def cools(self) -> None:
        """Let the steam get cold again, and wait until that is seen."""
        self.boiler.words[STEAM] = COLD
        await self.client.shows("constraint/hot", BACK, verdict="ok")

    async def starts_anew(self) -> None:
        """Kill the gateway, and start it on what it kept."""
        await self.daemon.end(signal.SIGKILL)
        await self.begins()

    async def is_still_tripped(self) -> None:
        """See the steam cold and the trip latched, denying, and writing nothing."""
        await self.client.shows("constraint/hot", BACK, latched=True, verdict="ok")
        await self.client.shows("status", BACK, state="halted", reasons=["trip hot"])
        assert (await self.commander.write("turbine.load", 3))["code"] == "halted"
        for plc in (self.boiler, self.turbine):
            await plc.was_asked(len(plc.asked) + SCANS)

    async def is_proved(self, records: dict[str, int]) -> None:
        """Stop, and see so many records of a kind in a log that is proved."""
        await self.daemon.stop()
        said = await plantgate("audit", "verify", str(self.daemon.state))
        assert said.code == 0, said
        for kind, count in records.items():
            said = await plantgate("audit", "show", str(self.daemon.state), "--kind", kind, "--json", "-n", "1000")
            assert len(said.out.splitlines()) == count, said


@asynccontextmanager
async def written_plant(
    folder: Path,
    *,
    constraints: list[dict[str, Any]] | None = None,
    boiler_keys: dict[str, Any] | None = None,
    turbine_keys: dict[str, Any] | None = None,
    disk: SmallDisk | None = None,
    process: type[GatewayProcess] = GatewayProcess,
    environ: dict[str, str] | None = None,
    **sections: Any,
) -> AsyncIterator[WrittenPlant]:
    """Run all of it; at the end the gateway has to stop well and in time, unless the test ended it.

    Disk: where the gateway keeps its state. Process: what runs it. Environ: beside that of the test.
    """
    async with (
        mosquitto(folder) as broker,
        fake_plc() as first,
        fake_plc() as second,
        tcp_proxy(first.port) as first_wire,
        tcp_proxy(second.port) as second_wire,
        mqtt_client(broker.port, GATEWAY, WATCHED) as client,
        commander(broker.port, GATEWAY) as giver,
    ):
        first.words[STEAM], first.words[SETPOINT], first.words[BURNER] = COLD, 450, 1
        devices = {
            "boiler": boiler(f"tcp://127.0.0.1:{first_wire.port}", **(boiler_keys or {})),
            "turbine": turbine(f"tcp://127.0.0.1:{second_wire.port}", **(turbine_keys or {})),
        }
        state = {} if disk is None else {"STATE_DIRECTORY": str(disk.folder)}
        configured = configuration(broker.url, devices, constraints, **sections)
        daemon = process(folder, configured, {**(environ or {}), **state})
        daemon.around = () if disk is None else disk.around
        plant = WrittenPlant(first, second, first_wire, second_wire, broker, daemon, client, giver)
        try:
            await plant.begins()
            yield plant
            if daemon.exit_code is None:
                await daemon.stop()
        finally:
            await daemon.discard()
