"""What the monitor answers, word by word, and what it counts."""

import asyncio

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
from tests.unit.gateway.safety.monitors import Clock, Halt, ask, ask_for, codes, limit, monitor

CRITICAL, MAJOR, MINOR, WARNING = ViolationSeverity


def told(found: SafetyViolation) -> tuple[object, ...]:
    """Return everything but the id, which only has to be unique."""
    return (
        found.constraint_id,
        found.constraint_name,
        found.severity,
        found.message,
        found.code,
        found.actual_value,
        found.expected_value,
        found.agent_id,
        found.timestamp,
        found.resolved,
    )


def test_a_violation_says_everything_about_itself() -> None:
    clock = Clock()
    made = monitor(limit(constraint_id="t1"), clock=clock)
    result = ask(made, agent="thermal", temperature=601.0)
    [found] = result.violations
    assert told(found) == (
        "t1",
        "max_temperature",
        CRITICAL,
        "max_temperature: above_max",
        "violation",
        601.0,
        600.0,
        "thermal",
        clock.time,
        False,
    )
    assert found.operation_id is not None
    assert found.operation_id.startswith("op-")


def test_a_refusal_by_a_halt_says_everything_about_itself() -> None:
    clock = Clock()
    context = OperationContext("set", "thermal", operation_id="op-7")
    made = monitor(gate=Halt(), clock=clock)
    [found] = ask_of(made, context)
    message = "all control is halted by a trip"
    assert told(found) == ("halt", "halt", CRITICAL, message, "halted", None, None, "thermal", clock.time, False)
    assert found.operation_id == "op-7"


def ask_of(made: SafetyMonitor, context: OperationContext) -> list[SafetyViolation]:
    return asyncio.run(made.validate_operation(context)).violations


def test_what_no_constraint_is_about_is_named() -> None:
    clock = Clock()
    [found] = ask(monitor(limit(), clock=clock), b=1, a=2).warnings
    name, message = "unmatched_parameters", "no constraint is about a, b"
    assert told(found) == (name, name, WARNING, message, name, None, None, "a", clock.time, False)
    assert ask(monitor(limit())).warnings == []


@pytest.mark.parametrize(
    ("value", "code", "reason"),
    [
        (True, "stale_input", "wrong_type"),
        ("5", "stale_input", "wrong_type"),
        (float("inf"), "stale_input", "not_finite"),
        (50.0, "violation", "below_min"),
        (601.0, "violation", "above_max"),
    ],
)
def test_each_limit_that_is_not_kept_says_by_what(value: object, code: str, reason: str) -> None:
    made = monitor(limit("t", min_value=100.0), limit("u", min_value=100.0, metadata={"parameter": "t"}))
    found = ask_for(made, {"t": value}).violations
    bound = {"below_min": 100.0, "above_max": 600.0}.get(reason)
    assert [(each.code, each.message, each.actual_value, each.expected_value) for each in found] == [
        (code, f"{name}: {reason}", value, bound) for name in "tu"
    ]


def test_a_missing_parameter_is_named_beside_what_is_wrong_with_the_others() -> None:
    needed = limit("max_pressure", max_value=5.0, metadata={"required": True})
    also = limit("p", max_value=6.0, metadata={"parameter": "pressure", "required": True})
    result = ask(monitor(limit(), needed, also), temperature=9999)
    assert [(each.code, each.message) for each in result.violations] == [
        ("violation", "max_temperature: above_max"),
        ("stale_input", "max_pressure: missing"),
        ("stale_input", "p: missing"),
    ]
    assert result.checked_constraints == 3
    assert ask(monitor(limit(), needed), temperature=1, pressure=2).checked_constraints == 2


def test_all_limits_of_all_parameters_are_counted() -> None:
    made = monitor(limit("a"), limit("b"), limit("c", metadata={"parameter": "b"}))
    assert ask(made, a=1, b=2).checked_constraints == 3
    assert ask(made, a=1).checked_constraints == 1


def test_a_limit_is_kept_at_its_very_value_by_whole_numbers_too() -> None:
    made = monitor(limit("t", min_value=100.0))
    assert [ask(made, t=value).is_safe for value in (100, 100.0, 600, 600.0, 99.999, 601)] == [True] * 4 + [False] * 2


def test_a_required_parameter_is_one_only_where_that_is_said_plainly() -> None:
    assert ask(monitor(limit(metadata={"required": 1})), other=1).is_safe
    assert not ask(monitor(limit(metadata={"required": True})), other=1).is_safe


