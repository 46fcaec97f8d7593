"""A driver whose devices live in this process: for tests, and for trying a configuration without a plant.

Each URL `memory://NAME` is one MemoryPlant, shared by everyone who names it.
"""

from drivers.base import Driver
from drivers.memory.plant import Frame, MemoryPlant, plant
from drivers.memory.reader import MemoryConnection, MemoryReader
from drivers.memory.settings import MemoryDevice, MemoryPoint

__all__ = ["DRIVER", "Frame", "MemoryConnection", "MemoryDevice", "MemoryPlant", "MemoryPoint", "MemoryReader", "plant"]


def _check_writable(device: MemoryDevice, point: MemoryPoint) -> None:
    """Find nothing wrong: every cell can be written."""


DRIVER = Driver(
    device=MemoryDevice,
    point=MemoryPoint,
    endpoint=lambda device: str(device.url),
    connect=MemoryConnection,
    check_writable=_check_writable,
)
