"""The permit: leave for exactly one frame, judged a moment ago, spent by one use. Pure.

Only the gate mints one. The drivers know it as `drivers.writing.WritePermit` and nothing else of safety.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.errors import GatewayError


class PermitRefused(GatewayError):
    """A frame was about to leave that nobody has permitted, or not any more."""


@dataclass(slots=True)
class Permit:
    """Leave to send one value to one tag on one connection."""

    device: str
    tag: str
    raw: object
    """As it is encoded for the wire."""
    generation: int
    """Of the device's connection on which it was judged."""
    epoch: int
    """Of the gate, when it was minted."""
    expires: float
    """Monotonic."""
    current: Callable[[], tuple[int, float]] = field(repr=False)
    """Returns the gate's epoch and the time of now."""
    _spent: bool = False

    def spend(self, device: str, tag: str, raw: object, generation: int) -> None:
        """Use it up, in the step that hands the frame to the transport. Raises PermitRefused."""
        epoch, now = self.current()
        spent, self._spent = self._spent, True
        if spent:
            raise PermitRefused(f"{self.device}.{self.tag}: this permit was spent already")
        same = (device, tag, generation) == (self.device, self.tag, self.generation)
        if not (same and type(raw) is type(self.raw) and raw == self.raw):
            raise PermitRefused(f"{device}.{tag}: the permit is for {self.device}.{self.tag} and another frame")
        if epoch != self.epoch:
            raise PermitRefused(f"{device}.{tag}: the plant was judged anew since it was permitted")
        if not now <= self.expires:
            raise PermitRefused(f"{device}.{tag}: it was permitted too long ago")
