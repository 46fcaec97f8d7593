"""A program that a command starts, watches and stops; its last lines are kept for the day it dies."""

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections import deque
from collections.abc import Mapping
from contextlib import suppress

KEPT = 15
"""Lines of its output that are remembered."""
LAST_WORDS = 1.0
"""Seconds that its output is waited for once it has ended."""
POLL = 0.05
_LONGEST_LINE = 1 << 20


class Child:
    """A running program. `start` it, and `stop` it in the end."""

    def __init__(self, name: str, process: Process) -> None:
        self.name = name
        self.last_lines: deque[str] = deque(maxlen=KEPT)
        """What it said last, on either output."""
        self._process = process
        self._announced: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._listening = asyncio.create_task(self._listen(), name=f"output of {name}")

    @classmethod
    async def start(cls, name: str, *command: str, environ: Mapping[str, str] | None = None) -> "Child":
        """Start a program. A Ctrl-C in the terminal does not reach it: it is stopped in its turn."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            env={**os.environ, **(environ or {})},
            start_new_session=True,
            limit=_LONGEST_LINE,
        )
        return cls(name, process)

    async def announced(self) -> str:
        """Wait for the line that begins with READY and return it; an empty one once the program has ended."""
        return await asyncio.shield(self._announced)

    @property
    def has_ended(self) -> bool:
        return self._process.returncode is not None

    async def ended(self) -> int:
        """Wait for its end, and for its last words; return its exit code."""
        code = await self._end()
        await asyncio.wait([self._listening], timeout=LAST_WORDS)
        return code

    async def stop(self, seconds: float) -> None:
        """Ask it to end, and kill it where it has not after so many seconds."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(seconds):
                await self._end()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._end()
        self._listening.cancel()
        await asyncio.wait([self._listening])
        # A program that it left behind may hold the pipe open, and asyncio lets go of it in no other way.
        self._process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001

    async def _end(self) -> int:
        # Process.wait() would also wait for whatever else holds the pipe.
        while self._process.returncode is None:  # noqa: ASYNC110  (asyncio has no event for this alone)
            await asyncio.sleep(POLL)
        return self._process.returncode

    async def _listen(self) -> None:
        assert self._process.stdout is not None, "asked for at the start"
        try:
            while line := await self._next_line(self._process.stdout):
                self._hear(line.decode(errors="replace").rstrip())
        finally:
            if not self._announced.done():
                self._announced.set_result("")

    def _hear(self, line: str) -> None:
        self.last_lines.append(line)
        if line.startswith("READY") and not self._announced.done():
            self._announced.set_result(line)

    async def _next_line(self, output: asyncio.StreamReader) -> bytes:
        try:
            return await output.readline()
        except ValueError:
            return b"(a line too long to keep)"
