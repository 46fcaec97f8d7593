"""The control blocks of the simulated PLCs."""

from math import exp, isclose

from simulators.plant.controller import OnDelay, PiController, clamp, lag, ramp


def test_a_lag_of_one_long_step_ends_where_many_short_ones_end() -> None:
    value = 0.0
    for _ in range(100):
        value = lag(value, 10.0, 0.1, 4.0)
    assert isclose(value, lag(0.0, 10.0, 10.0, 4.0))
    assert isclose(value, 10.0 * (1.0 - exp(-2.5)))


def test_a_ramp_moves_by_its_rate_and_stops_at_the_target() -> None:
    assert ramp(1.0, 5.0, 0.5) == 1.5
    assert ramp(1.0, 0.0, 0.5) == 0.5
    assert ramp(4.9, 5.0, 0.5) == 5.0


def test_clamp_keeps_what_is_within() -> None:
    assert [clamp(value, 0.0, 1.0) for value in (-1.0, 0.3, 2.0)] == [0.0, 0.3, 1.0]


def test_a_controller_removes_a_lasting_error() -> None:
    controller = PiController(gain=0.1, reset_time=5.0, low=0.0, high=10.0)
    level = 0.0
    for _ in range(2_000):
        level += (controller.step(50.0 - level, 0.1) - 2.0) * 0.1
    assert abs(level - 50.0) < 0.01


def test_a_controller_at_its_limit_does_not_wind_up() -> None:
    controller = PiController(gain=0.1, reset_time=5.0, low=0.0, high=1.0)
    for _ in range(1_000):
        assert controller.step(100.0, 1.0) == 1.0
    assert controller.integral == 0.0
    assert controller.step(-1.0, 1.0) == 0.0


def test_an_on_delay_starts_anew_after_a_break() -> None:
    delay = OnDelay(1.0)
    assert not delay.step(condition=True, dt=0.9)
    assert not delay.step(condition=False, dt=0.1)
    assert not delay.step(condition=True, dt=0.9)
    assert delay.step(condition=True, dt=0.1)
