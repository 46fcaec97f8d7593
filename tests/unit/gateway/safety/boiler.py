"""A boiler behind a gate: what the tests of the gate share."""

from collections.abc import Mapping

from gateway.safety.constraint import Constraint, SafeWrite, Setting
from gateway.safety.decision import Decision
from gateway.safety.gate import Gate
from gateway.safety.kinds.threshold import Threshold
from gateway.safety.verdict import SafetyLevel
from tests.unit.gateway.safety.plant import NOW, FakePlant

STEAM, BURNER, SETPOINT, LOAD = "boiler.steam", "boiler.burner", "boiler.setpoint", "turbine.load"
OFF: Mapping[str, Setting | SafeWrite] = {BURNER: False}


def steam(level: SafetyLevel = SafetyLevel.CRITICAL, **keys: object) -> Threshold:
    declared = {"name": "steam", "max": 580.0, "hysteresis": 5.0, "on_trip": OFF, **keys}
    return Threshold(level=level, tag=STEAM, **declared)  # type: ignore[arg-type]


def plant(value: float = 500.0, at: float = NOW) -> FakePlant:
    made = FakePlant()
    made.set(STEAM, value, at=at)
    made.set(BURNER, True, at=at)  # noqa: FBT003  (a value, not a flag)
    return made


def gate(made: FakePlant, *constraints: Constraint, **keys: object) -> Gate:
    opened = Gate(constraints or (steam(),), made, lambda: NOW, **keys)  # type: ignore[arg-type]
    opened.refresh(NOW)
    return opened


def codes(decision: Decision) -> list[str]:
    return [finding.code for finding in decision.refusals]


def trip(made: FakePlant, opened: Gate, at: float = NOW) -> None:
    made.set(STEAM, 600.0, at=at)
    assert [live.name for live in opened.observe([STEAM], at).tripped] == ["steam"]
