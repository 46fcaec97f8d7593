"""What only the gateway as a whole knows, and what forbids a write though no constraint does."""

from collections.abc import Callable, Sequence

from drivers.values import Quality
from gateway.clock import Clock
from gateway.control.authority import Authority
from gateway.control.devices_in_turn import DevicesInTurn
from gateway.control.guard import Guard
from gateway.control.priority import Slot
from gateway.control.refusal import Refused, refused_by
from gateway.control.target import Mode, Target, Targets, check_device
from gateway.control.trips import Trips
from gateway.control.wishes import Wishes
from gateway.control.world import PlantWorld
from gateway.endpoints.device import Device
from gateway.safety.gate import Gate
from gateway.safety.live import LiveConstraint
from gateway.safety.operation import Operation
from gateway.tags.image import ProcessImage
from gateway.tags.tag import SAME


class Denials:
    """Asked when a command is judged, and again in the step of each of its frames."""

    def __init__(
        self,
        gate: Gate,
        world: PlantWorld,
        trips: Trips,
        guard: Guard,
        targets: Targets,
        wishes: Wishes,
        authority: Authority,
        image: ProcessImage,
        clock: Clock,
    ) -> None:
        self._gate = gate
        self._world = world
        self._authority = authority
        self._trips = trips
        self._guard = guard
        self._targets = targets
        self._wishes = wishes
        self._image = image
        self._clock = clock

    def check(self, targets: Sequence[Target], principal: str) -> None:
        """Raise Refused for what forbids these targets to this principal."""
        is_safe = self._gate.is_always_allowed(target.write for target in targets)
        if self._trips.is_damaged and not is_safe:
            raise Refused("halted", "the trips on record are damaged, so nobody knows what is latched: reset all")
        if not self._guard.is_on_time:
            raise Refused("stale_input", "the safety evaluation is late, so nothing may be relied on")
        now = self._clock.monotonic()
        for target in targets:
            check_device(target.outlet.device)
            self._check_fingerprint(target.outlet.device, now)
            # Nobody's wish keeps an operator from the way to safety.
            if not (is_safe and self._authority.slot(principal) is Slot.OPERATOR):
                self._wishes.check(target.tag.path, principal, now)
            if not is_safe:
                self._check_seen(target)

    def _check_fingerprint(self, device: Device, now: float) -> None:
        """Refuse a device that has shown its fingerprint once, and cannot be asked for it any more."""
        for tag in device.tags:
            if tag.name in device.settings.fingerprint:
                sample = self._image.sample(tag, now)
                if sample.quality is not Quality.GOOD:
                    why = f"its fingerprint cannot be read ({tag.name}: {sample.reason})"
                    raise Refused("fingerprint_mismatch", f"{device.name}: {why}")

    def _check_seen(self, target: Target) -> None:
        """Refuse what is judged by the value before it, while the plant has not shown the last write yet."""
        tag = target.tag
        if tag.settings.readback == SAME or not self._gate.looks_back(tag.path):
            return  # a read-back is a sample
        if not self._world.last_write(tag.path) <= self._image.answered(tag):
            raise Refused("stale_input", f"{tag.path}: it was not read yet since its last write")

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
