"""The keys of a device in memory and of its tags."""

from dataclasses import dataclass

from drivers.values import Seconds


@dataclass(frozen=True, slots=True)
class MemoryDevice:
    """A device in memory."""

    url: str = "memory://plant"
    unit: int = 1
    """Units at one URL share its wire and its cells; each can fall silent by itself."""

    def __post_init__(self) -> None:
        if not self.url.startswith("memory://"):
            raise ValueError(f"url: {self.url!r} does not start with memory://")


@dataclass(frozen=True, slots=True)
class MemoryPoint:
    """A cell of the device, by any name."""

    address: str
    start: bool | int | float | str | None = None
    """The value it has when nobody has set one; without it the cell is unknown to the device."""
    push: bool = False
    """Reported by the device at every change, instead of polled."""


TIMEOUT = Seconds(1.0)
"""How long a silent unit is waited for, where nobody is less patient."""
FOREVER = Seconds(float("inf"))
