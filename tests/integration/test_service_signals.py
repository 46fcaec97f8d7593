"""Signals reach a process of its own, as systemd sends them."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.servers import ROOT

pytestmark = pytest.mark.real

DAEMON = """
import asyncio, time
from gateway.clock import SystemClock
from gateway.lifecycle import stop_on_signals
from gateway.observability.logs import logs
from gateway.observability.settings import LoggingSettings

async def main():
    async with stop_on_signals() as stop:
        print("ready", flush=True)
        await stop.wait()
        print("stopping", flush=True)
        await asyncio.sleep(0.3)
        print("stopped in order", flush=True)

with logs(LoggingSettings(), SystemClock()):
    asyncio.run(main())
time.sleep(0.3)  # the interpreter's own end, which a late signal must not cut short either
print("gone", flush=True)
"""


@asynccontextmanager
async def daemon() -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DAEMON, cwd=ROOT, stdout=PIPE, stderr=PIPE, env={"PYTHONPATH": str(ROOT)}
    )
    try:
        async with asyncio.timeout(20):
            assert await read_line(process) == "ready"
            yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def read_line(process: Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_in_order_and_is_told_once(number: signal.Signals) -> None:
    async with daemon() as process:
        process.send_signal(number)
        out, err = await process.communicate()
    assert out.decode().split("\n")[:3] == ["stopping", "stopped in order", "gone"]
    assert process.returncode == 0
    assert err.decode().count(f"stopping signal={number.name}") == 1
    assert "Traceback" not in err.decode()


async def test_a_storm_of_further_signals_changes_nothing_until_the_process_is_gone() -> None:
    async with daemon() as process:
        process.send_signal(signal.SIGTERM)
        sent = 0
        while process.returncode is None:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                process.send_signal(number)
                sent += 1
            await asyncio.sleep(0.005)
        out, err = await process.communicate()
    assert sent > 100
    assert process.returncode == 0
    assert out.decode().split() == ["stopping", "stopped", "in", "order", "gone"]
    assert err.decode().count("stopping signal=") == 1


async def test_a_reload_is_refused_in_a_line_and_the_daemon_lives_on() -> None:
    async with daemon() as process:
        assert process.stderr is not None
        process.send_signal(signal.SIGHUP)
        assert b"WARNING reload_not_supported" in await process.stderr.readline()
        assert process.returncode is None
        process.send_signal(signal.SIGTERM)
        assert await read_line(process) == "stopping"
        await process.wait()
    assert process.returncode == 0
