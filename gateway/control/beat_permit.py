"""Leave for one beat of a deadman: it stands for as long as nothing speaks against beats, and is asked at the frame."""

from collections.abc import Callable

from gateway.clock import Clock
from gateway.safety.gate import Gate
from gateway.safety.operation import Write
from gateway.safety.permit import PermitRefused


class BeatPermit:
    """Implements `drivers.writing.WritePermit`; everything is looked at in the step that hands the frame over."""

    def __init__(
        self,
        write: Write,
        generation: int,
        gate: Gate,
        clock: Clock,
        why_not: Callable[[float], str],
        left: Callable[[], None],
    ) -> None:
        """Generation: of the connection for which the value was encoded.

        Why_not: what speaks against beats at that time, monotonic; empty for nothing. Left: told when the frame goes.
        """
        self._write = write
        self._generation = generation
        self._gate = gate
        self._clock = clock
        self._why_not = why_not
        self._left = left
        self._has_left = False

    def spend(self, device: str, tag: str, raw: object, generation: int) -> None:
        """Look, mint and spend, once. Raises PermitRefused; then nothing leaves."""
        if self._has_left:
            raise PermitRefused(f"{self._write.tag}: this beat has left already")
        now = self._clock.monotonic()
        why = self._why_not(now) or ("" if generation == self._generation else "device_down")
        if why:
            raise PermitRefused(f"{self._write.tag}: no beat while {why}")
        permit = self._gate.mint_beat(self._write, raw, generation, now)
        if permit is None:
            raise PermitRefused(f"{self._write.tag}: the gate knows no deadman of that tag")
        permit.spend(device, tag, raw, generation)
        self._has_left = True
        self._left()
