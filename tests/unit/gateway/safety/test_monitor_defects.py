"""SM1 to SM13: none of the ways in which an earlier monitor failed; each of these tests fails on one that does."""

import asyncio
import math
from typing import Any

import pytest

from gateway import (
    ConfigError,
    ConstraintType,
    OperationContext,
    SafetyConfig,
    SafetyConstraint,
    SafetyLevel,
    SafetyMonitor,
    SafetyViolation,
    ViolationSeverity,
)
from gateway.safety.decision import Decision
from gateway.safety.kinds.dependency import Dependency
from gateway.safety.kinds.rate_of_change import RateOfChange
from gateway.safety.kinds.resource import Resource
from gateway.safety.operation import Write
from gateway.safety.permit import Permit, PermitRefused
from tests.unit.gateway.safety.boiler import BURNER, LOAD, SETPOINT, STEAM, gate, plant, steam
from tests.unit.gateway.safety.boiler import codes as refusals
from tests.unit.gateway.safety.monitors import Clock, Halt, ask, ask_for, codes, limit, monitor
from tests.unit.gateway.safety.plant import MAX_AGE, NOW, operation


def test_sm01_a_hundred_constraints_with_default_ids_are_a_hundred() -> None:
    made = monitor(*[limit(f"max_t{number}") for number in range(100)])
    assert len({each.constraint_id for each in made.get_constraints()}) == 100
    for number in range(100):
        assert not ask_for(made, {f"t{number}": 9999}).is_safe
    violations = made.get_violations()
    assert len({each.violation_id for each in violations}) == 100
    assert made.resolve_violation(violations[-1].violation_id)
    assert [each.resolved for each in violations].count(True) == 1
    assert len(made.get_violations(resolved=False)) == 99
    assert not made.resolve_violation("violation-none")
    assert len({OperationContext("a", "b").operation_id for _ in range(50)}) == 50


@pytest.mark.parametrize("value", [None, "550", [550], {"x": 1}, True, math.nan, math.inf, -math.inf, 10**400, b"5"])
def test_sm02_a_value_that_is_no_usable_number_is_refused(value: object) -> None:
    assert codes(ask(monitor(limit()), temperature=value)) in (["stale_input"], ["violation"])


@pytest.mark.parametrize("name", ["temperature", "Temperature", "TEMPERATURE"])
def test_sm02_case_does_not_hide_a_parameter(name: str) -> None:
    assert not ask_for(monitor(limit()), {name: 601}).is_safe


def test_sm02_a_required_parameter_that_is_missing_is_refused_and_another_only_warned_of() -> None:
    assert codes(ask(monitor(limit(metadata={"required": True})), pressure=1)) == ["stale_input"]
    result = ask(monitor(limit()), pressure=1)
    assert result.is_safe
    assert [warning.code for warning in result.warnings] == ["unmatched_parameters"]
    assert result.checked_constraints == 0


@pytest.mark.parametrize(
    "keys",
    [{"max_value": math.nan}, {"max_value": None}, {"min_value": 700.0}, {"max_value": "600"}, {"threshold": 600.0}],
)
def test_sm02_sm13_limits_that_could_never_be_kept_are_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="max_temperature"):
        monitor(limit(**keys))


def test_sm03_threshold_is_a_limit() -> None:
    assert not ask(monitor(limit(max_value=None, threshold=600.0)), temperature=9999).is_safe


@pytest.mark.parametrize(
    "kind", [each for each in ConstraintType if each not in {ConstraintType.THRESHOLD, ConstraintType.RATE_LIMIT}]
)
def test_sm04_no_constraint_is_counted_that_nothing_evaluates(kind: ConstraintType) -> None:
    with pytest.raises(ConfigError, match="has no condition"):
        monitor(SafetyConstraint(name="x", constraint_type=kind))
    with pytest.raises(ConfigError, match="condition"):
        monitor(SafetyConstraint(name="x", constraint_type=kind, condition="always"))  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", [False, None, 1, "yes"])
def test_sm04_only_true_from_a_condition_permits(answer: object) -> None:
    def condition(context: OperationContext) -> Any:
        return answer if context.agent_id == "a" else True

    made = monitor(SafetyConstraint(name="who", constraint_type=ConstraintType.PERMISSION, condition=condition))
    assert codes(ask(made)) == ["violation"]
    assert ask(made, agent="b").is_safe


