"""What passes although all control is halted: the safe state, and nothing beside it."""

import pytest

from drivers.values import Seconds
from gateway.safety.breaker import Breaker
from gateway.safety.constraint import SafeWrite, Setting
from gateway.safety.decision import Decision
from gateway.safety.kinds.permission import Permission
from gateway.safety.kinds.rate_limit import RateLimit
from gateway.safety.operation import Operation, Write
from gateway.safety.permit import Permit
from gateway.safety.verdict import SafetyLevel
from tests.unit.gateway.safety.boiler import BURNER, LOAD, SETPOINT, STEAM, codes, gate, plant, steam, trip
from tests.unit.gateway.safety.plant import NOW, operation


def test_the_burner_can_always_be_turned_off() -> None:
    made = plant()
    calm = RateLimit(name="calm", level=SafetyLevel.HIGH, key="boiler", max=1, window=Seconds(60))
    opened = gate(made, steam(), calm)
    opened.mint(operation(SETPOINT, 450.0), Write(SETPOINT, 450.0), 1, 1, NOW)
    trip(made, opened)
    made.spoil(STEAM, "timeout")
    opened.refresh(NOW)
    assert opened.judge(operation(BURNER, value=False), NOW).is_permitted
    assert not opened.judge(operation(BURNER, value=True), NOW).is_permitted
    assert not opened.judge(operation(BURNER, 0), NOW).is_permitted, "0 is not false"


def test_a_safe_write_among_others_frees_none_of_them() -> None:
    made = plant()
    opened = gate(made)
    trip(made, opened)
    both = Operation("me", (Write(BURNER, value=False), Write(SETPOINT, 450.0)))
    assert not opened.judge(both, NOW).is_permitted
    assert isinstance(opened.mint(both, both.writes[0], 1, 1, NOW), Decision)


def test_what_is_always_allowed_still_needs_authority() -> None:
    made = plant()
    opened = gate(made, steam(), Permission(name="who", level=SafetyLevel.CRITICAL))
    made.granted = False
    assert codes(opened.judge(operation(BURNER, value=False), NOW)) == ["forbidden"]


def test_a_tag_can_name_what_is_always_allowed() -> None:
    made = plant()
    opened = gate(made, always_allowed={SETPOINT: [400.0]})
    trip(made, opened)
    assert opened.judge(operation(SETPOINT, 400.0), NOW).is_permitted
    assert not opened.judge(operation(SETPOINT, 401.0), NOW).is_permitted


@pytest.mark.parametrize(
    ("safe", "value", "passes"),
    [
        (400, 400.0, True),
        (400.0, 400, True),
        (400, 401, False),
        (False, False, True),
        (False, 0, False),
        (0, False, False),
        (1, True, False),
        (True, 1.0, False),
        ("400", 400, False),
        ("shut", "shut", True),
    ],
)
def test_numbers_compare_as_numbers_and_a_bool_is_none(safe: Setting, value: Setting, *, passes: bool) -> None:
    made = plant()
    opened = gate(made, steam(on_trip={SETPOINT: safe}), always_allowed={LOAD: [safe]})
    trip(made, opened)
    assert opened.judge(operation(SETPOINT, value), NOW).is_permitted is passes
    assert opened.judge(operation(LOAD, value), NOW).is_permitted is passes
    assert (opened.mint_safe_state("steam", Write(SETPOINT, value), 1, 1, NOW) is not None) is passes


@pytest.mark.parametrize("writes", [(), (Write(BURNER, value=False),)])
def test_a_write_gets_no_privilege_from_an_operation_that_it_is_not_of(writes: tuple[Write, ...]) -> None:
    made = plant()
    opened = gate(made)
    trip(made, opened)
    assert isinstance(opened.mint(Operation("me", writes), Write(SETPOINT, 450.0), 1, 1, NOW), Decision)


def test_what_is_always_allowed_passes_a_breaker_and_has_its_permit() -> None:
    made = plant()
    opened = gate(made)
    opened.breakers["boiler"] = Breaker(failure_threshold=1)
    opened.breakers["boiler"].fail(NOW)
    off = operation(BURNER, value=False)
    permit = opened.mint(off, off.writes[0], 0, 1, NOW)
    assert isinstance(permit, Permit)
    permit.spend("boiler", "burner", 0, 1)
    assert opened.judge(operation(SETPOINT, 450.0), NOW).code == "circuit_open"


def test_several_safe_values_together_pass_and_one_other_among_them_stops_all() -> None:
    made = plant()
    opened = gate(made, steam(on_trip={BURNER: False, "turbine.valve": True}))
    trip(made, opened)
    safe = (Write(BURNER, value=False), Write("turbine.valve", value=True))
    assert opened.judge(Operation("me", safe), NOW).is_permitted
    assert not opened.judge(Operation("me", (*safe, Write(LOAD, 1.0))), NOW).is_permitted


def test_a_safe_state_is_minted_for_its_own_list_of_a_latched_trip_alone() -> None:
    made = plant()
    opened = gate(made, steam(on_trip={BURNER: SafeWrite(value=False, hold=True)}))
    assert opened.mint_safe_state("steam", Write(BURNER, value=False), 0, 1, NOW) is None, "nothing has tripped"
    trip(made, opened)
    permit = opened.mint_safe_state("steam", Write(BURNER, value=False), 0, 1, NOW)
    assert permit is not None
    permit.spend("boiler", "burner", 0, 1)
    assert opened.mint_safe_state("steam", Write(BURNER, value=True), 1, 1, NOW) is None
    assert opened.mint_safe_state("steam", Write(BURNER, 0), 0, 1, NOW) is None
    assert opened.mint_safe_state("steam", Write(SETPOINT, 1.0), 0, 1, NOW) is None
    assert opened.mint_safe_state("other", Write(BURNER, value=False), 0, 1, NOW) is None


def test_whether_writes_are_always_allowed_can_be_asked() -> None:
    opened = gate(plant(), always_allowed={LOAD: [0]})
    safe, other = (Write(BURNER, value=False), Write(LOAD, 0)), Write(LOAD, 1)
    assert [opened.is_always_allowed(writes) for writes in (safe, safe[:1], (*safe, other), (other,))] == [
        True,
        True,
        False,
        False,
    ]
