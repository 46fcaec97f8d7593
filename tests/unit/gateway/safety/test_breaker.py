"""The circuit breaker, step by step."""

import pytest

from gateway.safety.breaker import Breaker, CircuitState
from tests.unit.gateway.safety.plant import NOW

CLOSED, OPEN, HALF_OPEN = CircuitState.CLOSED, CircuitState.OPEN, CircuitState.HALF_OPEN


def opened() -> Breaker:
    breaker = Breaker(failure_threshold=3, timeout=60.0, success_threshold=2)
    for _ in range(3):
        breaker.fail(NOW)
    return breaker


def test_it_opens_after_failures_in_a_row_and_only_then() -> None:
    breaker = Breaker(failure_threshold=3)
    for outcome in (breaker.fail, breaker.fail, breaker.succeed, breaker.fail, breaker.fail):
        outcome(NOW)
        assert breaker.state(NOW) is CLOSED
        assert breaker.permits(NOW)
    assert breaker.failures == 2
    breaker.fail(NOW)
    assert breaker.state(NOW) is OPEN
    assert not breaker.permits(NOW)
    assert not breaker.take(NOW)


def test_after_its_timeout_it_admits_one_probe_at_a_time() -> None:
    breaker = opened()
    assert not breaker.permits(NOW + 59.9)
    assert breaker.state(NOW + 60) is HALF_OPEN
    assert [breaker.take(NOW + 60) for _ in range(1000)].count(True) == 1
    assert not breaker.permits(NOW + 60)


def test_a_probe_without_an_outcome_lets_the_next_one_go() -> None:
    breaker = opened()
    breaker.take(NOW + 60)
    breaker.give_up()
    assert breaker.take(NOW + 61)


def test_it_closes_after_enough_successes() -> None:
    breaker = opened()
    for second, state in ((60, HALF_OPEN), (61, CLOSED)):
        assert breaker.take(NOW + second)
        breaker.succeed(NOW + second)
        assert breaker.state(NOW + second) is state
    assert breaker.failures == 0


def test_closing_once_does_not_shorten_the_next_time() -> None:
    breaker = opened()
    for second in (60, 61):
        breaker.succeed(NOW + second)
    for _ in range(3):
        breaker.fail(NOW + 70)
    breaker.succeed(NOW + 130)
    assert breaker.state(NOW + 130) is HALF_OPEN


def test_one_failure_of_a_probe_opens_it_for_a_whole_timeout_and_forgets_successes() -> None:
    breaker = opened()
    breaker.take(NOW + 60)
    breaker.succeed(NOW + 60)
    breaker.take(NOW + 61)
    breaker.fail(NOW + 61)
    assert breaker.state(NOW + 120.9) is OPEN
    assert breaker.state(NOW + 121) is HALF_OPEN
    breaker.succeed(NOW + 121)
    assert breaker.state(NOW + 121) is HALF_OPEN


def test_late_failures_do_not_push_the_retry_out_and_late_successes_do_not_close() -> None:
    breaker = opened()
    breaker.fail(NOW + 50)
    breaker.succeed(NOW + 55)
    assert breaker.state(NOW + 59.9) is OPEN
    assert breaker.state(NOW + 60) is HALF_OPEN


@pytest.mark.parametrize(
    "keys",
    [
        {"failure_threshold": 0},
        {"success_threshold": 0},
        {"timeout": 0.0},
        {"timeout": float("nan")},
        {"timeout": float("inf")},
    ],
)
def test_one_that_could_never_open_or_close_is_refused(keys: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="a breaker needs thresholds"):
        Breaker(**keys)  # type: ignore[arg-type]


def test_as_the_seed_has_it_five_failures_open_it_for_a_minute_and_three_successes_close_it() -> None:
    breaker = Breaker()
    for _ in range(4):
        breaker.fail(NOW)
    assert breaker.state(NOW) is CLOSED
    breaker.fail(NOW)
    assert breaker.state(NOW + 59.9) is OPEN
    assert breaker.state(NOW + 60) is HALF_OPEN
    for _ in range(2):
        breaker.succeed(NOW + 60)
        assert breaker.state(NOW + 60) is HALF_OPEN
    breaker.succeed(NOW + 60)
    assert breaker.state(NOW + 60) is CLOSED


def test_one_success_may_be_enough() -> None:
    breaker = Breaker(failure_threshold=1, timeout=1.0, success_threshold=1)
    breaker.fail(NOW)
    breaker.succeed(NOW + 1)
    assert breaker.state(NOW + 1) is CLOSED


def test_the_outcome_of_a_probe_lets_the_next_one_go() -> None:
    breaker = opened()
    breaker.take(NOW + 60)
    breaker.succeed(NOW + 60)
    assert breaker.take(NOW + 60)
    breaker.fail(NOW + 61)
    assert not breaker.permits(NOW + 120.9)
    assert breaker.take(NOW + 121)
    assert not breaker.permits(NOW + 121)
