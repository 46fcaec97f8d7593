"""`python -m tests.scenarios.counted_gateway` is `plantgate`; SIGUSR1 has it tell which tasks it runs.

The product has no such page: its tasks are its own business. They are written, one name a line, to the file that
TASKS names.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from gateway.cli import main


def tell_tasks(*_: object) -> None:
    """Write the names down, those that were never given one by their coroutines."""
    told = Path(os.environ["TASKS"])
    names = [each.get_name() for each in asyncio.all_tasks()]
    coroutines = [getattr(each.get_coro(), "__qualname__", "?") for each in asyncio.all_tasks()]
    lines = [code if name.startswith("Task-") else name for name, code in zip(names, coroutines, strict=True)]
    unfinished = told.with_suffix(".new")
    unfinished.write_text("\n".join(sorted(lines)))
    unfinished.rename(told)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, tell_tasks)  # runs between two steps of the loop, in its thread
    sys.exit(main())
