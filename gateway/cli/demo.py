"""`plantgate demo`: the boiler house, complete: simulated PLCs, a broker and the gateway, until Ctrl-C."""

import argparse
import asyncio
import os
import shlex
import signal
import socket
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.cli.demo_programs import HOST, Demo, Ports
from gateway.errors import ServiceError
from gateway.settings.duration import parse_duration

GATEWAY = "boiler-house"

_PORTS = {"mqtt": 1883, "modbus": 5020, "opcua": 4840, "http": 9464}
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    command = commands.add_parser(
        "demo",
        help="the boiler house, complete",
        description="Run a simulated boiler house, a broker and the gateway until Ctrl-C. Nothing of it is kept.",
        epilog="Exit code 0: stopped. 1: a port is taken, or one of the programs ended by itself.",
    )
    command.add_argument("--duration", type=_duration, metavar="30s", help="stop by itself after so long")
    command.add_argument("--no-ui", action="store_true", help="without the web page (this version has none)")
    for name, port in _PORTS.items():
        words = "%(default)s where absent; 0 takes a free one"
        command.add_argument(f"--{name}-port", type=_port, default=port, metavar="PORT", help=words)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run until Ctrl-C or for the duration: 0. Raises ServiceError where a port is taken or a program dies."""
    ports = Ports(arguments.mqtt_port, arguments.modbus_port, arguments.opcua_port, arguments.http_port)
    return asyncio.run(_run(ports, arguments.duration))


async def _run(ports: Ports, duration: float | None) -> int:
    _stop_on_signals()
    try:
        for name in _PORTS:
            check_silent(name, getattr(ports, name))
        with TemporaryDirectory(prefix="plantgate-demo-") as folder:
            _say(["starting the simulated PLCs, the broker and the gateway ..."])
            async with Demo(Path(folder), ports) as demo:
                await demo.start()
                _say(introduction(demo, _program()))
                await demo.run(duration)
    except asyncio.CancelledError:
        pass  # by the signal
    _say(["stopped"])
    return 0


def check_silent(name: str, port: int) -> None:
    """Raise ServiceError where something answers at a port that the demo needs."""
    if port == 0:
        return
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return
    raise ServiceError(
        f"something already answers at {HOST}:{port} ({name}): stop it, or choose another port with --{name}-port"
    )


def introduction(demo: Demo, program: str) -> list[str]:
    """Return what to open and what to type. Program: how the user calls plantgate."""
    ports = demo.ports
    mqtt = "" if ports.mqtt == _PORTS["mqtt"] else f" --mqtt mqtt://{HOST}:{ports.mqtt}"
    ask = f"{shlex.quote(sys.executable)} -m simulators --control {shlex.quote(str(demo.control))} --ask"
    return [
        "The boiler house is running; Ctrl-C stops it.",
        "",
        f"  boiler   tcp://{HOST}:{ports.modbus} (Modbus TCP)",
        f"  turbine  opc.tcp://{HOST}:{ports.opcua}/ (OPC UA)",
        f"  broker   mqtt://{HOST}:{ports.mqtt}",
        f"  metrics  http://{HOST}:{ports.http}/metrics",
        "",
        "Look at it, in another terminal:",
        f"  {program} watch{mqtt}",
        f"  mosquitto_sub -h {HOST} -p {ports.mqtt} -v -t 'agent/{GATEWAY}/#'",
        f"  {program} read {shlex.quote(str(demo.config))}",
        "",
        "Write to it: one is permitted, the next is too large a step; reset what has tripped:",
        f"  {program} write{mqtt} boiler.temperature_setpoint=455",
        f"  {program} write{mqtt} boiler.temperature_setpoint=550",
        f"  {program} reset{mqtt} --reason 'all well again'",
        "",
        "Drive the steam over its limit, blind a sensor, make all well again:",
        f"""  {ask} '{{"set": {{"boiler.overfire": true}}}}'""",
        f"""  {ask} '{{"fault": {{"boiler.steam_temperature": "nan"}}}}'""",
        f"""  {ask} '{{"set": {{"boiler.overfire": false}}}}'""",
        f"""  {ask} '{{"clear": "all"}}'""",
    ]


def _stop_on_signals() -> None:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None, "asyncio.run runs it in one"

    def receive(*_: object) -> None:
        # From here on deaf: a second Ctrl-C must not leave a program behind.
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        loop.call_soon_threadsafe(task.cancel)

    for number in _SIGNALS:
        signal.signal(number, receive)


def _say(lines: list[str]) -> None:
    print(*lines, sep="\n", flush=True)


def _program() -> str:
    called = Path(sys.argv[0])
    if called.name != "plantgate":
        return f"{shlex.quote(sys.executable)} -m gateway"
    return shlex.quote(os.path.relpath(called) if called.is_relative_to(Path.cwd()) else str(called))


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port")
    return int(text)


def _duration(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from problem
