"""The simulated boiler house as a process of its own: `python -m simulators`."""

import asyncio
import re
import signal
import sys
import textwrap
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from simulators.control import ask
from simulators.errors import SimulatorError
from tests.servers import ROOT, free_port

pytestmark = pytest.mark.real

ANY_PORT = ("--modbus", "127.0.0.1:0", "--opcua", "127.0.0.1:0")
READY = re.compile(r"READY modbus=127\.0\.0\.1:(\d+) opcua=127\.0\.0\.1:(\d+) control=(\S+)\n")


async def run(*arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators", *arguments, stdout=PIPE, stderr=PIPE, cwd=ROOT
    )


@asynccontextmanager
async def running(*arguments: str) -> AsyncIterator[tuple[Process, str]]:
    process = await run(*arguments)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            line = await process.stdout.readline()
        yield process, line.decode()
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def open_ports(*ports: int) -> list[int]:
    opened = []
    for port in ports:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            continue
        opened.append(port)
        writer.close()
        await writer.wait_closed()
    return opened


async def until(seconds: float, condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110  (another process: there is no event to wait for)
            await asyncio.sleep(0.05)


async def test_it_tells_its_real_ports_serves_them_and_stops_in_time(tmp_path: Path) -> None:
    control = tmp_path / "plant"
    async with running(*ANY_PORT, "--control", str(control)) as (process, line):
        ready = READY.fullmatch(line)
        assert ready, line
        ports = int(ready[1]), int(ready[2])
        assert await open_ports(*ports) == list(ports)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(2):
            assert await process.wait() == 0
        assert process.stderr is not None
        assert await process.stderr.read() == b""
        assert await open_ports(*ports) == []
    assert not control.exists()


async def test_the_plant_is_moved_and_broken_through_the_control_socket(tmp_path: Path) -> None:
    control = tmp_path / "plant"
    async with running(*ANY_PORT, "--control", str(control), "--speed", "50"):
        assert (control.stat().st_mode & 0o777) == 0o600
        assert await ask(control, {"set": {"boiler.overfire": True}}) == {"ok": True}
        await until(30, lambda: over(control, 580))
        await ask(control, {"fault": {"boiler.steam_temperature": {"offset": -100}}})
        assert await temperature(control) < 580
        reply = await ask(control, {"set": {"boiler.overfired": True}})
        assert "no input is called boiler.overfired" in reply["error"]


async def test_three_meters_are_served_beside_the_boiler_house(tmp_path: Path) -> None:
    control = tmp_path / "plant"
    async with running(*ANY_PORT, "--meters", "127.0.0.1:0", "--control", str(control)) as (_, line):
        found = re.search(r" meters=127\.0\.0\.1:(\d+) control=", line)
        assert found, line
        assert await open_ports(int(found[1])) == [int(found[1])]
        points = (await ask(control, {"query": ["sdm630.frequency", "inverter.model", "pm5110.current"]}))["points"]
        assert points["sdm630.frequency"]["value"] == pytest.approx(50, abs=0.5)
        assert points["inverter.model"]["value"] == "Simulated Inverter 10k"
        assert (await ask(control, {"fault": {"sdm630.voltage_l1": "nan"}}))["ok"]
        assert (await ask(control, {"query": "all"}))["faults"] == {"sdm630.voltage_l1": "nan"}


async def over(control: Path, limit: float) -> bool:
    return await temperature(control) > limit


async def is_complete(told: Path) -> bool:
    return read(told).endswith("\n")


def read(told: Path) -> str:
    return told.read_text() if told.exists() else ""


async def are_closed(*ports: int) -> bool:
    return not await open_ports(*ports)


async def temperature(control: Path) -> float:
    reply = await ask(control, {"query": ["boiler.steam_temperature"]})
    return float(reply["points"]["boiler.steam_temperature"]["value"])


async def test_the_control_socket_outlives_clients_that_misbehave(tmp_path: Path) -> None:
    control = tmp_path / "plant"
    async with running(*ANY_PORT, "--control", str(control)):
        _, writer = await asyncio.open_unix_connection(control)
        writer.write(b"x" * 200_000)
        writer.close()
        assert (await ask(control, {"query": ["turbine.state"]}))["ok"]


async def test_a_request_can_be_made_from_the_command_line(tmp_path: Path) -> None:
    control = str(tmp_path / "plant")
    async with running(*ANY_PORT, "--control", control):
        asking = await run("--control", control, "--ask", '{"query": ["turbine.state"]}')
        out, err = await asking.communicate()
        assert (asking.returncode, err) == (0, b"")
        assert b'"synchronised"' in out
        asking = await run("--control", control, "--ask", "query")
        out, err = await asking.communicate()
        assert (asking.returncode, out) == (1, b"")
        assert err.startswith(b"simulators: --ask: this is not JSON")


async def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    told = tmp_path / "ready"
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(
            f"""
            import subprocess, sys, time
            with open({str(told)!r}, "w") as out:
                subprocess.Popen(
                    [sys.executable, "-m", "simulators", *{ANY_PORT!r}, "--control", {str(tmp_path / "plant")!r}],
                    stdout=out,
                )
            time.sleep(60)
            """
        ), cwd=ROOT,
    )  # fmt: skip
    await until(30, lambda: is_complete(told))
    ready = READY.fullmatch(read(told))
    assert ready
    parent.kill()
    await parent.wait()
    await until(20, lambda: are_closed(int(ready[1]), int(ready[2])))
    assert not (tmp_path / "plant").exists()


async def test_a_taken_port_is_one_clear_line_and_exit_code_1() -> None:
    taken = free_port()
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", taken)
    async with server:
        process = await run("--modbus", "127.0.0.1:0", "--opcua", f"127.0.0.1:{taken}")
        out, err = await process.communicate()
    assert process.returncode == 1
    assert out == b""
    assert err.decode() == (
        f"simulators: the OPC UA PLC cannot listen at 127.0.0.1:{taken}: Address already in use; choose another port\n"
    )


async def test_asking_where_nobody_listens_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match=r"no simulator answers at .*nobody: No such file or directory"):
        await ask(tmp_path / "nobody", {"query": "all"})
