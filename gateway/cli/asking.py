"""Asking for blocks without a session: each once, and what a device refuses as a whole in its parts."""

from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import NamedTuple

from drivers.base import Block, Change, Reader, Split
from drivers.errors import DeviceFault, LinkLost

REFUSALS = frozenset({"exception_2", "exception_3", "exception_4"})
"""Faults of a block that may come from one of its points alone."""
TRIES = 16
"""How often a block of several points is asked for that is refused so: enough for its driver to try each point."""


class Outcome(NamedTuple):
    """What became of a block: its answer, or why there is none."""

    block: Block
    changes: Sequence[Change] = ()
    fault: DeviceFault | None = None


async def ask_for(reader: Reader, blocks: Iterable[Block]) -> AsyncIterator[Outcome]:
    """Yield what becomes of each block, or of those that it was split into. Raises LinkLost."""
    left = deque(blocks)
    while left:
        block = left.popleft()
        try:
            outcome = await _ask(reader, block)
        except Split as split:
            left.extendleft(reversed(split.blocks))
        else:
            yield outcome


async def _ask(reader: Reader, block: Block) -> Outcome:
    for last in (*(False,) * (TRIES - 1), True):
        try:
            return Outcome(block, await reader.read(block))
        except (LinkLost, Split):
            raise
        except DeviceFault as fault:
            if last or len(block.points) < 2 or fault.kind not in REFUSALS:
                return Outcome(block, fault=fault)
    raise AssertionError("the last try returns")
