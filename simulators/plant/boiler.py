"""A water-tube steam boiler of 20 t/h at 42 bar and 450 degC, with the controls that its PLC gives it.

The PLC keeps the boiler whole by itself: it puts the flame out at low water and at high pressure. It does
not limit the steam temperature, so that a gateway's constraint has something to do.
"""

from dataclasses import dataclass

from simulators.plant.controller import OnDelay, PiController, clamp, lag
from simulators.plant.drum import Drum
from simulators.plant.furnace import Furnace, Heat
from simulators.plant.ledger import Ledger
from simulators.plant.steam import WATER_HEAT, Steam
from simulators.plant.superheater import Superheater

NOMINAL_STEAM = 5.5
"""kg/s"""

_PUMP_MOST = 9.0
_BLOWDOWN = 0.05
_LOW_WATER, _ENOUGH_WATER = -250.0, -100.0
_HIGH_PRESSURE, _CALM_PRESSURE = 52.0, 46.0
_UPPER_ROW_LIMIT = 0.5


@dataclass(slots=True)
class BoilerInputs:
    """What its operators, and whoever plays with the plant, can move."""

    burner_enable: bool = True
    feed_pump_enable: bool = True
    temperature_setpoint: float = 450.0
    pressure_setpoint: float = 42.0
    overfire: bool = False
    """The upper row's gas valve sticks wide open; only `burner_enable` off stops the gas."""
    feed_pump_failed: bool = False


class Boiler:
    """Furnace, drum and superheater under their controllers."""

    def __init__(self, inputs: BoilerInputs) -> None:
        """Start in steady running at the inputs' setpoints."""
        self.inputs = inputs
        self.furnace = Furnace(boiling=0.76, superheating=0.28)
        self.drum = Drum(inputs.pressure_setpoint)
        self.superheater = Superheater(inputs.temperature_setpoint)
        self.ledger = Ledger()
        self.flame = True
        self.locked_out = False
        self.feed_flow = NOMINAL_STEAM
        self.steam_flow = NOMINAL_STEAM
        """All that passes the superheater, kg/s: to the consumers and through the bypass."""
        self.bypass = 0.0
        """How far the bypass to the condenser is open, 0 to 1."""
        self.efficiency = 92.0
        self._pump_speed = 1.0
        self._purge = OnDelay(3.0, elapsed=3.0)
        self._pressure = PiController(gain=0.08, reset_time=60.0, low=0.0, high=1.0)
        self._temperature = PiController(gain=0.004, reset_time=28.0, low=0.0, high=_UPPER_ROW_LIMIT)
        self._level = PiController(gain=0.01, reset_time=120.0, low=0.0, high=_PUMP_MOST)

    @property
    def stored_energy(self) -> float:
        """Heat in water and steel, kJ."""
        return self.drum.heat + self.superheater.heat

    @property
    def feed_pump_running(self) -> bool:
        return self._pump_speed > 0.5

    def step(self, demand: float, feed_temperature: float, dt: float) -> Steam:
        """Advance by `dt`; return the steam that the consumers got of their demand, kg/s."""
        self._feed(dt)
        self._fire(dt)
        heat = self.furnace.burn(self.superheater.temperature, dt)
        self._relieve()
        relief = self.bypass * 6.0 + max(self.drum.pressure - 48.0, 0.0) * 12.0
        wanted = demand + relief
        self.steam_flow = min(wanted, self.drum.most_steam(dt))
        steam = self.superheater.step(heat.superheater, self.steam_flow, self.drum.pressure, dt)
        self._exchange(heat, feed_temperature * WATER_HEAT, steam, dt)
        delivered = demand * self.steam_flow / wanted if wanted > 0 else 0.0
        return Steam(delivered, steam.pressure, steam.temperature, steam.enthalpy)

    def _feed(self, dt: float) -> None:
        on = self.inputs.feed_pump_enable and not self.inputs.feed_pump_failed
        self._pump_speed = lag(self._pump_speed, 1.0 if on else 0.0, dt, 2.0)
        most = min(_PUMP_MOST * self._pump_speed, self.drum.most_feed(dt)) if self.feed_pump_running else 0.0
        self._level.high = most
        self.feed_flow = self._level.step(-self.drum.level, dt, feed_forward=self.steam_flow)

    def _fire(self, dt: float) -> None:
        level, pressure = self.drum.level, self.drum.pressure
        if self.locked_out:
            self.locked_out = not (level > _ENOUGH_WATER and pressure < _CALM_PRESSURE)
        else:
            self.locked_out = not (level > _LOW_WATER and pressure < _HIGH_PRESSURE)
        self.flame = self._purge.step(self.inputs.burner_enable and not self.locked_out, dt)
        if not self.flame:
            self.furnace.shut()
            self._pressure.integral = self._temperature.integral = 0.0
            return
        load = self.steam_flow / NOMINAL_STEAM
        lower = self._pressure.step(self.inputs.pressure_setpoint - pressure, dt, feed_forward=0.76 * load)
        error = self.inputs.temperature_setpoint - self.superheater.temperature
        upper = self._temperature.step(error, dt, feed_forward=0.28 * load)
        # Tubes without steam in them burn through, so the upper row follows the flow.
        upper = min(upper, _UPPER_ROW_LIMIT * clamp(2.0 * load, 0.0, 1.0))
        self.furnace.move(lower, 1.0 if self.inputs.overfire else upper, dt)

    def _relieve(self) -> None:
        self.bypass = clamp((self.drum.pressure - 43.5) / 2.0, 0.0, 1.0)

    def _exchange(self, heat: Heat, feed_enthalpy: float, steam: Steam, dt: float) -> None:
        blowdown = min(_BLOWDOWN, self.drum.most_steam(dt) - self.steam_flow)
        lost = self.drum.step(heat.drum, self.feed_flow, feed_enthalpy, self.steam_flow, blowdown, dt)
        taken = self.feed_flow * feed_enthalpy
        given = self.steam_flow * steam.enthalpy
        self.ledger.energy_in += (heat.released + taken) * dt
        self.ledger.energy_out += (given + lost + heat.flue) * dt
        self.ledger.water_in += self.feed_flow * dt
        self.ledger.water_out += (self.steam_flow + blowdown) * dt
        used = 1.0 - heat.flue / heat.released if heat.released > 0 else 0.0
        self.efficiency = lag(self.efficiency, 100.0 * used, dt, 20.0)
