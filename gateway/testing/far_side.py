"""The far side of every stand-in: what its cells hold, and what is wrong with its wire."""

from collections.abc import Callable, Collection, Iterable, Mapping
from math import inf, nan

from drivers.memory import Frame, MemoryPlant, plant
from drivers.memory.plant import demolish
from drivers.values import Quality, Sample
from gateway.clock import Clock
from gateway.safety.constraint import Setting, is_same
from gateway.testing.case import Doubt, Ramp, Spoil
from gateway.testing.cell import Cell, Kind
from gateway.testing.plant_model import Values
from gateway.testing.sealed import ADDRESS

AHEAD = 3600.0
"""Seconds by which a sample from the future is ahead."""
UNIT = 1
"""Each stand-in is alone on its wire."""


class FarSide:
    """One plant in memory for each device; all of them new."""

    def __init__(
        self,
        cells: Mapping[str, Cell],
        devices: Iterable[str],
        clock: Clock,
        start: Values,
        expected: Collection[tuple[str, Setting]],
    ) -> None:
        """Start: what every tag is. Expected: what may be written to a tag that is driven."""
        self.frames: list[tuple[float, Frame]] = []
        """Every frame that reached a stand-in, and when, monotonic."""
        self.overwritten: dict[str, Setting] = {}
        """Tags that a case drives and that the gateway has set to something else, its own safe state aside."""
        self.tell: Callable[[], None] = lambda: None
        """Called when there is one more."""
        self._cells = cells
        self._clock = clock
        self._values: dict[str, Setting] = {}
        self._spoiled: set[str] = set()
        self._ramps: dict[str, Callable[[], Setting]] = {}
        self._plants: dict[str, MemoryPlant] = {}
        for device in devices:
            demolish(f"{ADDRESS}{device}")
            self._plants[device] = plant(f"{ADDRESS}{device}")
            self._plants[device].asked = self._listener(device)
        self._expected = frozenset(expected)
        self._driven: set[str] = set()
        self._set(start)

    def close(self) -> None:
        """Let nothing of it be left."""
        for device in self._plants:
            demolish(f"{ADDRESS}{device}")

    def holds(self, tag: str, value: Setting) -> bool:
        """Return whether a tag has a value at its device."""
        return is_same(value, self._plants[self._cells[tag].device].cells[tag].value)

    def drive(self, values: Values) -> None:
        """Give tags values, good ones."""
        self._driven.update(values)
        self._set(values)

    def ramp(self, ramp: Ramp) -> None:
        """Let a tag change at a steady rate from where it is; at either end it begins anew at the other."""
        began, at = self._clock.monotonic(), float(self._values[ramp.tag])
        cell, width = self._cells[ramp.tag], ramp.high - ramp.low

        def value() -> Setting:
            way = at - ramp.low + ramp.per_second * (self._clock.monotonic() - began)
            return _typed(cell, ramp.low + way % width)

        self._ramps[ramp.tag] = value

    def spoil(self, step: Spoil) -> None:
        """Make tags doubtful."""
        for path in step.tags:
            self._driven.add(path)
            if not self._spoil_wire(self._plants[self._cells[path].device], step):
                self._spoiled.add(path)
                self._spoil_cell(path, step)

    def mend(self) -> None:
        """Let every value be good, as it was driven last, and every wire whole."""
        for far in self._plants.values():
            far.latency, far.reachable = 0.0, True
            far.silent.clear()
        for path in self._spoiled:
            self._put(path, Sample(self._values[path]))
        self._spoiled.clear()

    def _set(self, values: Values) -> None:
        for path, value in values.items():
            self._ramps.pop(path, None)
            self._values[path] = _typed(self._cells[path], value)
            self._put(path, Sample(self._values[path]))

    def _spoil_wire(self, far: MemoryPlant, step: Spoil) -> bool:
        match step.doubt:
            case Doubt.STALE:
                far.latency = step.seconds
            case Doubt.SILENT:
                far.silent.add(UNIT)
            case Doubt.DISCONNECTED:
                far.cut()
            case _:
                return False
        return True

    def _spoil_cell(self, path: str, step: Spoil) -> None:
        value, kind = self._values[path], self._cells[path].kind
        spoiled = {
            Doubt.BAD: Sample(None, Quality.BAD, "sensor_failure"),
            Doubt.UNCERTAIN: Sample(value, Quality.UNCERTAIN, "last_usable_value"),
            Doubt.FUTURE: Sample(value, source_time=self._clock.wall() + AHEAD),
            Doubt.NAN: Sample(nan),
            Doubt.INFINITE: Sample(inf),
            Doubt.WRONG_TYPE: Sample(1.5 if kind is Kind.TEXT else "no number"),
        }
        if step.doubt is Doubt.MISSING:
            self._plants[self._cells[path].device].cells.pop(path, None)
        else:
            self._put(path, spoiled[step.doubt] if step.doubt in spoiled else Sample(step.outside[path]))

    def _put(self, path: str, sample: Sample) -> None:
        self._plants[self._cells[path].device].cells[path] = sample

    def _note(self, frame: Frame, *, is_taken: bool) -> None:
        """Note a frame that came, and what the device has because of it."""
        self.frames.append((self._clock.monotonic(), frame))
        value, path = frame.value, frame.address
        assert isinstance(value, (bool, int, float, str))
        if is_taken:
            if path in self._driven and not is_same(self._values[path], value) and (path, value) not in self._expected:
                self.overwritten[path] = value
            self._values[path] = value
            self._spoiled.discard(path)
        self.tell()

    def _listener(self, device: str) -> Callable[[int, str], None]:
        def asked(unit: int, what: str) -> None:
            if what == "write":
                self._note(self._plants[device].frames[-1], is_taken=unit not in self._plants[device].silent)
            for path, value in self._ramps.items():
                if self._cells[path].device == device:
                    self._values[path] = value()
                    self._put(path, Sample(self._values[path]))

        return asked


def _typed(cell: Cell, value: Setting) -> Setting:
    """Return a value as its device would say it: to a constraint 1, 1.0 and true are not the same."""
    if isinstance(value, (bool, str)):
        return value
    return round(value) if cell.kind is Kind.WHOLE else float(value)
