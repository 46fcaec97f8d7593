"""The write half of a driver. Whoever holds no permit of the gate can do nothing with it.

Only `gateway.control`, `gateway.app` and drivers import this file; a reader never needs it.
"""

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from drivers.errors import DeviceFault
from drivers.values import Sample, Value

Raw: TypeAlias = Any
"""A value as it goes over the wire: words, a bit, a variant. Compared by equality and type."""


class WritePermit(Protocol):
    """Leave to send exactly one frame."""

    def spend(self, device: str, tag: str, raw: Raw, generation: int) -> None:
        """Use it up, in the step that hands the frame to the transport. Raises where it is not for this frame."""


class NotSent(DeviceFault):
    """No byte of the write has left, and none will."""


class Unanswered(DeviceFault):
    """The frame has left and no valid answer came: whether it took effect only a reading can tell."""


class Writer(Protocol):
    """The write half of one device on one open connection. It never repeats a frame."""

    @property
    def generation(self) -> int:
        """Of the connection; another one after every reconnect."""

    def encode(self, point: int, value: Value) -> Raw:
        """Return the value as it would go over the wire, in the device's own units.

        Raises ValueError, one line, where the point cannot hold it: wrong type, out of reach, not finite.
        """

    def decode(self, point: int, raw: Raw) -> Sample:
        """Return what a device that took it would read back."""

    async def write(self, point: int, tag: str, raw: Raw, permit: WritePermit) -> None:
        """Spend the permit and send one frame, in one step without `await` between them.

        Raises NotSent, Unanswered, or DeviceFault where the device answered that it did not take it. The
        caller never cancels it; the driver's own timeout ends it.
        """

    async def read_back(self, points: Sequence[int]) -> Sequence[tuple[int, Sample]]:
        """Ask the device itself, not a cache, for these points as they are now. Raises DeviceFault."""
