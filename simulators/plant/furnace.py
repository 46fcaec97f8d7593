"""The furnace: two rows of gas burners. The lower row boils the water, the upper row superheats the steam."""

from dataclasses import dataclass

from simulators.plant.controller import clamp, lag, ramp
from simulators.plant.steam import AMBIENT

HEATING_VALUE = 47_000.0
"""Of natural gas, kJ/kg."""
BOILING_ROW = 20_000.0
"""Heat of the lower row with its valve wide open, kW."""
SUPERHEATING_ROW = 8_000.0
"""Heat of the upper row with its valve wide open, kW; in normal running it needs a third of that."""
NOMINAL_HEAT = 17_500.0
"""Heat at which the house makes 20 t/h at 450 degC, kW."""
MAXIMUM_HEAT = 24_000.0
"""What counts as 100 % firing, kW."""

_GAS_TEMPERATURE = 1_400.0
_STOICHIOMETRIC_AIR = 16.5
_FLUE_GAS_HEAT = 1.1
_VALVE_RATE = 0.1
_LOWEST_FIRE = 0.05


@dataclass(frozen=True, slots=True)
class Heat:
    """Where the heat of one step goes, kW; the parts sum to what the fuel released."""

    released: float
    drum: float
    superheater: float
    flue: float


class Furnace:
    """Valves, flame and flue gas."""

    def __init__(self, boiling: float, superheating: float) -> None:
        """Start with the valves of both rows at the given positions, 0 to 1."""
        self.boiling = boiling
        self.superheating = superheating
        self.air_ratio = 1.17
        self.flue_temperature = 190.0
        self.o2 = 3.0
        self.nox = 115.0

    @property
    def fuel(self) -> float:
        """Gas burnt, kg/s."""
        return self._released / HEATING_VALUE

    @property
    def firing_rate(self) -> float:
        """Share of the maximum continuous firing, 0 to 1 and above."""
        return self._released / MAXIMUM_HEAT

    @property
    def _released(self) -> float:
        return self.boiling * BOILING_ROW + self.superheating * SUPERHEATING_ROW

    def shut(self) -> None:
        """Close the safety shut-off valves: no gas from this moment."""
        self.boiling = self.superheating = 0.0

    def move(self, boiling: float, superheating: float, dt: float) -> None:
        """Move both valves towards the positions asked for, as fast as they can."""
        most = _VALVE_RATE * dt
        self.boiling = ramp(self.boiling, clamp(boiling, _LOWEST_FIRE, 1.0), most)
        self.superheating = ramp(self.superheating, clamp(superheating, 0.0, 1.0), most)

    def burn(self, tubes: float, dt: float) -> Heat:
        """Return where the heat goes; `tubes` is the superheater's temperature, degC."""
        lower = self.boiling * BOILING_ROW
        upper = self.superheating * SUPERHEATING_ROW
        load = self._released / NOMINAL_HEAT
        absorbed = 0.945 - 0.025 * load
        # The hotter the tubes, the less they take from the gas; the rest leaves through the stack.
        uptake = clamp((_GAS_TEMPERATURE - tubes) / (_GAS_TEMPERATURE - 450.0), 0.0, 1.0)
        superheater = absorbed * uptake * (0.08 * lower + 0.85 * upper)
        drum = absorbed * (0.92 * lower + 0.15 * upper)
        flue = self._released - superheater - drum
        self._flue_gas(load, flue, dt)
        return Heat(self._released, drum, superheater, flue)

    def _flue_gas(self, load: float, flue: float, dt: float) -> None:
        if self.fuel <= 0:
            self.flue_temperature = lag(self.flue_temperature, AMBIENT + 40.0, dt, 120.0)
            self.o2 = lag(self.o2, 20.9, dt, 8.0)
            self.nox = lag(self.nox, 0.0, dt, 8.0)
            return
        self.air_ratio = 1.14 + 0.12 * clamp(1.25 - load, 0.0, 1.0)
        gas = self.fuel * (1.0 + _STOICHIOMETRIC_AIR * self.air_ratio)
        self.flue_temperature = lag(self.flue_temperature, AMBIENT + flue / (gas * _FLUE_GAS_HEAT), dt, 10.0)
        self.o2 = lag(self.o2, 20.9 * (self.air_ratio - 1.0) / self.air_ratio, dt, 4.0)
        self.nox = lag(self.nox, 75.0 + 35.0 * load + 90.0 * self.superheating**2, dt, 6.0)
