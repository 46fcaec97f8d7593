"""The drum: water at its boiling point, in a thick steel vessel. Its pressure follows from its heat."""

from simulators.plant.controller import clamp
from simulators.plant.steam import AMBIENT, SATURATED_STEAM, WATER_HEAT, saturation_pressure, saturation_temperature

STEEL = 1_500.0
"""Heat capacity of the vessel, kJ/K."""
NOMINAL_WATER = 2_000.0
CAPACITY = 3_200.0
"""Most and least water that the drum is let hold, kg."""
DRY = 150.0
GAUGE = 300.0
"""The level gauge sees this much above and below its zero, mm."""

_PER_MILLIMETRE = 3.0
_LOSS = 0.5


class Drum:
    """State: kilograms of water, kilojoules of heat. All else is derived from the two."""

    def __init__(self, pressure: float) -> None:
        """Start at the nominal level, boiling under the given pressure."""
        self.water = NOMINAL_WATER
        self.heat = (NOMINAL_WATER * WATER_HEAT + STEEL) * saturation_temperature(pressure)

    @property
    def temperature(self) -> float:
        return self.heat / (self.water * WATER_HEAT + STEEL)

    @property
    def pressure(self) -> float:
        return saturation_pressure(self.temperature)

    @property
    def level(self) -> float:
        """What the gauge shows, mm about the normal water line."""
        return clamp((self.water - NOMINAL_WATER) / _PER_MILLIMETRE, -GAUGE, GAUGE)

    def most_steam(self, dt: float) -> float:
        """Return the steam that can leave within a step, kg/s; none from a drum that runs dry."""
        return max(self.water - DRY, 0.0) / max(dt, 1.0)

    def most_feed(self, dt: float) -> float:
        """Return the feed water that there is room for, kg/s."""
        return max(CAPACITY - self.water, 0.0) / max(dt, 1.0)

    def step(
        self, heating: float, feed: float, feed_enthalpy: float, steam: float, blowdown: float, dt: float
    ) -> float:
        """Take in heat and feed water, give steam and blowdown; return the energy lost otherwise than as steam, kW."""
        lost = blowdown * WATER_HEAT * self.temperature + _LOSS * (self.temperature - AMBIENT)
        self.heat += (heating + feed * feed_enthalpy - steam * SATURATED_STEAM - lost) * dt
        self.water += (feed - steam - blowdown) * dt
        return lost
