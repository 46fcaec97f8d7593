"""The seed's SafetyMonitor: its examples as they stand there, and none of the ways in which the earlier one failed."""

import asyncio
import math
from collections.abc import Mapping
from typing import Any

import pytest

from gateway import (
    CircuitState,
    ConfigError,
    ConstraintType,
    OperationContext,
    SafetyConfig,
    SafetyConstraint,
    SafetyLevel,
    SafetyMonitor,
    SafetyViolation,
    ValidationResult,
    ViolationSeverity,
)

WITH_LIMITS = {ConstraintType.THRESHOLD, ConstraintType.RATE_LIMIT}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0
        self.time = 1_800_000_000.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.time


class Halt:
    """A gate with a trip that its cause keeps."""

    def __init__(self) -> None:
        self.is_halted = True
        self.code = "cause_present"

    def reset_all(self, now: float) -> str:
        self.is_halted = bool(self.code)
        return self.code


def monitor(*constraints: SafetyConstraint, clock: Clock | None = None, **keys: Any) -> SafetyMonitor:
    made = SafetyMonitor(clock=clock or Clock(), **keys)
    for constraint in constraints:
        made.add_constraint(constraint)
    return made


def limit(name: str = "max_temperature", **keys: Any) -> SafetyConstraint:
    declared = {"max_value": 600.0, "level": SafetyLevel.CRITICAL, **keys}
    return SafetyConstraint(name=name, constraint_type=ConstraintType.THRESHOLD, **declared)


def ask(
    made: SafetyMonitor, kind: str = "set", agent: str = "a", meta: Mapping[str, Any] | None = None, **given: Any
) -> ValidationResult:
    context = OperationContext(operation_type=kind, agent_id=agent, parameters=given, metadata=meta or {})
    return asyncio.run(made.validate_operation(context))


def ask_for(made: SafetyMonitor, parameters: Mapping[str, Any]) -> ValidationResult:
    return asyncio.run(made.validate_operation(OperationContext("set", "a", parameters)))


def codes(result: ValidationResult) -> list[str]:
    return [violation.code for violation in result.violations]


# The document's own examples


def test_the_first_example_permits_550_and_refuses_9999() -> None:
    made = SafetyMonitor(SafetyConfig(halt_on_critical=True))
    made.add_constraint(
        SafetyConstraint(
            name="max_temperature",
            constraint_type=ConstraintType.THRESHOLD,
            max_value=600.0,
            level=SafetyLevel.CRITICAL,
            metadata={"parameter": "temperature"},
        )
    )
    context = OperationContext(
        operation_type="set_temperature", agent_id="thermal-agent", parameters={"temperature": 550}
    )
    assert asyncio.run(made.validate_operation(context)).is_safe
    assert not ask(made, temperature=9999).is_safe


def test_max_pressure_limits_pressure_without_saying_so() -> None:
    made = monitor(limit("max_pressure", max_value=50.0))
    assert not ask(made, pressure=51.0).is_safe
    assert ask(made, pressure=50.0).is_safe
    assert not ask(monitor(limit("min_pressure", max_value=None, min_value=5.0)), pressure=4.9).is_safe


def test_the_breaker_of_a_name_hears_what_is_recorded_under_it() -> None:
    clock = Clock()
    made = monitor(clock=clock)
    made.add_circuit_breaker(name="scada_integration", failure_threshold=5, timeout_seconds=60.0)
    made.record_success("agent-id", "scada_integration")
    for _ in range(5):
        made.record_failure("agent-id", "scada_integration")
    assert made.get_circuit_breaker_status()["scada_integration"]["state"] is CircuitState.OPEN
    assert codes(ask(made, "scada_integration")) == ["circuit_open"]
    assert made.get_metrics().circuit_breakers_opened == 1
    clock.now += 60
    assert ask(made, "scada_integration").is_safe


def test_the_limiter_of_a_key_is_asked_by_operations_that_name_it() -> None:
    made = monitor()
    made.add_rate_limiter(key="api_calls", max_requests=2, window_seconds=60.0)
    named = {"rate_limit_key": "api_calls"}
    assert [ask(made, meta=named).is_safe for _ in range(3)] == [True, True, False]
    assert ask(made).is_safe
    assert made.get_metrics().rate_limits_triggered == 1


# SM1 to SM13: each fails on the earlier implementation


def test_a_hundred_constraints_with_default_ids_are_a_hundred() -> None:  # SM1
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
def test_a_value_that_is_no_usable_number_is_refused(value: object) -> None:  # SM2
    assert codes(ask(monitor(limit()), temperature=value)) in (["stale_input"], ["violation"])


@pytest.mark.parametrize("name", ["temperature", "Temperature", "TEMPERATURE"])
def test_case_does_not_hide_a_parameter(name: str) -> None:  # SM2
    assert not ask_for(monitor(limit()), {name: 601}).is_safe


