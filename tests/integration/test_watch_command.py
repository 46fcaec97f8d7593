"""`plantgate watch` as a process, at a real broker."""

import asyncio
import fcntl
import json
import os
import pty
import signal
import struct
import sys
import termios
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.servers import ROOT, Mosquitto, free_port, library_path, mosquitto, program

pytestmark = pytest.mark.real

ONLINE = {"state": "online", "time": "2026-01-01T00:00:00.000Z", "expires": "2999-01-01T00:00:00.000Z", "reasons": []}
DEVICE = {"state": "connected", "tags": {"speed": {"unit": "rpm"}}}
SPEED = {"value": 3000.5, "quality": "good", "time": "2026-01-01T00:00:00.000Z"}
HOT = {"verdict": "violated", "level": "critical", "value": 590, "max": 580, "reason": "above_max"}


async def publish(broker: Mosquitto, topic: str, payload: object, *, retain: bool = True) -> None:
    command = [program("mosquitto_pub"), "-p", str(broker.port), "-t", topic, "-m", json.dumps(payload)]
    process = await asyncio.create_subprocess_exec(*command, *(["-r"] if retain else []), env=library_path())
    assert await process.wait() == 0


async def publish_gateway(broker: Mosquitto, gateway: str = "gw") -> None:
    await publish(broker, f"agent/{gateway}/status", ONLINE)
    await publish(broker, f"agent/{gateway}/device/turbine", DEVICE)
    await publish(broker, f"agent/{gateway}/tag/turbine/speed", SPEED)
    await publish(broker, f"agent/{gateway}/constraint/hot", HOT)


@asynccontextmanager
async def watching(*arguments: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "watch", *arguments), stdout=PIPE, stderr=PIPE, cwd=ROOT
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def next_line(stream: asyncio.StreamReader | None) -> str:
    assert stream is not None
    async with asyncio.timeout(30):
        return (await stream.readline()).decode().rstrip()


async def interrupt(process: Process) -> None:
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(10):
        assert await process.wait() == 0


async def test_every_message_is_a_line_of_json_and_ctrl_c_ends_it_well(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        await publish_gateway(broker)
        async with watching("--mqtt", broker.url, "--json") as process:
            lines = [json.loads(await next_line(process.stdout)) for _ in range(4)]
            assert {line["topic"]: line["payload"] for line in lines} == {
                "agent/gw/status": ONLINE,
                "agent/gw/device/turbine": DEVICE,
                "agent/gw/constraint/hot": HOT,
                "agent/gw/tag/turbine/speed": SPEED,
            }
            await interrupt(process)
            assert process.stderr is not None
            assert await process.stderr.read() == b""


async def test_into_a_file_each_change_is_a_plain_line(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        await publish_gateway(broker)
        async with watching("--mqtt", broker.url) as process:
            lines = {await next_line(process.stdout) for _ in range(4)}
            assert lines == {
                "gw is online",
                "device turbine connected",
                "constraint hot violated (above_max) 590",
                "turbine.speed 3000.5 rpm good",
            }
            await publish(broker, "agent/gw/status", ONLINE | {"state": "offline"})
            assert await next_line(process.stdout) == "gw is offline"


async def test_several_gateways_have_to_be_told_apart(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        await publish_gateway(broker, "gw1")
        await publish_gateway(broker, "gw2")
        async with watching("--mqtt", broker.url) as process:
            assert await next_line(process.stderr) == (
                "several gateways publish here; name one with --gateway: gw1, gw2"
            )
            assert await process.wait() == 2
        async with watching("--mqtt", broker.url, "--gateway", "gw2") as process:
            assert await next_line(process.stdout) == "gw2 is online"


async def test_a_broker_that_is_away_is_told_once_and_tried_until_it_is_there(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path, port=free_port())
    async with watching("--mqtt", broker.url) as process:
        away = await next_line(process.stderr)
        assert away == f"{broker.url}: connection refused; is the broker running?; trying again"
        await broker.start()
        assert await next_line(process.stderr) == f"{broker.url}: no gateway has told its status yet; waiting for one"
        await publish_gateway(broker)
        assert await next_line(process.stdout) == "gw is online"
        await broker.stop()
        assert "trying again" in await next_line(process.stderr)
        await interrupt(process)


async def test_a_url_that_is_none_is_refused_with_exit_code_2() -> None:
    async with watching("--mqtt", "http://127.0.0.1") as process:
        assert "'http://127.0.0.1' is no broker's address" in await next_line(process.stderr)
        assert await process.wait() == 2


async def test_in_a_terminal_a_table_is_drawn_and_the_terminal_is_given_back(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        await publish_gateway(broker)
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 30, 100, 0, 0))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", "watch", "--mqtt", broker.url),
            stdout=theirs,
            stderr=theirs,
            cwd=ROOT,
            env={**os.environ, "TERM": "xterm"},
        )
        os.close(theirs)
        drawn = await read_until(ours, b"3000.5")
        assert b"violated (above_max)" in drawn
        await interrupt(process)
        assert b"\x1b[?1049l" in await read_until(ours, b"\x1b[?1049l")
        os.close(ours)


async def read_until(terminal: int, words: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    seen = bytearray()
    found = asyncio.Event()

    def read() -> None:
        try:
            seen.extend(os.read(terminal, 65_536))
        except OSError:
            loop.remove_reader(terminal)
        if words in seen:
            found.set()

    loop.add_reader(terminal, read)
    try:
        async with asyncio.timeout(30):
            await found.wait()
    finally:
        loop.remove_reader(terminal)
    return bytes(seen)