def test_two_limits_that_say_the_same_are_refused_with_a_reason() -> None:
    with pytest.raises(
        ConfigError, match=r"^max_temperature: threshold: it is the same as max_value; give one of them$"
    ):
        monitor(limit(threshold=600.0))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"rate_limit": 0}, "calm: rate_limit: at least 1 operation in the window"),
        ({"rate_limit": True}, "calm: rate_limit: at least 1 operation in the window"),
        ({"rate_limit": 1, "rate_window_seconds": 0.0}, "calm: rate_window_seconds: 0.0 is no number above 0"),
        ({"rate_limit": 1, "rate_window_seconds": float("inf")}, "calm: rate_window_seconds: inf is no number above 0"),
    ],
)
def test_a_rate_that_could_never_be_kept_is_refused_with_a_reason(keys: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        monitor(SafetyConstraint("calm", ConstraintType.RATE_LIMIT, **keys))  # type: ignore[arg-type]
    assert str(refused.value) == message


def test_a_short_window_is_one() -> None:
    clock = Clock()
    calm = SafetyConstraint("calm", ConstraintType.RATE_LIMIT, rate_limit=1, rate_window_seconds=0.5)
    made = monitor(calm, clock=clock)
    made.add_rate_limiter("get", max_requests=1, window_seconds=0.5)
    assert [ask(made, "get").is_safe for _ in range(2)] == [True, False]
    clock.now += 0.5
    result = ask(made, "get")
    assert result.is_safe


def test_what_is_full_says_how_full() -> None:
    made = monitor(SafetyConstraint("calm", ConstraintType.RATE_LIMIT, rate_limit=2))
    ask(made)
    ask(made)
    [found] = ask(made).violations
    assert (found.message, found.actual_value, found.expected_value) == ("calm: too_often", None, 2.0)


def test_what_raises_says_what_and_a_condition_says_what_it_answered() -> None:
    def broken(_: OperationContext) -> bool:
        raise ZeroDivisionError

    made = monitor(
        SafetyConstraint("b", ConstraintType.PERMISSION, condition=broken),
        SafetyConstraint("c", ConstraintType.PERMISSION, condition=lambda _: "no"),  # type: ignore[arg-type,return-value]
    )
    found = [(each.message, each.code, each.actual_value) for each in ask(made).violations]
    assert found == [("b: raised ZeroDivisionError", "stale_input", None), ("c: condition", "violation", "no")]


def test_to_reset_a_halt_somebody_has_to_say_who_and_why() -> None:
    with pytest.raises(ConfigError) as refused:
        monitor().reset_halt(" ", "because")
    assert str(refused.value) == "reset_halt: say who resets, and why"


def test_one_that_is_removed_leaves_the_others() -> None:
    def never(_: OperationContext) -> bool:
        return False

    constraints = [
        SafetyConstraint("p", ConstraintType.PERMISSION, condition=never),
        SafetyConstraint("q", ConstraintType.PERMISSION, condition=never),
        SafetyConstraint("r", ConstraintType.RATE_LIMIT, rate_limit=1, level=SafetyLevel.LOW),
        SafetyConstraint("s", ConstraintType.RATE_LIMIT, rate_limit=1, level=SafetyLevel.LOW),
        limit("t", metadata={"parameter": "x"}),
        limit("u", metadata={"parameter": "x"}),
    ]
    made = monitor(*constraints)
    for removed in ("p", "r", "t"):
        made.remove_constraint(next(each.constraint_id for each in constraints if each.name == removed))
        assert [each.constraint_name for each in ask(made, agent=removed).violations][-1] == "q"
    made.remove_constraint(constraints[1].constraint_id)
    assert ask(made, x=1).is_safe
    made.add_constraint(constraints[1])
    result = ask(made, x=9999)
    assert [each.constraint_name for each in result.violations] == ["u", "q"]
    assert [each.constraint_name for each in result.warnings] == ["s"], "what was counted for it is kept"


def test_one_that_comes_back_begins_anew() -> None:
    calm = SafetyConstraint("calm", ConstraintType.RATE_LIMIT, rate_limit=1)
    made = monitor(calm)
    assert [ask(made).is_safe for _ in range(2)] == [True, False]
    made.remove_constraint(calm.constraint_id)
    made.add_constraint(calm)
    assert [ask(made).is_safe for _ in range(2)] == [True, False]


def test_a_disabled_one_is_told_of_as_it_was_declared() -> None:
    disabled = limit(enabled=False)
    made = monitor(disabled)
    assert made.get_constraints() == [disabled]
    assert made.remove_constraint(disabled.constraint_id)


def test_nothing_is_checked_where_checking_is_switched_off() -> None:
    made = monitor(
        limit(),
        SafetyConstraint("r", ConstraintType.RATE_LIMIT, rate_limit=1),
        config=SafetyConfig(enable_constraint_validation=False),
    )
    result = ask(made, temperature=9999)
    assert (result.is_safe, result.checked_constraints) == (True, 0)
    assert [each.code for each in result.warnings] == ["unmatched_parameters"]


def test_the_time_that_it_took_is_told_in_milliseconds() -> None:
    clock = Clock()

    async def slow(_: OperationContext, __: SafetyConstraint) -> SafetyViolation | None:
        clock.now += 0.25
        return None

    made = monitor(clock=clock)
    assert made.get_metrics().avg_validation_time_ms == 0.0
    assert ask(made).validation_time_ms == 0.0
    made.register_validator("timing", slow)
    made.add_constraint(SafetyConstraint(name="t", constraint_type=ConstraintType.TIMING))
    assert ask(made).validation_time_ms == 250.0
    assert made.get_metrics().avg_validation_time_ms == 125.0


def test_breakers_go_by_the_agent_s_name_too() -> None:
    clock = Clock()
    made = monitor(clock=clock)
    made.add_circuit_breaker("a:set", failure_threshold=2, timeout_seconds=10.0)
    made.record_failure("b", "set")
    made.record_failure("a", "set")
    assert made.get_circuit_breaker_status() == {"a:set": {"state": CircuitState.CLOSED, "failure_count": 1}}
    made.record_failure("a", "set")
    assert codes(ask(made, "set", "a")) == ["circuit_open"]
    assert ask(made, "set", "b").is_safe
    clock.now += 10
    for _ in range(3):
        assert made.get_circuit_breaker_status()["a:set"]["state"] is CircuitState.HALF_OPEN
        made.record_success("a", "set")
    assert made.get_circuit_breaker_status()["a:set"]["state"] is CircuitState.CLOSED


def test_an_operation_can_name_a_breaker_and_a_limiter_of_its_own() -> None:
    made = monitor()
    made.add_circuit_breaker("plc", failure_threshold=1)
    made.add_rate_limiter("a:set", max_requests=1)
    made.record_failure("x", "plc")
    assert codes(ask(made, meta={"circuit_breaker": "plc"})) == ["circuit_open"]
    assert ask(made, agent="b", meta={"circuit_breaker": ["plc"], "rate_limit_key": None}).is_safe
    assert ask(made, agent="a").is_safe
    assert codes(ask(made, agent="a")) == ["rate_limited"]


def test_each_time_that_a_breaker_opens_is_counted_once() -> None:
    clock = Clock()
    made = monitor(clock=clock)
    made.add_circuit_breaker("set", failure_threshold=1, timeout_seconds=1.0)
    for _ in range(3):
        made.record_failure("a", "set")
    assert made.get_metrics().circuit_breakers_opened == 1
    clock.now += 1
    made.record_failure("a", "set")
    assert made.get_metrics().circuit_breakers_opened == 2


def test_violations_can_be_asked_for_by_their_severity() -> None:
    made = monitor(limit(), limit("p", level=SafetyLevel.HIGH), limit("q", level=SafetyLevel.HIGH))
    ask(made, temperature=9999, p=9999, q=9999)
    assert [each.constraint_name for each in made.get_violations(MAJOR)] == ["p", "q"]
    assert [each.constraint_name for each in made.get_violations()] == ["max_temperature", "p", "q"]
    assert made.get_violations(MINOR) == made.get_violations(CRITICAL, resolved=True) == []
    metrics = made.get_metrics()
    assert (metrics.violations_total, metrics.violations_critical, metrics.violations_major) == (3, 1, 2)


def test_what_only_warns_is_counted_and_not_remembered() -> None:
    made = monitor(limit(level=SafetyLevel.MEDIUM), limit("p", level=SafetyLevel.LOW))
    for _ in range(2):
        ask(made, temperature=9999, p=9999)
    metrics = made.get_metrics()
    assert (metrics.violations_minor, metrics.violations_total, metrics.validations_failed) == (2, 0, 0)
    assert made.get_violations() == []


def test_every_answer_is_counted() -> None:
    clock = Clock()
    low = [limit(name, level=SafetyLevel.LOW) for name in ("q", "r")]
    made = monitor(limit(), limit("p", level=SafetyLevel.MEDIUM), *low, clock=clock)
    for temperature in (20, 20, 9999, 9999, 9999):
        ask(made, temperature=temperature, p=9999, q=9999, r=9999)
    metrics = made.get_metrics()
    assert (metrics.validations_performed, metrics.validations_passed, metrics.validations_failed) == (5, 2, 3)
    assert (metrics.operations_blocked, metrics.violations_total, metrics.violations_minor) == (3, 3, 5)


def test_the_mean_is_over_all_answers() -> None:
    clock = Clock()

    async def slow(_: OperationContext, __: SafetyConstraint) -> SafetyViolation | None:
        clock.now += 0.5
        return None

    made = monitor(clock=clock)
    made.register_validator("timing", slow)
    made.add_constraint(SafetyConstraint(name="t", constraint_type=ConstraintType.TIMING))
    ask(made)
    ask(made)
    assert made.get_metrics().avg_validation_time_ms == 500.0


def test_nobody_is_asked_where_validation_is_switched_off() -> None:
    asked = []

    def validator(context: OperationContext, _: SafetyConstraint) -> SafetyViolation | None:
        asked.append(context)
        return None

    made = monitor(config=SafetyConfig(enable_constraint_validation=False))
    made.register_validator("timing", validator)
    made.add_constraint(SafetyConstraint(name="t", constraint_type=ConstraintType.TIMING))
    assert ask(made).is_safe
    assert asked == []
