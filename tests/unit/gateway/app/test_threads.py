"""Blocking calls: they get their turn, and nobody waits for one that hangs."""

import asyncio
import errno
import os
import subprocess
import sys
from threading import Event

import pytest

from gateway.app.threads import PassingThreads
from tests.servers import ROOT

HANGS = """
import asyncio, time
from gateway.app.threads import PassingThreads

async def main():
    asyncio.get_running_loop().set_default_executor(PassingThreads())
    asyncio.get_running_loop().run_in_executor(None, time.sleep, 60)
    await asyncio.sleep(0)

asyncio.run(main())
"""


def refuse() -> None:
    raise FileNotFoundError("gone")


async def test_a_call_returns_its_result_or_its_error() -> None:
    loop, threads = asyncio.get_running_loop(), PassingThreads()
    assert await loop.run_in_executor(threads, divmod, 7, 2) == (3, 1)
    with pytest.raises(FileNotFoundError, match="gone"):
        await loop.run_in_executor(threads, refuse)


async def test_many_calls_that_hang_do_not_hold_the_next_one() -> None:
    loop, threads, end = asyncio.get_running_loop(), PassingThreads(most=21), Event()
    hanging = [loop.run_in_executor(threads, end.wait) for _ in range(20)]
    assert await loop.run_in_executor(threads, abs, -1) == 1
    end.set()
    await asyncio.gather(*hanging)


async def test_one_call_too_many_is_an_os_error_and_the_next_finds_room_again() -> None:
    loop, threads, end = asyncio.get_running_loop(), PassingThreads(most=1), Event()
    hanging = loop.run_in_executor(threads, end.wait)
    with pytest.raises(OSError, match=os.strerror(errno.EAGAIN)):
        loop.run_in_executor(threads, abs, -1)
    end.set()
    await hanging
    async with asyncio.timeout(10):
        while True:
            try:
                assert await loop.run_in_executor(threads, abs, -1) == 1
            except BlockingIOError:
                await asyncio.sleep(0.001)  # the thread has told its result, and has still to end
            else:
                return


def test_a_process_ends_though_a_call_hangs() -> None:
    subprocess.run([sys.executable, "-c", HANGS], cwd=ROOT, timeout=20, check=True)
