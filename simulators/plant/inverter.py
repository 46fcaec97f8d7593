"""A photovoltaic inverter of 10 kW on three phases: sun in, power out, and why there is none."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from simulators.plant.controller import clamp, lag
from simulators.plant.signals import Signal
from simulators.plant.wander import Wander

if TYPE_CHECKING:
    from random import Random

RATED = 10_000.0
"""W"""
EFFICIENCY = 0.975
SLEEPING, TRACKING, FAULT = 2, 4, 7
"""Operating states of SunSpec's model 103."""
GRID_DISCONNECT = 1 << 4
"""The bit of its events that says why."""

_HOUR = 3_600.0
_DAWN = 0.01
"""Below this share of full sun there is nothing worth converting."""
_PAIRS = ("ab", "bc", "ca")


class Inverter:
    """Voltages in V, currents in A, powers in W, VA and var, energy in Wh, temperatures in degC."""

    def __init__(self, chance: "Random") -> None:
        """Begin on a bright day."""
        self.grid_lost = False
        self.energy = 18_442_500.0
        self._sun = Wander(chance, 0.7, 0.12, 30.0)
        self._grid = {phase: Wander(chance, 231.0, 1.0, 10.0) for phase in "abc"}
        self._frequency = Wander(chance, 50.0, 0.01, 5.0)
        self._warmth = 20.0
        """How much warmer the heat sink is than the air, K."""

    def step(self, dt: float) -> None:
        """Advance by so many seconds."""
        for wander in (self._sun, self._frequency, *self._grid.values()):
            wander.step(dt)
        power = self._power
        self.energy += power * dt / _HOUR
        self._warmth = lag(self._warmth, 35.0 * power / RATED, dt, 300.0)

    def set(self, name: str, value: Signal) -> None:
        """Cut the inverter off the grid, or join them. Raises KeyError for any other name."""
        if name != "grid_lost":
            raise KeyError(name)
        self.grid_lost = bool(value)

    def signals(self) -> Mapping[str, Signal]:
        """Return everything that the inverter can show, by name."""
        return {**self._alternating(), **self._direct(), **self._condition(), "energy": self.energy}

    @property
    def _power(self) -> float:
        sun = clamp(self._sun.value, 0.0, 1.0)
        return 0.0 if self.grid_lost or sun < _DAWN else RATED * sun * EFFICIENCY

    def _alternating(self) -> dict[str, Signal]:
        power, voltages = self._power, {phase: wander.value for phase, wander in self._grid.items()}
        mean = sum(voltages.values()) / 3
        return {
            **{f"voltage_{phase}n": value for phase, value in voltages.items()},
            **{f"voltage_{pair}": 3**0.5 * (voltages[pair[0]] + voltages[pair[1]]) / 2 for pair in _PAIRS},
            **{f"current_{phase}": power / 3 / mean for phase in voltages},
            "current": power / mean,
            "active_power": power,
            "apparent_power": power / 0.99,
            "reactive_power": -power * 0.1425,
            "power_factor": 99.0,
            "frequency": self._frequency.value,
        }

    def _direct(self) -> dict[str, Signal]:
        power = self._power / EFFICIENCY
        voltage = 640.0 - 40.0 * power / RATED
        return {"dc_power": power, "dc_voltage": voltage, "dc_current": power / voltage}

    def _condition(self) -> dict[str, Signal]:
        state = FAULT if self.grid_lost else TRACKING if self._power else SLEEPING
        return {
            "state": state,
            "events": GRID_DISCONNECT if self.grid_lost else 0,
            "temperature_cabinet": 25.0 + 0.6 * self._warmth,
            "temperature_heat_sink": 25.0 + self._warmth,
        }
