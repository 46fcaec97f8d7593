"""How the points of a device are read: which are polled, and which share a subscription. Pure."""

from collections.abc import Mapping, Sequence
from math import ceil, isfinite

from drivers.base import Block, Care
from drivers.opcua.data_types import Expected, Shape
from drivers.opcua.settings import OpcUaDevice, OpcUaPoint
from drivers.values import DataType, Seconds

LONGEST_INTERVAL = 2.0
"""Seconds between two publish responses at most, so that a lost subscription shows soon; slower is the sampling."""
DEEPEST = 100
"""Values that the server is asked to keep of one point, where every change counts."""

_FASTEST = 0.01
_NUMBERS = frozenset(DataType) - {
    DataType.BOOL, DataType.STRING, DataType.BYTES, DataType.DATETIME, DataType.STRUCTURE,
}  # fmt: skip


class ReadPlan:
    """The intervals and blocks of one device's points, by place."""

    def __init__(self, device: OpcUaDevice, points: Sequence[OpcUaPoint]) -> None:
        self._device = device
        self._points = points
        self._server = device.server

    def is_polled(self, place: int) -> bool:
        """Return whether the point is asked for at every scan."""
        return (self._points[place].mode or self._device.mode) == "poll"

    def polled(self, portion: int) -> list[Block]:
        """Put the polled points into blocks of one Read each."""
        places = [place for place in range(len(self._points)) if self.is_polled(place)]
        return [
            Block(tuple(places[first : first + portion]), f"reading {len(places[first : first + portion])} nodes")
            for first in range(0, len(places), portion)
        ]

    def subscribed(self) -> dict[Block, Seconds]:
        """Put the points that share a publishing interval into one block; where that makes too many, the slow join."""
        places: dict[Seconds, list[int]] = {}
        for place in range(len(self._points)):
            if not self.is_polled(place):
                places.setdefault(self._publishing(place), []).append(place)
        kept = sorted(places)[: self._server.subscriptions]
        for interval in sorted(places)[self._server.subscriptions :]:
            places[kept[-1]] = sorted(places[kept[-1]] + places.pop(interval))
        return {
            Block(points=tuple(points), label=f"publishing every {interval:g} s"): interval
            for interval, points in places.items()
        }

    def sampling(self, place: int) -> Seconds:
        """Return how often the server is asked to look at the value."""
        sampling = self._points[place].sampling
        return max(self._interval(place) if sampling is None else sampling, self._server.sampling)

    def queue(self, place: int, interval: Seconds, care: Care) -> int:
        """Return how many values between two publish responses are kept: all, where each counts, else the newest."""
        sampling = max(self.sampling(place), _FASTEST)
        return min(ceil(interval / sampling), DEEPEST) if care.judged and sampling < interval else 1

    def deadband(self, care: Care, data_type: DataType | None, expected: Expected) -> float:
        """Return the change below which the server may keep silent; 0 where something is judged by it."""
        fits = data_type in _NUMBERS and expected.shape is Shape.SCALAR and self._server.deadband
        return care.deadband if fits and not care.judged and care.deadband > 0 and isfinite(care.deadband) else 0.0

    def _publishing(self, place: int) -> Seconds:
        return Seconds(max(min(self._interval(place), LONGEST_INTERVAL), self._server.publishing))

    def _interval(self, place: int) -> Seconds:
        interval, scan = self._points[place].interval, self._device.scan
        return scan if interval is None else min(interval, scan)


def unproved(cares: Mapping[int, Care], plan: ReadPlan) -> list[int]:
    """Return the points that decisions rest on and whose subscription would have to be believed unread."""
    return [place for place, care in cares.items() if care.judged and not plan.is_polled(place)]
