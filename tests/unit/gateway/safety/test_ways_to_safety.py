"""What whoever asks the gate can know of writes beforehand: whether they lead to safety, and whether they are judged by
what was before them.
"""

import pytest

from gateway.safety.gate import Gate
from gateway.safety.kinds.rate_of_change import RateOfChange
from gateway.safety.kinds.threshold import Threshold
from gateway.safety.kinds.timing import Timing
from gateway.safety.operation import Operation, Write
from gateway.safety.verdict import SafetyLevel
from tests.unit.gateway.safety.plant import NOW, FakePlant
from tests.unit.gateway.safety.test_limiter import rule

LEVEL = SafetyLevel.HIGH
HOT = Threshold(name="hot", level=SafetyLevel.CRITICAL, tag="boiler.steam", max=580, on_trip={"boiler.burner": False})


def gate(*constraints: Threshold | RateOfChange | Timing) -> Gate:
    return Gate(constraints, FakePlant(), lambda: NOW, always_allowed={"boiler.valve": [0]})


@pytest.mark.parametrize(
    ("writes", "leads_there"),
    [
        ([Write("boiler.burner", False)], True),  # noqa: FBT003  (a value)
        ([Write("boiler.burner", False), Write("boiler.valve", 0)], True),  # noqa: FBT003
        ([Write("boiler.burner", True)], False),  # noqa: FBT003
        ([Write("boiler.burner", False), Write("boiler.valve", 1)], False),  # noqa: FBT003
        ([Write("boiler.other", 0)], False),
    ],
    ids=[
        "a safe state",
        "a safe state and what is always allowed",
        "the other value",
        "one that is not",
        "another tag",
    ],
)
def test_writes_lead_to_safety_where_each_of_them_does(writes: list[Write], *, leads_there: bool) -> None:
    assert gate(HOT).is_always_allowed(writes) is leads_there


def test_a_step_and_a_rest_look_back_and_a_limit_does_not() -> None:
    step = RateOfChange(name="step", level=LEVEL, tag="boiler.setpoint", max_per_second=1.0, max_step=1.0)
    rest = Timing(name="rest", level=LEVEL, tag="boiler.pump", min_on=1.0)  # type: ignore[arg-type]
    asked = gate(HOT, step, rest)
    assert asked.looks_back("boiler.setpoint")
    assert asked.looks_back("boiler.pump")
    assert not asked.looks_back("boiler.steam")


def test_an_operation_elsewhere_uses_up_no_place_of_a_limit() -> None:
    calm = rule()
    for _ in range(3):
        calm.take(Operation("me", (Write("turbine.load", 1.0),)), NOW)
    here = Operation("me", (Write("boiler.setpoint", 1.0),))
    assert calm.object(here.writes[0], here, FakePlant(), NOW) is None
