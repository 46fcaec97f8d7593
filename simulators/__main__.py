"""`python -m simulators`: the boiler house as a process of its own, in real time behind both its PLCs.

With `--meters` three meters beside it: an SDM630, a SunSpec inverter and a PM5110, as units 1 to 3.
"""

import argparse
import asyncio
import gc
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from simulators.boiler_house_plcs import BoilerHousePlcs, boiler_house_plcs
from simulators.console import Console
from simulators.control import ask, control_socket
from simulators.errors import SimulatorError
from simulators.faces.listening import Address
from simulators.meters import Meters, meters

PARENT_CHECK = 0.5
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM, Ctrl-C or the parent's end. Returns the exit code: 0 stopped, 1 could not serve."""
    options = _parser().parse_args(arguments)
    # What the libraries want to say about a client's mistakes is of no use to the user here.
    for library in ("asyncua", "pymodbus"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    try:
        return asyncio.run(_ask(options) if options.ask else _serve(options))
    except SimulatorError as error:
        sys.stderr.write(f"simulators: {error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulators", description=__doc__)
    parser.add_argument("--modbus", type=_address, default=Address("127.0.0.1", 5020), metavar="HOST:PORT")
    parser.add_argument("--opcua", type=_address, default=Address("127.0.0.1", 4840), metavar="HOST:PORT")
    parser.add_argument("--meters", type=_address, metavar="HOST:PORT", help="serve the three meters, too")
    parser.add_argument("--control", type=Path, metavar="PATH", help="a Unix socket to move and break the plant by")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same noise and demand")
    parser.add_argument("--speed", type=_speed, default=1.0, help="10 makes a second of the plant last 0.1 s")
    parser.add_argument("--ask", metavar="JSON", help="send one request to the simulator at --control, and stop")
    return parser


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return Address(host.strip("[]"), int(port))


def _speed(text: str) -> float:
    speed = float(text)
    if not 0.1 <= speed <= 100:
        raise argparse.ArgumentTypeError("between 0.1 and 100")
    return speed


async def _ask(options: argparse.Namespace) -> int:
    if options.control is None:
        raise SimulatorError("--ask needs --control PATH, the socket of a running simulator")
    try:
        request = json.loads(options.ask)
    except ValueError as error:
        raise SimulatorError(f"--ask: this is not JSON: {error}") from error
    reply = await ask(options.control, request)
    sys.stdout.write(json.dumps(reply, indent=2) + "\n")
    return 0 if reply["ok"] else 1


async def _serve(options: argparse.Namespace) -> int:
    parent, task = os.getppid(), asyncio.current_task()
    assert task is not None, "asyncio.run runs it in one"
    _stop_on_signals(task)
    with suppress(asyncio.CancelledError):
        async with AsyncExitStack() as stack:
            plcs = await stack.enter_async_context(boiler_house_plcs(options.modbus, options.opcua, options.seed))
            served = await stack.enter_async_context(meters(options.meters, options.seed)) if options.meters else None
            if options.control is not None:
                console = Console(plcs, served.devices if served else None)
                await stack.enter_async_context(control_socket(options.control, console.execute))
            gc.freeze()  # the address space is large and stays: neither scan it nor take it apart at the end
            _say_ready(plcs, served, options.control)
            async with asyncio.TaskGroup() as group:
                group.create_task(plcs.run(options.speed), name="plant")
                if served is not None:
                    group.create_task(served.run(options.speed), name="meters")
                group.create_task(_watch_parent(parent, task), name="parent")
    return 0


def _say_ready(plcs: BoilerHousePlcs, served: Meters | None, control: Path | None) -> None:
    at = f"modbus={plcs.modbus.address} opcua={plcs.opcua.address}"
    if served is not None:
        at += f" meters={served.modbus.address}"
    sys.stdout.write(f"READY {at}{f' control={control}' if control else ''}\n")
    sys.stdout.flush()


def _stop_on_signals(task: "asyncio.Task[object]") -> None:
    loop = asyncio.get_running_loop()

    def receive(*_: object) -> None:
        # From here on deaf: a second signal must not cut the ordered stop short.
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        loop.call_soon_threadsafe(_stop, task)

    for number in _SIGNALS:
        signal.signal(number, receive)


def _stop(task: "asyncio.Task[object]") -> None:
    if not task.cancelling():
        task.cancel()


async def _watch_parent(parent: int, task: "asyncio.Task[object]") -> None:
    # An orphan is given another parent. Nobody would ever stop it.
    while os.getppid() == parent:  # noqa: ASYNC110  (the system tells of it by no event)
        await asyncio.sleep(PARENT_CHECK)
    _stop(task)


if __name__ == "__main__":
    sys.exit(main())
