"""How a fake PLC meets the writes of a scenario."""

import asyncio

from tests.integration.fake_plc import Asked, FakePlc, good, silent
from tests.integration.register_writes import WRITES

PATIENCE = 30.0
"""Seconds after which an answer is held back no longer: the test has failed."""


async def deaf_to_writes(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
    await (silent if asked.function in WRITES else good)(plc, asked, writer)


class Deaf:
    """A device that falls silent at the next write: it takes it, or not, and answers nothing from then on."""

    def __init__(self, *, takes: bool) -> None:
        self._takes = takes
        self._fell = False

    async def __call__(self, plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.function in WRITES:
            self._fell = True
            if self._takes:
                plc.answer(asked)
        await (silent if self._fell else good)(plc, asked, writer)


class Held:
    """A device that keeps the answer to its first write back."""

    def __init__(self) -> None:
        self.came = asyncio.Event()
        self.go = asyncio.Event()

    async def __call__(self, plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.function in WRITES:
            self.came.set()
            async with asyncio.timeout(PATIENCE):
                await self.go.wait()
        await good(plc, asked, writer)


class Telling:
    """A device that tells of the first write, which it takes; the answer is a while in coming."""

    def __init__(self) -> None:
        self.came = asyncio.Event()

    async def __call__(self, plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.function in WRITES and not self.came.is_set():
            self.came.set()
            plc.answer(asked)
            await asyncio.sleep(0.2)
        await good(plc, asked, writer)
