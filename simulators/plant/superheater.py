"""The superheater: hot tubes that steam flows through. Steam leaves at the temperature of the tubes."""

from simulators.plant.steam import SATURATED_STEAM, Steam, steam_enthalpy

TUBES = 600.0
"""Heat capacity of the tubes, kJ/K."""


class Superheater:
    """State: kilojoules of heat in the tubes."""

    def __init__(self, temperature: float) -> None:
        self.heat = TUBES * temperature

    @property
    def temperature(self) -> float:
        return self.heat / TUBES

    def step(self, heating: float, flow: float, pressure: float, dt: float) -> Steam:
        """Pass saturated steam through and return it superheated."""
        steam = Steam(flow, pressure, self.temperature, steam_enthalpy(self.temperature, pressure))
        self.heat += (heating + flow * (SATURATED_STEAM - steam.enthalpy)) * dt
        return steam
