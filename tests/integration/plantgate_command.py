"""`plantgate` as a process of its own, and what it said."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.servers import ROOT


class Said(NamedTuple):
    code: int
    out: str
    err: str


@asynccontextmanager
async def started(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run it; what it would keep goes with it."""
    with TemporaryDirectory() as state:
        environ = {**os.environ, "STATE_DIRECTORY": state}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", *arguments), stdout=PIPE, stderr=PIPE, cwd=ROOT, env=environ
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def plantgate(*arguments: str) -> Said:
    async with started(*arguments) as process, asyncio.timeout(50):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Said(process.returncode, out.decode(), err.decode())