def test_a_required_parameter_that_is_missing_is_refused_and_another_only_warned_of() -> None:  # SM2
    assert codes(ask(monitor(limit(metadata={"required": True})), pressure=1)) == ["stale_input"]
    result = ask(monitor(limit()), pressure=1)
    assert result.is_safe
    assert [warning.code for warning in result.warnings] == ["unmatched_parameters"]
    assert result.checked_constraints == 0


@pytest.mark.parametrize(
    "keys",
    [{"max_value": math.nan}, {"max_value": None}, {"min_value": 700.0}, {"max_value": "600"}, {"threshold": 600.0}],
)
def test_limits_that_could_never_be_kept_are_refused(keys: dict[str, Any]) -> None:  # SM2, SM13
    with pytest.raises(ConfigError, match="max_temperature"):
        monitor(limit(**keys))


def test_threshold_is_a_limit() -> None:  # SM3
    assert not ask(monitor(limit(max_value=None, threshold=600.0)), temperature=9999).is_safe


@pytest.mark.parametrize(
    "kind", [each for each in ConstraintType if each not in {ConstraintType.THRESHOLD, ConstraintType.RATE_LIMIT}]
)
def test_no_constraint_is_counted_that_nothing_evaluates(kind: ConstraintType) -> None:  # SM4
    with pytest.raises(ConfigError, match="has no condition"):
        monitor(SafetyConstraint(name="x", constraint_type=kind))
    with pytest.raises(ConfigError, match="condition"):
        monitor(SafetyConstraint(name="x", constraint_type=kind, condition="always"))  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", [False, None, 1, "yes"])
def test_only_true_from_a_condition_permits(answer: object) -> None:  # SM4
    def condition(context: OperationContext) -> Any:
        return answer if context.agent_id == "a" else True

    made = monitor(SafetyConstraint(name="who", constraint_type=ConstraintType.PERMISSION, condition=condition))
    assert codes(ask(made)) == ["violation"]
    assert ask(made, agent="b").is_safe


def test_a_rogue_proposal_halts_nothing() -> None:  # SM7
    made = monitor(limit())
    for _ in range(100):
        assert not ask(made, temperature=9999).is_safe
    assert not made.is_halted
    assert ask(made, temperature=20).is_safe


def test_a_trip_halts_and_a_reset_needs_a_person_a_reason_and_the_cause_gone() -> None:  # SM7
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


def test_half_open_admits_one_probe_and_late_failures_do_not_push_it_out() -> None:  # SM8
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


def test_no_window_holds_more_than_its_limit_whatever_the_wall_clock_does() -> None:  # SM9
    clock = Clock()
    made = monitor(clock=clock)
    made.add_rate_limiter("set", max_requests=10, window_seconds=1.0)
    passed = 0
    for _ in range(19):
        clock.now += 0.05
        clock.time -= 3600
        passed += ask(made).is_safe
    assert passed == 10


def test_refused_operations_use_nothing_up() -> None:  # SM9
    made = monitor(limit())
    made.add_rate_limiter("set", max_requests=1, window_seconds=60.0)
    for _ in range(5):
        assert codes(ask(made, temperature=9999)) == ["violation"]
    assert ask(made, temperature=20).is_safe


def test_a_limit_of_one_agent_does_not_starve_another() -> None:  # SM9
    rate = SafetyConstraint(name="calm", constraint_type=ConstraintType.RATE_LIMIT, rate_limit=1)
    made = monitor(rate)
    assert ask(made, agent="a").is_safe
    assert codes(ask(made, agent="a")) == ["rate_limited"]
    assert ask(made, agent="b").is_safe


@pytest.mark.parametrize(
    "keys", [{}, {"rate_limit": 0}, {"rate_limit": True}, {"rate_limit": 1, "rate_window_seconds": math.nan}]
)
def test_a_rate_that_could_never_be_kept_is_refused(keys: dict[str, Any]) -> None:  # SM9
    with pytest.raises(ConfigError):
        monitor(SafetyConstraint(name="calm", constraint_type=ConstraintType.RATE_LIMIT, **keys))


def test_a_validator_that_raises_refuses_and_a_coroutine_is_awaited() -> None:  # SM10
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


def test_everything_that_is_blocked_is_counted_once() -> None:  # SM11
    made = monitor(limit(), limit("max_pressure", max_value=5.0, level=SafetyLevel.HIGH))
    made.add_rate_limiter("set", max_requests=1)
    ask(made, temperature=1)
    ask(made, temperature=9999, pressure=9)
    metrics = made.get_metrics()
    assert (metrics.validations_performed, metrics.validations_passed, metrics.operations_blocked) == (2, 1, 1)
    assert (metrics.violations_total, metrics.rate_limits_triggered) == (3, 1)
    assert (metrics.violations_critical, metrics.violations_major) == (2, 1)


