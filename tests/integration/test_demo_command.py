"""`plantgate demo` as a process: everything in it is real."""

import asyncio
import json
import os
import re
import signal
import sys
import urllib.request
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from gateway.northbound.reader import subscribed
from gateway.northbound.settings import MqttSettings
from simulators.control import ask
from tests.servers import ROOT, free_port

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

FREE = ("--mqtt-port", "0", "--modbus-port", "0", "--opcua-port", "0", "--http-port", "0", "--no-ui")


@asynccontextmanager
async def demo(*arguments: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "demo", *arguments), stdout=PIPE, stderr=PIPE, cwd=ROOT
    )
    try:
        yield process
    finally:
        left = descendants(process.pid)
        if process.returncode is None:
            process.terminate()
        await process.communicate()
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


async def introduction(process: Process) -> str:
    assert process.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(90):
        while not lines or '"clear"' not in lines[-1]:
            line = (await process.stdout.readline()).decode()
            assert line, process.stderr and (await process.stderr.read()).decode()
            lines.append(line)
    return "".join(lines)


async def outcome(process: Process) -> tuple[int, str]:
    assert process.stderr is not None
    async with asyncio.timeout(40):
        err = (await process.stderr.read()).decode()
        return await process.wait(), err


def descendants(pid: int) -> list[int]:
    """Return the process ids below one, nearest first."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                parents.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for each in found:
        found += parents.get(each, [])
    return found[1:]


def alive(pids: list[int]) -> list[int]:
    found = []
    for pid in pids:
        with suppress(OSError):
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            found += [pid] if state != "Z" else []  # a zombie has ended; nobody has asked after it yet
    return found


async def gone(pids: list[int]) -> None:
    """Return once none of the processes is left; the broker ends a moment after a gateway that was killed."""
    async with asyncio.timeout(20):
        while alive(pids):  # noqa: ASYNC110  (others' processes: there is no event)
            await asyncio.sleep(0.05)


def called(pids: list[int], word: str) -> int:
    """Return the process whose command line holds a word."""
    return next(pid for pid in pids if word in Path(f"/proc/{pid}/cmdline").read_text().split("\0"))


async def test_both_plcs_values_are_on_mqtt_and_ctrl_c_stops_everything() -> None:
    async with demo(*FREE) as process:
        words = await introduction(process)
        mqtt = re.search(r"mqtt://127\.0\.0\.1:\d+", words)
        metrics = re.search(r"http://127\.0\.0\.1:\d+/metrics", words)
        plant = re.search(r"--control (\S+)", words)
        assert mqtt
        assert metrics
        assert plant
        await check_live(mqtt[0])
        page = await asyncio.to_thread(lambda: urllib.request.urlopen(metrics[0]).read().decode())
        assert 'plantgate_device_connected{device="turbine"} 1.0' in page
        await ask(Path(plant[1]), {"fault": {"boiler.steam_temperature": {"offset": 200}}})
        await check_violated(mqtt[0])
        running = descendants(process.pid)
        assert len(running) >= 3
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        assert await outcome(process) == (0, "")
        assert alive(running) == []
        assert not Path(plant[1]).parent.exists()


async def check_live(url: str) -> None:
    """Return once more than twenty tags have changed, of both PLCs and of those that are made from theirs."""
    seen: dict[str, set[str]] = {}
    async with asyncio.timeout(60), subscribed(MqttSettings(url=url), ["agent/boiler-house/tag/+/+"]) as messages:
        async for topic, payload in messages:
            seen.setdefault(topic, set()).add(str(json.loads(payload)["value"]))
            changed = [each for each, values in seen.items() if len(values) > 1]
            if len(changed) > 20 and {each.split("/")[3] for each in changed} == {"boiler", "turbine", "house"}:
                return


async def check_violated(url: str) -> None:
    topic = "agent/boiler-house/constraint/max_steam_temperature"
    async with asyncio.timeout(30), subscribed(MqttSettings(url=url), [topic]) as messages:
        async for _, payload in messages:
            if json.loads(payload)["verdict"] == "violated":
                return


async def test_it_stops_by_itself_after_the_duration() -> None:
    async with demo(*FREE, "--duration", "1s") as process:
        await introduction(process)
        assert await outcome(process) == (0, "")


async def test_a_taken_broker_port_is_one_line_and_nothing_is_started() -> None:
    port = free_port()
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", port)
    async with server, demo(*FREE, "--mqtt-port", str(port)) as process:
        code, err = await outcome(process)
    assert code == 1
    assert err == (
        f"something already answers at 127.0.0.1:{port} (mqtt): stop it, or choose another port with --mqtt-port\n"
    )


@pytest.mark.parametrize(("word", "name"), [("simulators", "simulated boiler house"), ("run", "gateway")])
async def test_a_program_that_dies_is_named_and_the_others_are_stopped(word: str, name: str) -> None:
    async with demo(*FREE) as process:
        await introduction(process)
        running = descendants(process.pid)
        os.kill(called(running, word), signal.SIGKILL)
        code, err = await outcome(process)
        assert code == 1
        assert f"the {name} ended with code -9; its last lines are above" in err
        await gone(running)
