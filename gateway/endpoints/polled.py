"""A polled block and how often it is asked: one that the device keeps refusing, ever less often. Pure."""

from drivers.base import Block
from gateway.tags.image import Freshness

BUSY = frozenset({"exception_5", "exception_6", "lane_full"})
"""Refusals that mean `not now`: the next scan may ask again."""
LONGEST_REST = 60.0
"""Seconds that a refused block of a device which answers otherwise is left alone at most."""


class Polled:
    """A block, where its answers go, and how many scans it is to be left out."""

    __slots__ = ("_failures", "_rest", "block", "freshness")

    def __init__(self, block: Block, freshness: Freshness) -> None:
        self.block = block
        self.freshness = freshness
        self._failures = 0
        self._rest = 0

    def take_turn(self) -> bool:
        """Return whether the block is asked for in the scan that begins now."""
        if self._rest:
            self._rest -= 1
            return False
        return True

    def answered(self) -> None:
        """Ask at every scan again."""
        self._failures = self._rest = 0

    def failed(self, kind: str, scan: float, longest: float = LONGEST_REST) -> None:
        """Leave the block out: no scan after its first failure, then one, three, seven, up to `longest` seconds."""
        if kind not in BUSY:
            self._rest = min(2 ** min(self._failures, 30) - 1, int(longest / scan))
            self._failures += 1
