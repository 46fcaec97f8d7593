"""A three-phase feeder of a factory: what a meter in it measures, and what it counts.

The voltages are 120 degrees apart, and the load is inductive.
"""

from collections.abc import Mapping
from math import acos, degrees, hypot, sqrt
from typing import TYPE_CHECKING

from simulators.plant.controller import clamp, lag
from simulators.plant.signals import Signal
from simulators.plant.wander import Wander

if TYPE_CHECKING:
    from random import Random

DEMAND_PERIOD = 900.0
"""Seconds over which a demand is a mean; here a lag of that time."""

_HOUR = 3_600.0
_PHASES = ("l1", "l2", "l3")
_LOADS = {"l1": 21.0, "l2": 17.5, "l3": 12.0}
"""Mean currents, A."""
_POWER_FACTOR = {"l1": 0.92, "l2": 0.95, "l3": 0.88}


class Feeder:
    """Voltages in V, currents in A, powers in W, VA and var, energies in kWh, kVAh and kvarh."""

    def __init__(self, chance: "Random") -> None:
        """Begin in the middle of a meter's life."""
        self._voltages = {phase: Wander(chance, 230.0, 1.2, 8.0) for phase in _PHASES}
        self._currents = {phase: Wander(chance, mean, mean / 8.0, 15.0) for phase, mean in _LOADS.items()}
        self._frequency = Wander(chance, 50.0, 0.01, 5.0)
        self._distortion = Wander(chance, 2.4, 0.3, 60.0)
        self._counted = {
            f"{kind}_{phase}": start + place * 100.0
            for kind, start in (("energy_import", 4_210.0), ("reactive_energy_import", 1_620.0), ("energy_export", 8.5))
            for place, phase in enumerate(_PHASES)
        }
        self._counted |= {"apparent_energy": 13_950.0, "charge": 61_300.0}
        self._demands = {"power_demand": 10_500.0, "apparent_power_demand": 11_400.0, "neutral_current_demand": 8.0}
        self._demands |= {f"current_demand_{phase}": mean for phase, mean in _LOADS.items()}
        self._highest = dict(self._demands)

    def step(self, dt: float) -> None:
        """Advance by so many seconds."""
        for wander in (*self._voltages.values(), *self._currents.values(), self._frequency, self._distortion):
            wander.step(dt)
        now = self._measured()
        for phase in _PHASES:
            self._counted[f"energy_import_{phase}"] += now[f"active_power_{phase}"] * dt / _HOUR / 1_000.0
            self._counted[f"reactive_energy_import_{phase}"] += now[f"reactive_power_{phase}"] * dt / _HOUR / 1_000.0
        self._counted["apparent_energy"] += now["apparent_power"] * dt / _HOUR / 1_000.0
        self._counted["charge"] += now["current_sum"] * dt / _HOUR
        for name, source in _DEMANDS.items():
            self._demands[name] = lag(self._demands[name], now[source], dt, DEMAND_PERIOD)
            self._highest[name] = max(self._highest[name], self._demands[name])

    def signals(self) -> Mapping[str, Signal]:
        """Return everything that a meter can show, by name."""
        highest = {f"{name}_max": value for name, value in self._highest.items()}
        return {**self._measured(), **self._distortions(), **self._energies(), **self._demands, **highest}

    def set(self, name: str, value: Signal) -> None:  # noqa: ARG002  (as every plant has it)
        """Refuse: nothing of a feeder is moved through its meter. Raises KeyError."""
        raise KeyError(name)

    def _measured(self) -> dict[str, float]:
        shown: dict[str, float] = {}
        for phase in _PHASES:
            voltage, current = self._voltages[phase].value, max(self._currents[phase].value, 0.0)
            factor = _POWER_FACTOR[phase]
            shown |= {
                f"voltage_{phase}": voltage,
                f"current_{phase}": current,
                f"active_power_{phase}": voltage * current * factor,
                f"apparent_power_{phase}": voltage * current,
                f"reactive_power_{phase}": voltage * current * sqrt(1.0 - factor**2),
                f"power_factor_{phase}": factor,
                f"phase_angle_{phase}": degrees(acos(factor)),
            }
        return {**shown, **_together(shown), "frequency": self._frequency.value}

    def _distortions(self) -> dict[str, float]:
        base = self._distortion.value
        voltages = {f"voltage_thd_{phase}": base + 0.1 * place for place, phase in enumerate(_PHASES)}
        currents = {f"current_thd_{phase}": 3.0 * base + 0.4 * place for place, phase in enumerate(_PHASES)}
        between = {f"voltage_thd_{pair}": 0.9 * base + 0.1 * place for place, pair in enumerate(_PAIRS)}
        return {
            **voltages,
            **currents,
            **between,
            "voltage_thd": sum(voltages.values()) / 3,
            "current_thd": sum(currents.values()) / 3,
            "voltage_thd_ll": sum(between.values()) / 3,
        }

    def _energies(self) -> dict[str, float]:
        shown = dict(self._counted)
        for place, phase in enumerate(_PHASES):
            shown[f"reactive_energy_export_{phase}"] = 0.25 * (place + 1)
            for kind in ("energy", "reactive_energy"):
                shown[f"{kind}_total_{phase}"] = shown[f"{kind}_import_{phase}"] + shown[f"{kind}_export_{phase}"]
        for kind in ("energy", "reactive_energy"):
            for way in ("import", "export", "total"):
                shown[f"{kind}_{way}"] = sum(shown[f"{kind}_{way}_{phase}"] for phase in _PHASES)
        return shown


_PAIRS = ("l1_l2", "l2_l3", "l3_l1")
_DEMANDS = {
    "power_demand": "active_power",
    "apparent_power_demand": "apparent_power",
    "neutral_current_demand": "neutral_current",
    **{f"current_demand_{phase}": f"current_{phase}" for phase in _PHASES},
}


def _together(shown: Mapping[str, float]) -> dict[str, float]:
    """Return what is made of the three phases."""
    voltages = [shown[f"voltage_{phase}"] for phase in _PHASES]
    currents = [shown[f"current_{phase}"] for phase in _PHASES]
    active, reactive = (sum(shown[f"{kind}_power_{phase}"] for phase in _PHASES) for kind in ("active", "reactive"))
    apparent = hypot(active, reactive)
    between = [sqrt(a * a + b * b + a * b) for a, b in zip(voltages, (*voltages[1:], voltages[0]), strict=True)]
    a, b, c = currents
    return {
        "voltage_ln": sum(voltages) / 3,
        "current": sum(currents) / 3,
        "current_sum": sum(currents),
        "current_unbalance": _unbalance(currents),
        "active_power": active,
        "reactive_power": reactive,
        "apparent_power": apparent,
        "power_factor": active / apparent,
        "phase_angle": degrees(acos(clamp(active / apparent, -1.0, 1.0))),
        **{f"voltage_{pair}": value for pair, value in zip(_PAIRS, between, strict=True)},
        "voltage_ll": sum(between) / 3,
        "voltage_unbalance": _unbalance(between),
        "neutral_current": sqrt(max(a * a + b * b + c * c - a * b - b * c - c * a, 0.0)),
    }


def _unbalance(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return 100.0 * max(abs(value - mean) for value in values) / mean
