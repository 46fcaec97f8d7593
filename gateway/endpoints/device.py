"""A device as its endpoint sees it: what it is asked for, and whether it answers."""

import logging
from collections.abc import Callable, MutableMapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from drivers.values import DataType
from gateway.clock import Clock
from gateway.counters import DeviceCounters
from gateway.endpoints.demotion import Demotion, Standing
from gateway.endpoints.settings import DeviceSettings
from gateway.tags.tag import Tag

_log = logging.getLogger("plantgate.endpoints")

CONNECTING = "connecting"
"""The reason of a device of which nothing is known yet."""


@dataclass(frozen=True, slots=True)
class DeviceState:
    """Whether a device answers, since when, and why not."""

    device: str
    connected: bool
    reason: str
    """Why it does not answer, or why it is not believed though it does; empty where nothing speaks against it."""
    since: float
    """Wall clock, seconds since 1970 UTC."""
    demoted: bool = False
    """That it is only probed, for the sake of its neighbours."""


Change: TypeAlias = Literal[
    "", "device_connected", "device_lost", "device_demoted", "device_returned", "device_frozen", "device_thawed"
]
StateListener: TypeAlias = Callable[[DeviceState, Change], None]
"""Told the new state, and what happened in one word; empty where only a detail is another."""


class Device:
    """One device: its settings, tags and state. `tags` and `points` are in the same order."""

    def __init__(
        self,
        name: str,
        settings: DeviceSettings,
        driver_settings: Any,  # noqa: ANN401  (each driver has a class of its own)
        tags: Sequence[Tag],
        points: Sequence[Any],
        counters: DeviceCounters,
        clock: Clock,
        phase: float = 0.0,
    ) -> None:
        """Phase: where on its period the grid of its scans lies, seconds."""
        self.name = name
        self.settings = settings
        self.driver_settings = driver_settings
        self.tags = tuple(tags)
        self.points = tuple(points)
        self.counters = counters
        self.phase = phase
        self.data_types: tuple[DataType | None, ...] = (None,) * len(self.tags)
        """As the device told at the last connect, in the order of the tags."""
        self.learned: MutableMapping[str, Any] = {}
        """What its driver found out by being refused; as `Surroundings.learned`."""
        self.demotion = Demotion(settings.scan, settings.demote_after, settings.probe_max)
        self.heard = float("-inf")
        """When it answered last, monotonic."""
        self.slowest = 0.0
        """Seconds that its slower answers take; forgotten little by little."""
        self._clock = clock
        self._listeners: list[StateListener] = []
        self._shown: Any = {}
        self.state = DeviceState(name, connected=False, reason=CONNECTING, since=clock.wall())

    def listen(self, listener: StateListener) -> None:
        """Tell the listener of every later change of state."""
        self._listeners.append(listener)

    def spoke(self, asked: float) -> None:
        """Note that something came from the device itself, which was asked then, monotonic."""
        self.heard = now = self._clock.monotonic()
        self.slowest = max(now - asked, 0.99 * self.slowest)
        if self.demotion.misses:
            self.demotion.answered()

    def up(self, doubt: str = "") -> None:
        """Note that the device has answered. Doubt: why its samples are not believed all the same, one word."""
        if not self.state.connected or self.state.reason != doubt:
            self._enter(connected=True, reason=doubt)

    def down(self, reason: str, why: str) -> None:
        """Note that the device does not answer; `reason` is one word, `why` a line for the log."""
        demoted = self.demotion.standing is Standing.DEMOTED
        if self.state.connected or self.state.reason != reason or self.state.demoted != demoted:
            self._enter(connected=False, reason=reason, why=why)

    def show_learned(self) -> None:
        """Tell the listeners where the driver found something out since the last time."""
        if self.learned != self._shown:
            self._shown = deepcopy(self.learned)
            self._tell("")

    def _enter(self, *, connected: bool, reason: str, why: str = "") -> None:
        demoted = not connected and self.demotion.standing is Standing.DEMOTED
        before, self.state = self.state, DeviceState(self.name, connected, reason, self._clock.wall(), demoted)
        self.counters.connected, self.counters.demoted = connected, demoted
        change = _change(before, self.state)
        if connected and not reason:
            _log.info(change, extra={"device": self.name})
        else:
            _log.warning(change or "device_lost", extra={"device": self.name, "reason": reason, "why": why})
        self._tell(change)

    def _tell(self, change: Change) -> None:
        for listener in self._listeners:
            listener(self.state, change)


def _change(before: DeviceState, after: DeviceState) -> Change:
    """Return what happened; another reason for the same trouble is no event."""
    if after.connected and after.reason:
        return "device_frozen"
    if after.connected and before.connected:
        return "device_thawed"
    if after.connected:
        return "device_returned" if before.demoted else "device_connected"
    if after.demoted and not before.demoted:
        return "device_demoted"
    return "device_lost" if before.connected or before.reason == CONNECTING else ""
