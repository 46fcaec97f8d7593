"""A condensing steam turbine of 5 MW with its generator on the grid.

State is the rotor's kinetic energy. On the grid the generator takes whatever the steam gives; off the grid
the governor holds the speed. The turbine's own overspeed bolt trips it at 3900 rpm.
"""

from dataclasses import dataclass
from math import pi, sqrt

from simulators.plant.controller import OnDelay, PiController, clamp, lag, ramp
from simulators.plant.ledger import Ledger
from simulators.plant.steam import AMBIENT, KELVIN, STEAM_HEAT, Steam

NOMINAL_SPEED = 3_000.0
OVERSPEED_BOLT = 3_900.0

_INERTIA = 1_000.0
_FLOW = 4.035
_CONDENSER = 0.1
_VALVE_RATE = 1.0
_GENERATOR = 0.965
_PIPE_LOSS = 0.01


def kinetic_energy(speed: float) -> float:
    """Return the rotor's energy at a speed in rpm, kJ."""
    return 0.5 * _INERTIA * (speed * pi / 30.0) ** 2 / 1_000.0


@dataclass(slots=True)
class TurbineInputs:
    """What its operators, and whoever plays with the plant, can move."""

    trip_valve: bool = False
    """True is tripped: the stop valve is shut. False lets the turbine run up again."""
    load_setpoint: float = 4.0
    """MW"""
    breaker_open: bool = False
    """Takes the generator off the grid and keeps it off."""
    governor_stuck: bool = False
    """The control valve stays where it is: off the grid the turbine then overspeeds."""


class Turbine:
    """Valves, rotor, generator, bearings."""

    def __init__(self, inputs: TurbineInputs) -> None:
        """Start on the grid at the load setpoint."""
        self.inputs = inputs
        self.energy = kinetic_energy(NOMINAL_SPEED)
        self.breaker = True
        self.valve = 0.77
        self.power = inputs.load_setpoint
        """Electrical, MW; below zero the grid drives the turbine."""
        self.inlet_pressure = 40.5
        self.inlet_temperature = 446.0
        self.flow = 4.6
        self.vibration = 2.2
        self.bearing_temperature = 68.0
        self.ledger = Ledger()
        self._stop_valve = 1.0
        self._reference = NOMINAL_SPEED
        self._load = PiController(gain=0.05, reset_time=4.0, low=0.0, high=1.0, integral=0.77)
        self._speed = PiController(gain=0.004, reset_time=20.0, low=0.0, high=1.0)
        self._in_step = OnDelay(3.0)
        self._reverse_power = OnDelay(3.0)

    @property
    def speed(self) -> float:
        """Of the rotor, rpm."""
        return sqrt(2_000.0 * self.energy / _INERTIA) * 30.0 / pi

    @property
    def state(self) -> str:
        """One word: tripped, synchronised or rolling."""
        if self.inputs.trip_valve:
            return "tripped"
        return "synchronised" if self.breaker else "rolling"

    def demand(self, pressure: float) -> float:
        """Return the steam that the valves let through at a header pressure, kg/s."""
        self.inlet_pressure = pressure * (1.0 - 0.036 * clamp(self.flow / 5.5, 0.0, 2.0) ** 2)
        opening = self.valve * self._stop_valve
        # Below 5 bar there is nothing worth taking, and the condenser's vacuum would suck the drum dry.
        worth = clamp((self.inlet_pressure - 5.0) / 5.0, 0.0, 1.0)
        return _FLOW * opening * worth * self.inlet_pressure / sqrt(self.inlet_temperature + KELVIN)

    def step(self, steam: Steam, grid_speed: float, dt: float) -> None:
        """Advance by `dt` on the steam that came."""
        self.flow = steam.flow
        lost = _PIPE_LOSS * STEAM_HEAT * (steam.temperature - AMBIENT)
        self.inlet_temperature = steam.temperature - lost / STEAM_HEAT
        self._rotate(steam, lost, grid_speed, dt)
        self._protect(grid_speed, dt)
        self._govern(dt)
        self._wear(dt)

    def _rotate(self, steam: Steam, lost: float, grid_speed: float, dt: float) -> None:
        shaft = steam.flow * self._drop()
        ratio = self.speed / NOMINAL_SPEED
        friction = min(30.0 * ratio + 150.0 * ratio**2, self.energy / max(dt, 1.0))
        before = self.energy
        if self.breaker:
            self.energy = lag(before, kinetic_energy(grid_speed), dt, 0.5)
            driven = shaft - friction - (self.energy - before) / dt
            electric = driven * _GENERATOR if driven >= 0 else driven / _GENERATOR
        else:
            self.energy = before + (shaft - friction) * dt
            driven = electric = 0.0
        self.power = electric / 1_000.0
        self.ledger.energy_in += steam.flow * steam.enthalpy * dt
        exhaust = steam.flow * (steam.enthalpy - lost) - shaft
        self.ledger.energy_out += (exhaust + steam.flow * lost + friction + driven) * dt
        self.ledger.water_in += steam.flow * dt
        self.ledger.water_out += steam.flow * dt

    def _drop(self) -> float:
        """Return what a kilogram of steam gives to the shaft, kJ/kg."""
        expansion = 1.0 - clamp(_CONDENSER / self.inlet_pressure, 0.0, 1.0) ** 0.23
        return float(0.8 * 2.1 * (self.inlet_temperature + KELVIN) * expansion)

    def _protect(self, grid_speed: float, dt: float) -> None:
        if self.speed > OVERSPEED_BOLT:
            self.inputs.trip_valve = True
        if self._reverse_power.step(self.breaker and self.power < -0.05, dt) or self.inputs.breaker_open:
            self.breaker = False
        may_close = not (self.breaker or self.inputs.breaker_open or self.inputs.trip_valve)
        if self._in_step.step(may_close and abs(self.speed - grid_speed) < 6.0, dt):
            self.breaker = True
            self._load.integral = self.valve
        self._stop_valve = ramp(self._stop_valve, 0.0 if self.inputs.trip_valve else 1.0, 3.0 * dt)

    def _govern(self, dt: float) -> None:
        if self.inputs.governor_stuck:
            return
        if self.inputs.trip_valve:
            wanted = 0.0
            self._speed.integral = 0.0
            self._reference = self.speed
        elif self.breaker:
            wanted = self._load.step(self.inputs.load_setpoint - self.power, dt)
            self._speed.integral = 0.0
            self._reference = NOMINAL_SPEED
        else:
            self._reference = ramp(self._reference, NOMINAL_SPEED, 30.0 * dt)
            wanted = self._speed.step(self._reference - self.speed, dt)
        self.valve = ramp(self.valve, wanted, _VALVE_RATE * dt)

    def _wear(self, dt: float) -> None:
        ratio = self.speed / NOMINAL_SPEED
        resonance = 4.0 / (1.0 + ((self.speed - 1_650.0) / 120.0) ** 2)
        self.vibration = 0.2 + 1.5 * ratio**2 + resonance + 0.1 * abs(self.power)
        # The oil carries the bearings' heat away; it is counted as friction where it arises.
        self.bearing_temperature = lag(self.bearing_temperature, 40.0 + 22.0 * ratio**2 + 1.5 * self.power, dt, 60.0)
