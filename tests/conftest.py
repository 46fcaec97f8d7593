"""What every test gets: no task may outlive the test that started it."""

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio
from hypothesis import settings

# Machines that do other things meanwhile: how long one example takes says nothing.
settings.register_profile("plantgate", deadline=None)
settings.load_profile("plantgate")


@pytest_asyncio.fixture(autouse=True)
async def no_task_leaks() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    for _ in range(3):  # a cancelled task needs a turn of the loop to end
        await asyncio.sleep(0)
    left = [task for task in asyncio.all_tasks() - before if task is not asyncio.current_task()]
    assert not left, f"tasks left running: {left}"