def test_sm04_a_lock_is_held_by_its_token_and_not_by_what_an_operation_says_of_itself() -> None:
    made = plant()
    opened = gate(made, Resource(name="owns", level=SafetyLevel.HIGH, lock="turbine"))
    made.tokens["turbine"] = 7
    for locks, permitted in (({"turbine": 7}, True), ({"turbine": 6}, False), ({}, False)):
        assert opened.judge(operation(LOAD, 1.0, locks=locks), NOW).is_permitted is permitted


def test_sm05_the_document_s_own_names_do_what_they_say() -> None:
    made = monitor(limit("max_pressure", max_value=50.0))
    made.add_circuit_breaker("scada_integration", failure_threshold=5)
    made.add_rate_limiter("api_calls", max_requests=1)
    assert not ask(made, pressure=51.0).is_safe
    for _ in range(5):
        made.record_failure("agent-id", "scada_integration")
    assert codes(ask(made, "scada_integration")) == ["circuit_open"]
    assert [ask(made, "api_calls").is_safe for _ in range(2)] == [True, False]


def test_sm06_what_was_judged_is_tied_to_what_is_written_and_a_halt_is_told() -> None:
    made = plant()
    opened = gate(made, steam(limits_also=(SETPOINT,)))
    assert isinstance(opened.mint(operation(SETPOINT, 9999.0), Write(SETPOINT, 9999.0), 9999, 1, NOW), Decision)
    permits = [opened.mint(operation(SETPOINT, 450.0), Write(SETPOINT, 450.0), 450, 1, NOW) for _ in range(2)]
    assert isinstance(permits[0], Permit)
    with pytest.raises(PermitRefused):
        permits[0].spend("boiler", "setpoint", 9999, 1)
    made.set(STEAM, 600.0)
    assert [live.name for live in opened.observe([STEAM], NOW).tripped] == ["steam"]
    assert isinstance(permits[1], Permit)
    with pytest.raises(PermitRefused):
        permits[1].spend("boiler", "setpoint", 450, 1)


def test_sm06_what_is_halted_while_a_validator_thinks_is_not_safe() -> None:
    halt = Halt()
    halt.is_halted = False

    async def slow(context: OperationContext, constraint: SafetyConstraint) -> SafetyViolation | None:
        halt.is_halted = True
        return None

    made = monitor(gate=halt)
    made.register_validator("timing", slow)
    made.add_constraint(SafetyConstraint(name="t", constraint_type=ConstraintType.TIMING))
    assert codes(ask(made)) == ["halted"]


def test_sm07_a_halt_lets_the_safe_state_pass_and_is_remembered() -> None:
    opened = gate(plant(), latched=["steam"])
    made = monitor(gate=opened)
    assert made.is_halted
    assert codes(ask(made)) == ["halted"]
    assert opened.judge(operation(BURNER, value=False), NOW).is_permitted
    assert made.reset_halt("me", "the valve was stuck, and is replaced") == ""
    assert ask(made).is_safe


def test_sm07_a_rogue_proposal_halts_nothing() -> None:
    made = monitor(limit())
    for _ in range(100):
        assert not ask(made, temperature=9999).is_safe
    assert not made.is_halted
    assert ask(made, temperature=20).is_safe


def test_sm07_a_trip_halts_and_a_reset_needs_a_person_a_reason_and_the_cause_gone() -> None:
    halt = Halt()
    made = monitor(gate=halt)
    assert codes(ask(made)) == ["halted"]
    assert not made.is_safe_to_proceed()
    for actor, reason in (("", "done"), ("me", " ")):
        with pytest.raises(ConfigError, match="who resets, and why"):
            made.reset_halt(actor, reason)
    assert made.reset_halt("me", "valve closed") == "cause_present"
    assert made.is_halted
    halt.code = ""
    assert made.reset_halt("me", "valve closed") == ""
    assert ask(made).is_safe
    assert monitor().reset_halt("me", "nothing is latched") == ""


