"""A device as its endpoint sees it: what it is asked for, and whether it answers."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from drivers.values import DataType
from gateway.clock import Clock
from gateway.counters import DeviceCounters
from gateway.endpoints.settings import DeviceSettings
from gateway.tags.tag import Tag

_log = logging.getLogger("plantgate.endpoints")


@dataclass(frozen=True, slots=True)
class DeviceState:
    """Whether a device answers, since when, and why not."""

    device: str
    connected: bool
    reason: str
    """Empty where it is connected."""
    since: float
    """Wall clock, seconds since 1970 UTC."""


StateListener: TypeAlias = Callable[[DeviceState], None]


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
    ) -> None:
        self.name = name
        self.settings = settings
        self.driver_settings = driver_settings
        self.tags = tuple(tags)
        self.points = tuple(points)
        self.counters = counters
        self.data_types: tuple[DataType | None, ...] = (None,) * len(self.tags)
        """As the device told at the last connect, in the order of the tags."""
        self._clock = clock
        self._listeners: list[StateListener] = []
        self.state = DeviceState(name, connected=False, reason="connecting", since=clock.wall())

    def listen(self, listener: StateListener) -> None:
        """Tell the listener of every later change of state."""
        self._listeners.append(listener)

    def up(self) -> None:
        """Note that the device has answered."""
        if not self.state.connected:
            self.counters.connected = True
            self._enter(connected=True, reason="")
            _log.info("device_connected", extra={"device": self.name})

    def down(self, reason: str, why: str) -> None:
        """Note that the device does not answer; `reason` is one word, `why` a line for the log."""
        if self.state.connected or self.state.reason != reason:
            self.counters.connected = False
            self._enter(connected=False, reason=reason)
            _log.warning("device_lost", extra={"device": self.name, "reason": reason, "why": why})

    def _enter(self, *, connected: bool, reason: str) -> None:
        self.state = DeviceState(self.name, connected, reason, self._clock.wall())
        for listener in self._listeners:
            listener(self.state)
