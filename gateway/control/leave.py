"""Leave to write, decided in the step that hands the frame to the transport: nothing lies between the two.

A driver gets a leave, not a permit: when it asks to spend it, everything is looked at once more on the plant as it is
then, the gate mints the permit for exactly this frame, and it is spent. Whatever speaks against it is raised, and no
byte leaves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.audit.record import Saw
from gateway.clock import Clock
from gateway.control.refusal import Refused, refused_by
from gateway.safety.decision import Decision
from gateway.safety.gate import Gate
from gateway.safety.operation import Operation, Write
from gateway.safety.permit import PermitRefused


@dataclass(frozen=True, slots=True)
class Bounds:
    """What was true when the command was judged, and has to be true still."""

    epoch: int
    """The gate's."""
    generation: int
    """Of the device's connection."""
    deadline: float
    """Monotonic."""


class Leave:
    """Implements `drivers.writing.WritePermit` for one frame of a command."""

    def __init__(
        self,
        gate: Gate,
        clock: Clock,
        operation: Operation,
        write: Write,
        bounds: Bounds,
        encode: Callable[[], Any],
        check: Callable[[float], None],
        see: Callable[[], Mapping[str, Saw]],
        left: Callable[[float], None],
    ) -> None:
        """Encode: returns the write as it goes over the wire by what is known of the device now; raises Refused.

        Check: raises Refused for what only the arbiter knows. See: what the gate sees. Left: told the time.
        """
        self._gate = gate
        self._clock = clock
        self._operation = operation
        self._write = write
        self._bounds = bounds
        self._encode = encode
        self._check = check
        self._see = see
        self._left = left
        self._asked = False
        self.sent: float | None = None
        """When the frame left, monotonic; None while it has not."""
        self.raw: Any = None
        self.saw: Mapping[str, Saw] = {}
        self.took = 0.0
        """Seconds that the decision took."""

    def spend(self, device: str, tag: str, raw: object, generation: int) -> None:
        """Judge, mint and spend, once. Raises Refused; PermitRefused where the frame is another than was asked for."""
        asked, self._asked = self._asked, True
        if asked:
            raise PermitRefused(f"{self._write.tag}: this leave was asked for already")
        now = self._clock.monotonic()
        self._check_bounds(generation, now)
        self._check(now)
        # What was judged is the write, so the permit is for that, and not for whatever the driver brings.
        permit = self._gate.mint(self._operation, self._write, self._encode(), generation, now)
        if isinstance(permit, Decision):
            raise refused_by(permit)
        permit.spend(device, tag, raw, generation)
        self.sent, self.raw, self.saw = now, raw, self._see()
        self.took = self._clock.monotonic() - now
        self._left(now)

    def _check_bounds(self, generation: int, now: float) -> None:
        bounds, tag = self._bounds, self._write.tag
        if generation != bounds.generation:
            raise Refused("device_down", f"{tag}: the device was connected anew since this was judged; send it again")
        if not now <= bounds.deadline:
            raise Refused("expired", f"{tag}: it waited for too long; send it again")
        if self._gate.epoch != bounds.epoch:
            decision = self._gate.judge(self._operation, now)
            if not decision.is_permitted:
                raise refused_by(decision)
            raise Refused("cancelled", f"{tag}: a trip, a reset or a bypass came meanwhile; send it again")
