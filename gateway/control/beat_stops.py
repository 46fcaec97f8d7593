"""When trips end the beats of a device: once its safe state has come, so that its PLC takes that still. Pure."""

from collections.abc import Callable, Collection, Mapping
from math import inf

from gateway.safety.gate import Gate
from gateway.safety.live import LiveConstraint

GRACE = 5.0
"""Seconds after a trip for which beats go on at most."""


class BeatStops:
    """Says of each device whether a trip speaks against its beats."""

    def __init__(self, gate: Gate, tags: Mapping[str, Collection[str]], is_coming: Callable[[str, str], bool]) -> None:
        """Tags: every `device.tag` of each device.

        Is_coming: whether the safe state that the trip of a constraint calls for on a device (their names) is not
        confirmed there yet.
        """
        self._gate = gate
        self._is_coming = is_coming
        self._concerning = {
            device: frozenset(live for live in gate.constraints if _concerns(live, own)) for device, own in tags.items()
        }
        # What is latched from before the start: beats have stopped for it long ago.
        self._since = {live: -inf for live in gate.constraints if live.latch.is_latched}
        """The trips in force, and when each was seen first, monotonic."""
        self._epoch = gate.epoch

    def reason(self, device: str, now: float, *, is_beating: bool) -> str:
        """Return what tripped, empty where the device may have its beats. What has stopped does not begin again."""
        self._look(now)
        if self._gate.orphans:
            return " ".join(sorted(self._gate.orphans))
        own, is_halted = self._concerning[device], bool(self._since) and self._gate.is_halted
        latched = [each for each in self._since if is_halted or each in own]
        if is_beating and any(self._is_awaited(live, device, now) for live in latched):
            return ""
        return " ".join(live.name for live in latched)

    def _look(self, now: float) -> None:
        if self._epoch != self._gate.epoch:  # which every trip and every reset advances
            self._epoch = self._gate.epoch
            latched = [live for live in self._gate.constraints if live.latch.is_latched]
            self._since = {live: self._since.get(live, now) for live in latched}

    def _is_awaited(self, live: LiveConstraint, device: str, now: float) -> bool:
        if not any(tag.partition(".")[0] == device for tag in live.constraint.on_trip):
            return False
        return now - self._since[live] <= GRACE and self._is_coming(live.name, device)


def _concerns(live: LiveConstraint, tags: Collection[str]) -> bool:
    return any(live.covers(tag) or tag in live.constraint.on_trip for tag in tags)
