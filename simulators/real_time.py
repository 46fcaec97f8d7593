"""Keeping a plant in step with the clock."""

import asyncio
from collections.abc import Awaitable, Callable

PERIOD = 0.1
"""The PLCs' cycle, seconds."""
MOST_BEHIND = 1.0
"""Seconds of real time that are caught up with; what was missed beyond them is left out."""


async def in_real_time(step: Callable[[float], Awaitable[None]], speed: float = 1.0) -> None:
    """Step for ever; `speed` 10 makes a second of the plant last 0.1 s."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        due = max(due + PERIOD, loop.time() - MOST_BEHIND)
        await asyncio.sleep(due - loop.time())
        await step(PERIOD * speed)