def test_sm08_half_open_admits_one_probe_and_late_failures_do_not_push_it_out() -> None:
    clock = Clock()
    made = monitor(clock=clock)
    made.add_circuit_breaker("set", failure_threshold=1, timeout_seconds=1.0)
    made.record_failure("a", "set")
    clock.now += 0.9
    made.record_failure("a", "set")
    clock.now += 0.1
    assert [ask(made).is_safe for _ in range(1000)].count(True) == 1
    made.record_success("a", "set")
    assert ask(made).is_safe


def test_sm09_no_window_holds_more_than_its_limit_whatever_the_wall_clock_does() -> None:
    clock = Clock()
    made = monitor(clock=clock)
    made.add_rate_limiter("set", max_requests=10, window_seconds=1.0)
    passed = 0
    for _ in range(19):
        clock.now += 0.05
        clock.time -= 3600
        passed += ask(made).is_safe
    assert passed == 10


def test_sm09_refused_operations_use_nothing_up() -> None:
    made = monitor(limit())
    made.add_rate_limiter("set", max_requests=1, window_seconds=60.0)
    for _ in range(5):
        assert codes(ask(made, temperature=9999)) == ["violation"]
    assert ask(made, temperature=20).is_safe


def test_sm09_a_limit_of_one_agent_does_not_starve_another() -> None:
    rate = SafetyConstraint(name="calm", constraint_type=ConstraintType.RATE_LIMIT, rate_limit=1)
    made = monitor(rate)
    assert ask(made, agent="a").is_safe
    assert codes(ask(made, agent="a")) == ["rate_limited"]
    assert ask(made, agent="b").is_safe


@pytest.mark.parametrize(
    "keys", [{}, {"rate_limit": 0}, {"rate_limit": True}, {"rate_limit": 1, "rate_window_seconds": math.nan}]
)
def test_sm09_a_rate_that_could_never_be_kept_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        monitor(SafetyConstraint(name="calm", constraint_type=ConstraintType.RATE_LIMIT, **keys))


def test_sm09_operations_that_are_validated_at_once_share_one_limit() -> None:
    async def slow(context: OperationContext, constraint: SafetyConstraint) -> SafetyViolation | None:
        await asyncio.sleep(0)
        return None

    async def together(made: SafetyMonitor) -> list[bool]:
        asked = [made.validate_operation(OperationContext("set", "a")) for _ in range(3)]
        return sorted([result.is_safe for result in await asyncio.gather(*asked)])

    for limiter in (False, True):
        made = monitor()
        made.register_validator("timing", slow)
        made.add_constraint(SafetyConstraint(name="t", constraint_type=ConstraintType.TIMING))
        if limiter:
            made.add_rate_limiter("set", max_requests=1)
        else:
            made.add_constraint(SafetyConstraint("calm", ConstraintType.RATE_LIMIT, rate_limit=1))
        assert asyncio.run(together(made)) == [False, False, True]


def test_sm10_a_validator_that_raises_refuses_and_a_coroutine_is_awaited() -> None:
    async def asked(context: OperationContext, constraint: SafetyConstraint) -> SafetyViolation | None:
        await asyncio.sleep(0)
        if context.agent_id == "good":
            return None
        return SafetyViolation(constraint.constraint_id, constraint.name, ViolationSeverity.MINOR, "not today")

    def broken(context: OperationContext, constraint: SafetyConstraint) -> SafetyViolation | None:
        raise ZeroDivisionError

    made = monitor()
    made.register_validator("COMPLIANCE", asked)
    made.add_constraint(SafetyConstraint(name="c", constraint_type=ConstraintType.COMPLIANCE))
    assert ask(made, agent="good").is_safe
    assert codes(ask(made, agent="bad")) == ["violation"]
    made.register_validator("timing", broken)
    made.add_constraint(SafetyConstraint(name="t", constraint_type=ConstraintType.TIMING))
    assert codes(ask(made, agent="good")) == ["stale_input"]


def test_sm11_everything_that_is_blocked_is_counted_once() -> None:
    made = monitor(limit(), limit("max_pressure", max_value=5.0, level=SafetyLevel.HIGH))
    made.add_rate_limiter("set", max_requests=1)
    ask(made, temperature=1)
    ask(made, temperature=9999, pressure=9)
    metrics = made.get_metrics()
    assert (metrics.validations_performed, metrics.validations_passed, metrics.operations_blocked) == (2, 1, 1)
    assert (metrics.violations_total, metrics.rate_limits_triggered) == (3, 1)
    assert (metrics.violations_critical, metrics.violations_major) == (2, 1)


