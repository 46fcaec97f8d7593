"""What only the gateway as a whole knows, and what forbids a write though no constraint does."""

from collections.abc import Callable, Sequence

from gateway.clock import Clock
from gateway.control.devices_in_turn import DevicesInTurn
from gateway.control.guard import Guard
from gateway.control.refusal import Refused, refused_by
from gateway.control.target import Mode, Target, Targets, check_device
from gateway.control.trips import Trips
from gateway.control.wishes import Wishes
from gateway.endpoints.device import Device
from gateway.safety.gate import Gate
from gateway.safety.live import LiveConstraint
from gateway.safety.operation import Operation


class Denials:
    """Asked when a command is judged, and again in the step of each of its frames."""

    def __init__(self, trips: Trips, guard: Guard, targets: Targets, wishes: Wishes, clock: Clock) -> None:
        self._trips = trips
        self._guard = guard
        self._targets = targets
        self._wishes = wishes
        self._clock = clock

    def check(self, targets: Sequence[Target], principal: str) -> None:
        """Raise Refused for what forbids these targets to this principal."""
        if self._trips.is_damaged:
            raise Refused("halted", "the trips on record are damaged, so nobody knows what is latched: reset all")
        if not self._guard.is_on_time:
            raise Refused("stale_input", "the safety evaluation is late, so nothing may be relied on")
        for target in targets:
            check_device(target.outlet.device)
            self._wishes.check(target.tag.path, principal, self._clock.monotonic())

    def beat_mode(self, device: Device) -> Mode:
        """Return how far a device may be controlled by beats."""
        return "off" if self._trips.is_damaged else self._targets.mode(device)


def halting(gate: Gate, turns: DevicesInTurn) -> Callable[[Sequence[LiveConstraint], float], None]:
    """Return what ends the commands that wait, as far as a trip forbids them; running ones end at their next frame."""

    def halt(_: Sequence[LiveConstraint], now: float) -> None:
        def why(operation: Operation) -> Refused | None:
            decision = gate.judge(operation, now)
            return refused_by(decision) if any(each.code == "halted" for each in decision.refusals) else None

        turns.refuse(why)

    return halt
