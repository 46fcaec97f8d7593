"""Water and steam in five lines of arithmetic: right to a few per cent between 1 and 60 bar.

Units throughout the plant: kg, s, kJ, kW, degC, bar absolute. Enthalpies count from water at 0 degC.
"""

from dataclasses import dataclass

KELVIN = 273.15
AMBIENT = 25.0
WATER_HEAT = 4.3
"""Specific heat of water, kJ/(kg K); the mean between 100 and 260 degC."""
STEAM_HEAT = 2.65
"""Specific heat of superheated steam near 40 bar, kJ/(kg K)."""
SATURATED_STEAM = 2800.0
"""Enthalpy of saturated steam, kJ/kg; it is nearly flat between 10 and 50 bar."""


def saturation_temperature(pressure: float) -> float:
    """Return the boiling point at a pressure; the fourth-root rule, within 3 K up to 60 bar."""
    return float(100.0 * pressure**0.25)


def saturation_pressure(temperature: float) -> float:
    """Return the pressure under which water boils at a temperature above 0 degC."""
    return float((temperature / 100.0) ** 4)


def steam_enthalpy(temperature: float, pressure: float) -> float:
    """Return the enthalpy of superheated steam, kJ/kg."""
    return SATURATED_STEAM + STEAM_HEAT * (temperature - saturation_temperature(pressure))


@dataclass(frozen=True, slots=True)
class Steam:
    """Steam on its way through a pipe."""

    flow: float
    """kg/s"""
    pressure: float
    temperature: float
    enthalpy: float
    """kJ/kg; carried along, so that a pressure drop costs no energy."""
