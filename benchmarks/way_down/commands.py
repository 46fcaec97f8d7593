"""How long a command takes to its verified answer, both of its records on the disk."""

import asyncio
import os
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.journal import INTENT
from benchmarks.way_down.caller import Caller
from benchmarks.way_down.figures import Meanwhile, say
from benchmarks.way_down.site import Plc, configuration, gateway, plc, write_configuration
from gateway.app.control import Control, open_control
from gateway.app.plant import build_plant
from gateway.audit.chain import HashChain
from gateway.audit.journal import open_journal
from gateway.clock import SystemClock
from gateway.control.command import Command
from gateway.control.reply import Outcome
from gateway.counters import Counters, JournalCounters
from gateway.settings.load import load
from gateway.storage.port import Change, Limits, Table
from gateway.storage.sqlite import SqliteJournal
from tests.servers import Mosquitto

ROUNDS, COMMANDS = 5, 300
SETTLE = 2.0
"""Seconds that the gateway gets to connect, and to judge at first."""
PROBES = 50
_FRAME = struct.Struct(">HHHBBHH")


async def bytes_a_commit(folder: Path) -> int:
    """Return what a commit of an intent adds to the write-ahead log."""
    log = folder / "journal.db-wal"
    async with SqliteJournal(folder, HashChain(), SystemClock(), "bench", JournalCounters(), Limits()) as journal:
        before = log.stat().st_size
        for number in range(PROBES):
            await journal.commit([INTENT.plain()], [Change(Table.COMMANDS, f"bench/{number}", {"body": "9f2c" * 8})])
        return (log.stat().st_size - before) // PROBES


class Bare:
    """The least that has to be done: a record synced, a register written and read back, a record synced."""

    def __init__(self, folder: Path, size: int, port: int) -> None:
        """Size: bytes of a record. It is put over one of before, as a write-ahead log is."""
        self._file = os.open(folder / "bare", os.O_RDWR | os.O_CREAT)
        self._records = os.urandom(64 * size)
        self._size = size
        os.pwrite(self._file, self._records, 0)
        os.fsync(self._file)
        self._places = count()
        self._wire = socket.create_connection(("127.0.0.1", port))
        self._wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def sync(self) -> float:
        """Put a record down; return the seconds that it took."""
        began = time.perf_counter()
        at = next(self._places) % 64 * self._size
        os.pwrite(self._file, self._records[: self._size], at)
        os.fdatasync(self._file)
        return time.perf_counter() - began

    def command(self, value: int) -> float:
        """Write a value and read it back; return the seconds that it took."""
        began = time.perf_counter()
        self.sync()
        for function, operand in ((6, value), (3, 1)):
            self._wire.send(_FRAME.pack(1, 0, 6, 1, function, 10, operand))
            answer = self._wire.recv(100)
        assert int.from_bytes(answer[9:11], "big") == value
        self.sync()
        return time.perf_counter() - began

    def close(self) -> None:
        """Let go of all."""
        os.close(self._file)
        self._wire.close()


@asynccontextmanager
async def inside(folder: Path, settings: dict[str, Any]) -> AsyncIterator[Control]:
    """Run a gateway without its northbound side in this process."""
    loaded = load(write_configuration(folder, settings)).settings
    clock, rng, counters, ids = SystemClock(), Random(1), Counters(), count()
    state = folder / "inside"
    state.mkdir(exist_ok=True)
    async with open_journal(state, loaded.audit, clock, counters.journal) as journal:
        field = build_plant(loaded, clock, rng, counters)
        control = await open_control(
            loaded, field, journal, clock, rng, counters, lambda: None, lambda *_: None, lambda: f"made-{next(ids)}"
        )
        await control.recover()
        tasks = [asyncio.create_task(each) for each in (*control.jobs().values(), *(s.run() for s in field.sessions))]
        await asyncio.sleep(SETTLE)
        try:
            yield control
        finally:
            await control.stop()
            for session in field.sessions:
                session.stop()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


async def through_the_arbiter(control: Control, first: int) -> list[float]:
    """Submit commands one after the other; return how long each took."""
    times = []
    for number in range(first, first + COMMANDS):
        command = Command("write", f"a{number}", reason="bench", writes={"boiler.setpoint": 100 + number % 800})
        began = time.perf_counter()
        reply = await control.arbiter.submit(command, "operator-1")
        times.append(time.perf_counter() - began)
        assert reply.outcome is Outcome.APPLIED, reply
    return times


async def over_mqtt(caller: Caller, first: int) -> list[float]:
    """Send commands one after the other; return how long each took to its reply, at the sender."""
    times = []
    for number in range(first, first + COMMANDS):
        reply, seconds = await caller.ask("write", {"writes": {"boiler.setpoint": 100 + number % 800}})
        assert reply["outcome"] == "applied", reply
        times.append(seconds)
    return times


async def measure(folder: Path, field: Plc, broker: Mosquitto, size: int) -> dict[str, list[float]]:
    """Return the times of all, taken in turn."""
    settings = configuration(field, broker.url)
    times: dict[str, list[float]] = {"sync": [], "bare": [], "arbiter": [], "mqtt": []}
    bare = Bare(folder, size, field.boiler)
    try:
        for turn in range(ROUNDS):
            first = turn * COMMANDS
            times["sync"] += [bare.sync() for _ in range(COMMANDS)]
            times["bare"] += [bare.command(100 + number % 800) for number in range(COMMANDS)]
            async with inside(folder, settings) as control:
                times["arbiter"] += await through_the_arbiter(control, first)
            async with gateway(folder, settings):
                caller = Caller(broker.port)
                try:
                    await caller.insist("write", {"writes": {"boiler.setpoint": 99}})
                    times["mqtt"] += await over_mqtt(caller, first)
                finally:
                    caller.stop()
    finally:
        bare.close()
    return times


async def main(folder: Path, broker: Mosquitto) -> None:
    """Measure, and print."""
    probe = folder / "probe"
    probe.mkdir()
    size = await bytes_a_commit(probe)
    with Meanwhile():
        async with plc() as field:
            times = await measure(folder, field, broker, size)
    say(f"{size} bytes written and synced, as a commit is", times["sync"])
    floor = say("a bare command: sync, write, read back, sync", times["bare"])
    for where, what in (("arbiter", "a command through the arbiter"), ("mqtt", "a command over MQTT and back")):
        found = say(what, times[where], "p95 at most 50 ms")
        print(f"  ratio to the bare one {found.over(floor)}", flush=True)
