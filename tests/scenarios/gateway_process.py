"""The gateway as systemd starts it: a process of its own, seen from outside."""

import asyncio
import json
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.scenarios.deadlines import START, STOP
from tests.servers import ROOT, free_port

POLL = 0.05
NO_BROKER = frozenset(("mqtt", "inbox"))
"""What /readyz names where there is no broker."""
_ERRORS = re.compile(r" ERROR +(\S+)")


class GatewayProcess:
    """One `python -m gateway run`."""

    module = "gateway"
    """What Python is told to run."""
    around: tuple[str, ...] = ()
    """A command that becomes Python in the end, empty where nothing has to be done first."""

    def __init__(self, folder: Path, configuration: dict[str, Any], environ: Mapping[str, str] | None = None) -> None:
        """Write the configuration down, with the HTTP port of its own. Environ: beside that of the test.

        What it keeps lies in a folder of its own where nothing else is said, and is there again at its next start.
        """
        self.http = free_port()
        self.state = Path((environ or {}).get("STATE_DIRECTORY") or mkdtemp(prefix="state-", dir=folder))
        self.may_log: set[str] = set()
        """Events that may stand in its log as errors, since the test brings them about."""
        self.config = folder / "gateway.yaml"
        self.config.write_text(json.dumps({**configuration, "http": {"listen": f"127.0.0.1:{self.http}"}}, indent=1))
        self._log = folder / "gateway.log"
        self._environ = {**os.environ, "STATE_DIRECTORY": str(self.state), **(environ or {})}
        self._process: Process | None = None

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def exit_code(self) -> int | None:
        return self._started().returncode

    async def start(self) -> None:
        """Return once it listens; whether it is ready is for the test to say."""
        with self._log.open("w") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(*self.around, sys.executable, "-m", self.module, "run", str(self.config)),
                cwd=ROOT,
                env=self._environ,
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(START):
            while not await self._listens():
                assert self.exit_code is None, f"the gateway ended with {self.exit_code}:\n{self.log}"
                await asyncio.sleep(POLL)

    async def stop(self, within: float = STOP) -> None:
        """SIGTERM; it has to end well and in time."""
        process = self._started()
        process.terminate()
        try:
            async with asyncio.timeout(within):
                await process.wait()
        except TimeoutError:
            pytest.fail(f"it does not stop within {within:g} s:\n{self.log}")
        assert process.returncode == 0, f"it ended with {process.returncode}:\n{self.log}"
        for word in (" CRITICAL ", "Traceback", "Warning:", "never retrieved", "was destroyed"):
            assert word not in self.log, self.log
        assert set(_ERRORS.findall(self.log)) <= self.may_log, self.log

    async def end(self, how: signal.Signals) -> int:
        """Send a signal that ends it, and return its exit code."""
        process = self._started()
        process.send_signal(how)
        return await process.wait()

    @property
    def pid(self) -> int:
        return self._started().pid

    def send(self, number: signal.Signals) -> None:
        self._started().send_signal(number)

    async def get(self, path: str) -> tuple[int, str]:
        """Return the status and the body of a page."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.http)
        try:
            writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
        finally:
            writer.close()
        return int(head.split()[1]), body

    async def not_ready(self) -> dict[str, str]:
        """Return the parts that /readyz names, with its reasons; its status has to agree with them."""
        status, body = await self.get("/readyz")
        parts = {name: part["reason"] for name, part in json.loads(body)["parts"].items() if not part["ready"]}
        assert status == (503 if parts else 200), body
        return parts

    async def metrics(self) -> "Metrics":
        status, body = await self.get("/metrics")
        assert status == 200, body
        return Metrics(body)

    async def is_missing(self, parts: set[str] | frozenset[str], within: float) -> None:
        """Wait until /readyz names these parts and no others."""

        async def true() -> bool:
            return (await self.not_ready()).keys() == parts

        await self.until(f"missing: {parts or 'nothing'}", true, within)

    async def until(self, what: str, true: Callable[[], Awaitable[bool]], within: float) -> None:
        """Ask its pages until it is true."""
        try:
            async with asyncio.timeout(within):
                while not await true():  # noqa: ASYNC110  (its pages tell of no event)
                    await asyncio.sleep(POLL)
        except TimeoutError:
            pytest.fail(f"not within {within:g} s: {what}; not ready: {await self.not_ready()}\n{self.log}")

    async def discard(self) -> None:
        """Kill what a failed test left."""
        process = self._process
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    async def _listens(self) -> bool:
        try:
            return bool(await self.get("/"))
        except OSError:
            return False

    def _started(self) -> Process:
        assert self._process is not None, "start it first"
        return self._process


class Metrics:
    """One scrape."""

    def __init__(self, text: str) -> None:
        samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
        self._values = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}

    def value(self, name: str, **labels: str) -> float:
        """Return the only sample of that name with at least these labels; fail where there is not exactly one."""
        found = [value for (each, own), value in self._values.items() if each == name and own >= labels.items()]
        assert len(found) == 1, f"{name}{labels}: {len(found)} samples"
        return found[0]

    def total(self, name: str, **labels: str) -> float:
        """Return the sum of the samples of that name with at least these labels; 0 where there are none."""
        return sum(value for (each, own), value in self._values.items() if each == name and own >= labels.items())


@asynccontextmanager
async def gateway(
    folder: Path, configuration: dict[str, Any], environ: Mapping[str, str] | None = None
) -> AsyncIterator[GatewayProcess]:
    """Run a gateway; at the end it has to stop well and in time, unless the test ended it."""
    process = GatewayProcess(folder, configuration, environ)
    try:
        await process.start()
        yield process
        if process.exit_code is None:
            await process.stop()
    finally:
        await process.discard()
