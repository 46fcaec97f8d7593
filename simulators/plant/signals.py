"""What can be seen of a boiler and of a turbine, in the units that their PLCs use."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from simulators.plant.boiler import Boiler
from simulators.plant.turbine import Turbine

Signal: TypeAlias = "bool | int | float | str"

_TONNES_PER_HOUR = 3.6
"""In one kg/s."""

BOILER: Mapping[str, Callable[[Boiler], Signal]] = {
    "steam_temperature": lambda boiler: boiler.superheater.temperature,
    "drum_pressure": lambda boiler: boiler.drum.pressure,
    "drum_temperature": lambda boiler: boiler.drum.temperature,
    "drum_level": lambda boiler: boiler.drum.level,
    "steam_flow": lambda boiler: boiler.steam_flow * _TONNES_PER_HOUR,
    "feed_water_flow": lambda boiler: boiler.feed_flow * _TONNES_PER_HOUR,
    "flue_gas_temperature": lambda boiler: boiler.furnace.flue_temperature,
    "o2": lambda boiler: boiler.furnace.o2,
    "nox": lambda boiler: boiler.furnace.nox,
    "fuel_flow": lambda boiler: boiler.furnace.fuel,
    "firing_rate": lambda boiler: boiler.furnace.firing_rate * 100.0,
    "efficiency": lambda boiler: boiler.efficiency,
    "bypass_valve": lambda boiler: boiler.bypass * 100.0,
    "flame": lambda boiler: boiler.flame,
    "locked_out": lambda boiler: boiler.locked_out,
    "feed_pump_running": lambda boiler: boiler.feed_pump_running,
}

TURBINE: Mapping[str, Callable[[Turbine], Signal]] = {
    "speed": lambda turbine: turbine.speed,
    "power": lambda turbine: turbine.power,
    "steam_flow": lambda turbine: turbine.flow * _TONNES_PER_HOUR,
    "inlet_pressure": lambda turbine: turbine.inlet_pressure,
    "inlet_temperature": lambda turbine: turbine.inlet_temperature,
    "valve_position": lambda turbine: turbine.valve * 100.0,
    "vibration": lambda turbine: turbine.vibration,
    "bearing_temperature": lambda turbine: turbine.bearing_temperature,
    "breaker": lambda turbine: turbine.breaker,
    "state": lambda turbine: turbine.state,
}
