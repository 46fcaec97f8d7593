"""The devices that share an endpoint with one, and what they bear with."""

from collections.abc import Sequence

from drivers.values import Seconds
from gateway.endpoints.demotion import probe_within
from gateway.endpoints.device import Device


class Neighbours:
    """The others behind one endpoint; none for a device alone."""

    def __init__(self, device: Device, devices: Sequence[Device]) -> None:
        """Devices: all behind the endpoint, this one among them."""
        self._others = tuple(other for other in devices if other is not device)
        self.probe: Seconds = probe_within([other.settings.scan for other in devices])
        """How long a probe may take, seconds."""

    def __bool__(self) -> bool:
        return bool(self._others)

    def longest_interval(self, device: Device) -> Seconds | None:
        """Return the cap on the interval between two probes, where it is a shorter one: nobody else needs the wire."""
        return None if any(other.state.connected for other in self._others) else device.settings.reconnect_max