def test_its_memory_is_bounded_and_what_is_forgotten_is_counted() -> None:  # SM12
    made = monitor(limit(), config=SafetyConfig(max_violations=10))
    for _ in range(25):
        ask(made, temperature=9999)
    assert len(made.get_violations()) == 10
    assert made.get_metrics().violations_forgotten == 15


def test_defaults_of_the_configuration_are_used() -> None:  # SM12
    made = monitor(config=SafetyConfig(default_failure_threshold=1, default_rate_limit=1))
    made.add_circuit_breaker("set")
    made.add_rate_limiter("get")
    made.record_failure("a", "set")
    assert not ask(made, "set").is_safe
    assert [ask(made, "get").is_safe for _ in range(2)] == [True, False]


def test_what_is_switched_off_is_not_asked() -> None:
    off = SafetyConfig(enable_circuit_breakers=False, enable_rate_limiting=False, enable_constraint_validation=False)
    made = monitor(limit(), config=off)
    made.add_circuit_breaker("set", failure_threshold=1)
    made.add_rate_limiter("set", max_requests=1)
    made.record_failure("a", "set")
    assert [ask(made, temperature=9999).is_safe for _ in range(3)] == [True] * 3


def test_a_disabled_constraint_is_kept_and_not_counted() -> None:
    made = monitor(limit(enabled=False))
    result = ask(made, temperature=9999)
    assert (result.is_safe, result.checked_constraints, len(made.get_constraints())) == (True, 0, 1)


@pytest.mark.parametrize(
    ("level", "is_safe", "severity"),
    [
        (SafetyLevel.CRITICAL, False, ViolationSeverity.CRITICAL),
        (SafetyLevel.HIGH, False, ViolationSeverity.MAJOR),
        (SafetyLevel.MEDIUM, True, ViolationSeverity.MINOR),
        (SafetyLevel.LOW, True, ViolationSeverity.WARNING),
        (SafetyLevel.INFO, True, ViolationSeverity.WARNING),
    ],
)
def test_the_level_decides_whether_it_refuses(
    level: SafetyLevel, *, is_safe: bool, severity: ViolationSeverity
) -> None:
    result = ask(monitor(limit(level=level)), temperature=601)
    assert result.is_safe is is_safe
    assert [each.severity for each in (*result.violations, *result.warnings)] == [severity]


def test_a_constraint_without_a_level_refuses() -> None:
    bare = SafetyConstraint(name="max_x", constraint_type=ConstraintType.THRESHOLD, max_value=1.0)
    assert not ask(monitor(bare), x=2).is_safe


def test_a_removed_constraint_is_gone() -> None:
    made = monitor()
    ids = [
        made.add_constraint(limit()),
        made.add_constraint(SafetyConstraint("r", ConstraintType.RATE_LIMIT, rate_limit=1)),
    ]
    assert all(made.remove_constraint(each) for each in ids)
    assert not made.remove_constraint(ids[0])
    assert [ask(made, temperature=9999).is_safe for _ in range(2)] == [True, True]


def test_two_of_one_name_or_id_are_refused() -> None:
    with pytest.raises(ConfigError, match="already"):
        monitor(limit(), limit())
    with pytest.raises(ConfigError, match="already"):
        monitor(limit("a", constraint_id="x"), limit("b", constraint_id="x"))


@pytest.mark.parametrize("keys", [{"max_requests": 0}, {"window_seconds": 0.0}, {"window_seconds": math.inf}])
def test_a_limiter_that_could_never_be_kept_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="at least 1 request"):
        monitor().add_rate_limiter("x", **keys)
    with pytest.raises(ConfigError, match="x: a breaker"):
        monitor().add_circuit_breaker("x", failure_threshold=0)


def test_every_limit_of_a_parameter_that_is_broken_is_named() -> None:
    made = monitor(limit(), limit("low", max_value=None, min_value=100.0, metadata={"parameter": "Temperature"}))
    assert [each.constraint_name for each in ask(made, temperature=50).violations] == ["low"]
    result = ask(made, temperature=math.nan)
    assert [each.constraint_name for each in result.violations] == ["max_temperature", "low"]
    assert result.checked_constraints == 2
    [found] = ask(made, temperature=601.0).violations
    assert (found.actual_value, found.expected_value, found.agent_id) == (601.0, 600.0, "a")


def test_for_more_agents_than_can_be_counted_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.safety.own_rules.MOST_AGENTS", 2)
    clock = Clock()
    made = monitor(SafetyConstraint("r", ConstraintType.RATE_LIMIT, rate_limit=1), clock=clock)
    assert [ask(made, agent=agent).is_safe for agent in "abc"] == [True, True, False]
    clock.now += 60
    assert ask(made, agent="c").is_safe
