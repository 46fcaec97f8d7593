"""A unit that answers, but later than it was given, gets the time that it takes."""

from drivers.modbus.slowness import Slowness


def test_a_unit_that_was_never_late_gets_what_was_thought_of() -> None:
    assert Slowness().patience(1, 0.2, 1.0) == 0.2


def test_a_unit_that_was_late_gets_half_as_much_again_as_it_took() -> None:
    slowness = Slowness()
    slowness.note(1, 0.4)
    slowness.note(1, 0.3)
    assert slowness.patience(1, 0.2, 1.0) == 1.5 * 0.4
    assert slowness.patience(2, 0.2, 1.0) == 0.2


def test_no_unit_gets_more_than_the_most_or_less_than_what_was_thought_of() -> None:
    slowness = Slowness()
    slowness.note(1, 0.9)
    assert slowness.patience(1, 0.2, 1.0) == 1.0
    assert slowness.patience(1, 3.0, 1.0) == 3.0
