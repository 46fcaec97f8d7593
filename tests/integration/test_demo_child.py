"""The programs that a command starts: what they said, how they ended, and that they do end."""

import asyncio
import sys

import pytest

from gateway.cli.child import KEPT, Child

pytestmark = pytest.mark.real


async def start(code: str) -> Child:
    return await Child.start("child", sys.executable, "-u", "-c", code)


async def test_its_last_lines_and_exit_code_are_kept() -> None:
    child = await start("import sys\nfor i in range(100): print(i)\nprint('oh no', file=sys.stderr)\nsys.exit(3)")
    assert await child.ended() == 3
    assert list(child.last_lines) == [*map(str, range(100 - KEPT + 1, 100)), "oh no"]
    assert child.has_ended
    await child.stop(5)


async def test_it_announces_that_it_is_ready() -> None:
    child = await start("print('starting'); print('READY port=1'); input()")
    async with asyncio.timeout(20):
        assert await child.announced() == "READY port=1"
    await child.stop(5)


async def test_one_that_ends_unready_announces_nothing() -> None:
    child = await start("print('no luck')")
    async with asyncio.timeout(20):
        assert await child.announced() == ""
    await child.stop(5)


async def test_one_that_does_not_listen_is_killed() -> None:
    child = await start("import signal, time; signal.signal(15, signal.SIG_IGN); print('READY'); time.sleep(60)")
    await child.announced()
    async with asyncio.timeout(10):
        await child.stop(0.2)
        assert await child.ended() == -9


async def test_a_line_beyond_all_measure_and_wrong_bytes_do_not_stop_the_listening() -> None:
    child = await start(
        "import sys\nprint('x' * 5_000_000)\nsys.stdout.buffer.write(b'\\xff\\n')\nprint('READY after all')"
    )
    async with asyncio.timeout(20):
        assert await child.announced() == "READY after all"
    assert "\N{REPLACEMENT CHARACTER}" in child.last_lines
    assert max(map(len, child.last_lines)) < 2_000_000
    await child.stop(5)


async def test_what_it_started_and_left_behind_does_not_hold_up_its_end() -> None:
    child = await start("import subprocess; subprocess.Popen(['sleep', '7'])")
    async with asyncio.timeout(5):
        assert await child.ended() == 0
        await child.stop(5)
