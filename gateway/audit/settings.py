"""The `audit` section of the configuration."""

import re
from dataclasses import dataclass

from gateway.storage.port import MIB, Limits

_SIZE = re.compile(r"([0-9]+)(MiB|GiB)", re.ASCII)
_UNITS = {"MiB": MIB, "GiB": 1024 * MIB}
LEAST = 16 * MIB
MOST = 1024 * 1024 * MIB
SEGMENTS = 4
"""At least so many segments are kept, so that dropping one leaves most of the log."""


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """How much of the audit log is kept, and how often its head is told to others."""

    max_size: str = "1GiB"
    """Beyond this the oldest sealed segments are dropped; `512MiB`, `4GiB`."""
    head_every: int = 100
    """Records after which the head of the chain is logged and published, so that a cut-off tail shows."""

    def __post_init__(self) -> None:
        if not LEAST <= self.max_bytes <= MOST:
            raise ValueError(f"max_size: {self.max_size} is not within 16MiB and 1024GiB")
        if not 1 <= self.head_every <= 1_000_000:
            raise ValueError(f"head_every: {self.head_every} is not within 1 and 1000000")

    @property
    def max_bytes(self) -> int:
        """The most that is kept, in bytes. Raises ValueError for a size that is none."""
        found = _SIZE.fullmatch(self.max_size)
        if found is None or len(found[1]) > 9:
            raise ValueError(f"max_size: {self.max_size!r} is no size; write it as 512MiB or 4GiB")
        return int(found[1]) * _UNITS[found[2]]

    @property
    def limits(self) -> Limits:
        """The journal's limits that follow from it."""
        most = self.max_bytes
        return Limits(size=most, segment=min(Limits().segment, most // SEGMENTS))
