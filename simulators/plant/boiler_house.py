"""The boiler house: the boiler feeds the turbine and a works that takes process steam."""

from collections.abc import Mapping
from dataclasses import fields
from math import ceil
from typing import TYPE_CHECKING

from simulators.plant.boiler import Boiler, BoilerInputs
from simulators.plant.controller import clamp
from simulators.plant.ledger import Ledger
from simulators.plant.signals import BOILER, TURBINE, Signal
from simulators.plant.steam import Steam
from simulators.plant.turbine import NOMINAL_SPEED, Turbine, TurbineInputs
from simulators.plant.wander import Wander

if TYPE_CHECKING:
    from random import Random

LONGEST_STEP = 0.1
"""Seconds; a longer step is taken in parts, so that the course hardly depends on the caller's steps."""

LIMITS: Mapping[str, tuple[float, float]] = {
    "boiler.temperature_setpoint": (100.0, 600.0),
    "boiler.pressure_setpoint": (5.0, 45.0),
    "turbine.load_setpoint": (0.2, 5.0),
}
"""What the PLCs accept for the inputs that are numbers; all others are switches."""


class BoilerHouse:
    """A plant: `step` it, look at its `signals`, `set` its inputs, all named `part.signal`."""

    def __init__(self, chance: "Random") -> None:
        """Start in steady running: 450 degC, 42 bar, 4 MW on the grid."""
        self.boiler = Boiler(BoilerInputs())
        self.turbine = Turbine(TurbineInputs())
        self.time = 0.0
        """Seconds of plant time."""
        self._scans = 0
        self._process = Wander(chance, mean=0.9, spread=0.12, period=15.0)
        self._feed_temperature = Wander(chance, mean=105.0, spread=1.0, period=25.0)
        self._grid = Wander(chance, mean=50.0, spread=0.02, period=10.0)
        self._owners = {
            f"{part}.{field.name}": inputs
            for part, inputs in (("boiler", self.boiler.inputs), ("turbine", self.turbine.inputs))
            for field in fields(inputs)
        }

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names that `set` takes."""
        return tuple(self._owners)

    @property
    def stored_energy(self) -> float:
        """Heat and motion in the house, kJ."""
        return self.boiler.stored_energy + self.turbine.energy

    @property
    def ledger(self) -> Ledger:
        """The books of boiler and turbine together; the steam between them counts on both sides."""
        return self.boiler.ledger.add(self.turbine.ledger)

    def signals(self) -> dict[str, Signal]:
        """Return everything that can be seen, without noise."""
        seen = {name: getattr(inputs, name.partition(".")[2]) for name, inputs in self._owners.items()}
        seen |= {f"boiler.{name}": see(self.boiler) for name, see in BOILER.items()}
        seen |= {f"turbine.{name}": see(self.turbine) for name, see in TURBINE.items()}
        seen["boiler.feed_water_temperature"] = self._feed_temperature.value
        seen["turbine.grid_frequency"] = self._grid.value
        seen["boiler.scan_counter"] = seen["turbine.scan_counter"] = self._scans
        return seen

    def set(self, name: str, value: Signal) -> None:
        """Move an input. Raises KeyError for an unknown name, ValueError for a value that it does not take."""
        owner, limits = self._owners[name], LIMITS.get(name)
        if limits is None:
            if not isinstance(value, bool):
                raise ValueError(f"{name} takes true or false, not {value!r}")
        elif isinstance(value, bool) or not isinstance(value, int | float) or not limits[0] <= value <= limits[1]:
            raise ValueError(f"{name} takes {limits[0]:g} to {limits[1]:g}, not {value!r}")
        else:
            value = float(value)
        setattr(owner, name.partition(".")[2], value)

    def step(self, dt: float) -> None:
        """Advance by `dt` seconds of plant time; nothing happens in no time."""
        self._scans = (self._scans + 1) % 65_536
        parts = ceil(dt / LONGEST_STEP - 1e-9)
        for _ in range(parts):
            self._advance(dt / parts)

    def _advance(self, dt: float) -> None:
        self.time += dt
        pressure = self.boiler.drum.pressure
        to_process = self._process.step(dt) * clamp(pressure / 10.0 - 0.5, 0.0, 1.0)
        to_turbine = self.turbine.demand(pressure)
        demand = to_process + to_turbine
        steam = self.boiler.step(demand, self._feed_temperature.step(dt), dt)
        share = to_turbine / demand if demand > 0 else 0.0
        led = Steam(steam.flow * share, steam.pressure, steam.temperature, steam.enthalpy)
        self.turbine.step(led, self._grid.step(dt) / 50.0 * NOMINAL_SPEED, dt)
