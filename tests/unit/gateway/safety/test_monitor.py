"""The seed's SafetyMonitor: its examples as they stand there, and what else it offers."""

import asyncio
import math
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
    ViolationSeverity,
)
from tests.unit.gateway.safety.monitors import Clock, ask, codes, limit, monitor

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


# What else it offers


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


def test_a_validator_s_own_words_are_told() -> None:
    def not_today(context: OperationContext, constraint: SafetyConstraint) -> SafetyViolation | None:
        return SafetyViolation(
            constraint.constraint_id, constraint.name, ViolationSeverity.MINOR, "not today", actual_value=7
        )

    made = monitor()
    made.register_validator("timing", not_today)
    made.add_constraint(SafetyConstraint(name="t", constraint_type=ConstraintType.TIMING))
    [found] = ask(made).violations
    assert (found.message, found.actual_value, found.code, found.constraint_name) == (
        "t: not today",
        7,
        "violation",
        "t",
    )


def test_everything_that_refuses_is_named_in_the_order_halt_breakers_limiters_constraints() -> None:
    made = monitor(
        SafetyConstraint("who", ConstraintType.PERMISSION, condition=lambda context: context.parameters["me"]),
        SafetyConstraint("calm", ConstraintType.RATE_LIMIT, rate_limit=1),
        limit(),
        gate=None,
    )
    made.add_circuit_breaker("set", failure_threshold=1)
    made.add_rate_limiter("set", max_requests=1)
    assert ask(made, me=True).is_safe
    made.record_failure("a", "set")
    result = ask(made, me=False, temperature=9999)
    assert [(each.constraint_name, each.code) for each in result.violations] == [
        ("set", "circuit_open"),
        ("set", "rate_limited"),
        ("calm", "rate_limited"),
        ("max_temperature", "violation"),
        ("who", "violation"),
    ]
    assert [each.message for each in result.violations] == [
        "breaker set is open",
        "set: 1 in 60 s are taken",
        "calm: too_often",
        "max_temperature: above_max",
        "who: condition",
    ]
    assert result.checked_constraints == 3


def test_a_rate_that_only_warns_lets_pass_whom_it_cannot_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.safety.own_rules.MOST_AGENTS", 1)
    made = monitor(SafetyConstraint("r", ConstraintType.RATE_LIMIT, rate_limit=1, level=SafetyLevel.LOW))
    results = [ask(made, agent=agent) for agent in "aab"]
    assert [result.is_safe for result in results] == [True] * 3
    assert [[each.code for each in result.warnings] for result in results] == [[], ["rate_limited"], ["rate_limited"]]
