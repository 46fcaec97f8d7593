"""A program of tests/integration/node as a process of its own, told by the test what to do."""

import asyncio
import json
from pathlib import Path
from select import select
from subprocess import PIPE, Popen
from typing import Any

from tests.servers import ROOT, node

PROGRAMS = Path(__file__).with_name("node")
PATIENCE = 30.0
"""Seconds for an answer: node-opcua reads the standard address space at each start, 3 s on a quiet machine."""


class NodeServer:
    """One program of tests/integration/node: start, do, pause, kill, and start again at the same port.

    It belongs to no event loop, so one server can serve many tests.
    """

    def __init__(self, program: str, folder: Path, spec: dict[str, Any]) -> None:
        """Folder: for its log. Spec: its argument; a `port` of 0 takes a free one and keeps it."""
        self.port: int = spec["port"]
        self._program = PROGRAMS / program
        self._log = folder / f"{self._program.stem}.log"
        self._spec = spec
        self._process: Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        return self._process is not None

    async def start(self) -> None:
        """Return once it listens."""
        with self._log.open("a") as log:
            self._process = Popen(  # noqa: ASYNC220  (it takes a millisecond)
                [*node(), str(self._program), json.dumps({**self._spec, "port": self.port})],
                cwd=ROOT,
                bufsize=0,
                stdin=PIPE,
                stdout=PIPE,
                stderr=log,
            )
        self.port = await self._answer("ready")

    async def do(self, what: str, **how: Any) -> Any:
        """Have the program carry out one of its commands, and return what it answers."""
        stdin = self._started().stdin
        assert stdin is not None
        stdin.write(json.dumps({"do": what, **how}).encode() + b"\n")
        return await self._answer("ok")

    def send(self, number: int) -> None:
        """Send its process a signal: SIGSTOP makes it hang, SIGCONT go on."""
        self._started().send_signal(number)

    def becomes(self, **changes: Any) -> None:
        """Change its argument for the next start."""
        self._spec |= changes

    def kill(self) -> None:
        """End it at once, if it still runs."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    async def _answer(self, wanted: str) -> Any:
        line = await asyncio.to_thread(self._line)
        answer = json.loads(line or "{}")
        assert wanted in answer, f"{self._program.name}: {answer or 'no answer'}\n{self._log.read_text()}"
        return answer[wanted]

    def _line(self) -> bytes:
        stdout = self._started().stdout
        assert stdout is not None
        ready, _, _ = select([stdout], [], [], PATIENCE)
        return stdout.readline() if ready else b""

    def _started(self) -> Popen[bytes]:
        assert self._process is not None, "start it first"
        return self._process
