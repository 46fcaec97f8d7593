"""The instruments of one simulated device: what its points show of the plant, with noise and faults."""

from collections.abc import Mapping, Sequence
from random import Random

from simulators.faults import Fault, Reading, fits, spoil
from simulators.spec import Plant, PointSpec, Signal


class Instruments:
    """Reads the plant into points, and carries what is written to points back to the plant."""

    def __init__(self, device: str, points: Sequence[PointSpec], plant: Plant, chance: Random) -> None:
        """Take the first readings, so that there is always something to show."""
        self.device = device
        self.frozen = False
        """True while the device's program stands still: nothing that it shows changes."""
        self._plant = plant
        self._chance = chance
        self._points = {point.name: point for point in points}
        self._faults: dict[str, Fault] = {}
        self._readings: dict[str, Reading] = {}
        self.scan()

    @property
    def readings(self) -> Mapping[str, Reading]:
        """What every point shows, by the point's name."""
        return self._readings

    @property
    def faults(self) -> Mapping[str, Fault]:
        """What is wrong at the moment, by the point's name."""
        return self._faults

    def scan(self) -> None:
        """Look at the plant once, as a PLC does at the start of its cycle."""
        if self.frozen:
            return
        signals = self._plant.signals()
        for point in self._points.values():
            self._readings[point.name] = self._measure(point, signals[point.signal])

    def write(self, name: str, value: Signal) -> None:
        """Move the plant's input behind a writable point. Raises ValueError for a value that it does not take.

        A device that stands still takes the value and does nothing with it.
        """
        if self.frozen:
            return
        point = self._points[name]
        self._plant.set(point.signal, value)
        self._readings[name] = self._measure(point, self._plant.signals()[point.signal])

    def inject(self, name: str, fault: Fault) -> None:
        """Let a point fail. Raises KeyError for an unknown point, ValueError where it cannot fail this way."""
        point = self._points[name]
        value = self._plant.signals()[point.signal]
        if not fits(fault, value):
            raise ValueError(f"{self.device}.{name} shows {value!r}: it cannot fail as {fault.kind.value}")
        self._faults[name] = fault
        if not self.frozen:
            self._readings[name] = self._measure(point, value)

    def clear(self, name: str) -> None:
        """Repair a point; nothing happens to one that is sound. Raises KeyError for an unknown point."""
        if name not in self._points:
            raise KeyError(name)
        self._faults.pop(name, None)

    def _measure(self, point: PointSpec, value: Signal) -> Reading:
        if point.noise and isinstance(value, float):
            value += self._chance.gauss(0.0, point.noise)
        if point.span is not None and not isinstance(value, str):
            value = type(value)(min(max(value, point.span[0]), point.span[1]))
        fault = self._faults.get(point.name)
        return Reading(value) if fault is None else spoil(fault, value, self._readings[point.name])