def test_sm12_its_memory_is_bounded_and_what_is_forgotten_is_counted() -> None:
    made = monitor(limit(), config=SafetyConfig(max_violations=10))
    for _ in range(25):
        ask(made, temperature=9999)
    assert len(made.get_violations()) == 10
    assert made.get_metrics().violations_forgotten == 15


def test_sm12_defaults_of_the_configuration_are_used() -> None:
    made = monitor(config=SafetyConfig(default_failure_threshold=1, default_rate_limit=1))
    made.add_circuit_breaker("set")
    made.add_rate_limiter("get")
    made.record_failure("a", "set")
    assert not ask(made, "set").is_safe
    assert [ask(made, "get").is_safe for _ in range(2)] == [True, False]


def test_sm12_agents_beyond_what_can_be_counted_find_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.safety.own_rules.MOST_AGENTS", 2)
    clock = Clock()
    made = monitor(SafetyConstraint("r", ConstraintType.RATE_LIMIT, rate_limit=1), clock=clock)
    assert [ask(made, agent=agent).is_safe for agent in "abc"] == [True, True, False]
    clock.now += 60
    assert ask(made, agent="c").is_safe


def test_sm13_what_is_measured_decides_and_not_only_what_is_proposed() -> None:
    made = plant(590.0)
    opened = gate(made, steam(SafetyLevel.HIGH))
    assert refusals(opened.judge(operation(SETPOINT, 450.0), NOW)) == ["violation"]
    assert opened.judge(operation(LOAD, 1.0), NOW).is_permitted, "it is about the boiler alone"


def test_sm13_a_value_that_is_old_or_bad_or_came_back_too_little_is_not_enough() -> None:
    made = plant(590.0)
    opened = gate(made, steam(SafetyLevel.HIGH))
    made.set(STEAM, 578.0)
    opened.observe([STEAM], NOW)
    assert refusals(opened.judge(operation(SETPOINT, 450.0), NOW)) == ["violation"], "not back by the hysteresis"
    made.set(STEAM, 500.0)
    opened.observe([STEAM], NOW)
    assert opened.judge(operation(SETPOINT, 450.0), NOW).is_permitted
    assert refusals(opened.judge(operation(SETPOINT, 450.0), NOW + MAX_AGE + 0.1)) == ["stale_input"]
    made.spoil(STEAM, "sensor_failure")
    opened.observe([STEAM], NOW)
    assert refusals(opened.judge(operation(SETPOINT, 450.0), NOW)) == ["stale_input"]


def test_sm13_speed_and_steps_and_other_tags_can_be_limited() -> None:
    made = plant()
    made.set(SETPOINT, 450.0)
    slow = RateOfChange(
        name="slow", level=SafetyLevel.HIGH, tag=STEAM, max_per_second=10.0, max_step=60.0, limits_also=(SETPOINT,)
    )
    pump = Dependency(name="pump", level=SafetyLevel.HIGH, when={BURNER: True}, requires={"boiler.pump": True})
    made.set("boiler.pump", True)  # noqa: FBT003  (a value, not a flag)
    opened = gate(made, slow, pump)
    made.set(STEAM, 505.0, at=NOW + 1)
    opened.observe([STEAM], NOW + 1)
    assert opened.judge(operation(SETPOINT, 510.0), NOW + 1).is_permitted
    assert refusals(opened.judge(operation(SETPOINT, 511.0), NOW + 1)) == ["violation"]
    made.set("boiler.pump", False, at=NOW + 1)  # noqa: FBT003  (a value, not a flag)
    opened.observe(["boiler.pump"], NOW + 1)
    assert [found.name for found in opened.judge(operation(SETPOINT, 500.0), NOW + 1).refusals] == ["pump"]
    made.set(STEAM, 520.0, at=NOW + 2)
    opened.observe([STEAM], NOW + 2)
    assert [found.name for found in opened.judge(operation(SETPOINT, 500.0), NOW + 2).refusals] == ["slow", "pump"]


def test_each_of_the_thirteen_has_a_test() -> None:
    named = " ".join(name for name in globals() if name.startswith("test_sm"))
    assert [number for number in range(1, 14) if f"sm{number:02d}_" not in named] == []
