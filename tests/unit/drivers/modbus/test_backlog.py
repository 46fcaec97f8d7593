"""What the silence of one unit says of the next: a gateway that takes one request after the other answers nobody."""

from drivers.modbus.backlog import LONGEST, MOST, Backlog

LATE = 1.0
"""How long an answer may take that is welcome all the same."""
SECONDS = 0.2
"""How long the neighbours would like a request to take."""


def fallen_silent(backlog: Backlog | None = None, unit: int = 1) -> Backlog:
    """Return what a link owes on which a unit was asked in vain at 0, as its request 1."""
    backlog = backlog or Backlog()
    backlog.ask(unit, 0.0, SECONDS, LATE)
    backlog.give_up(1, LATE)
    return backlog


def queueing() -> Backlog:
    """Return that of a gateway which was kept by unit 1 for 1.05 s, as unit 2 showed."""
    backlog = fallen_silent()
    backlog.ask(2, 0.2, SECONDS, LATE)
    backlog.answered(1.05, by_unit=True)
    return backlog


def test_a_link_that_owes_nothing_is_waited_for_as_long_as_was_asked() -> None:
    assert Backlog().ask(1, 5.0, SECONDS, LATE) == 5.2


def test_behind_a_silent_unit_another_one_has_its_time_once_the_gateway_may_be_free() -> None:
    assert fallen_silent().ask(2, 0.2, SECONDS, LATE) == LATE + SECONDS


def test_behind_itself_a_silent_unit_gets_no_longer() -> None:
    assert fallen_silent().ask(1, 0.3, SECONDS, LATE) == 0.5


def test_once_the_silent_unit_cannot_keep_the_gateway_any_more_nothing_is_added() -> None:
    assert fallen_silent().ask(2, 1.0, SECONDS, LATE) == 1.2


def test_a_gateway_that_kept_one_waiting_is_given_that_time_for_every_request() -> None:
    backlog = queueing()
    assert backlog.queues
    assert backlog.ask(1, 10.0, SECONDS, LATE) == 11.05


def test_a_gateway_that_answers_for_others_meanwhile_makes_nobody_wait() -> None:
    backlog = fallen_silent()
    backlog.ask(2, 0.2, SECONDS, LATE)
    backlog.answered(0.25, by_unit=True)
    assert backlog.queues is False
    assert backlog.ask(3, 0.25, SECONDS, LATE) == 0.45


def test_an_answer_that_comes_when_the_gateway_may_have_given_up_proves_nothing() -> None:
    backlog = fallen_silent()
    backlog.ask(2, 0.9, SECONDS, LATE)
    backlog.answered(1.05, by_unit=True)
    assert backlog.queues is None


def test_of_units_that_die_together_one_alone_is_waited_for() -> None:
    backlog = fallen_silent()
    backlog.ask(2, 0.2, SECONDS, LATE)
    backlog.give_up(2, LATE)
    assert backlog.ask(3, 0.4, SECONDS, LATE) == 0.4 + SECONDS


def test_an_answer_allows_for_one_more_that_is_waited_for() -> None:
    backlog = fallen_silent()
    backlog.ask(2, 0.2, SECONDS, LATE)
    backlog.give_up(2, LATE)
    backlog.ask(3, 0.8, SECONDS, LATE)
    backlog.answered(0.9, by_unit=True)  # too late to show that the gateway serves others meanwhile
    assert backlog.queues is None
    assert backlog.ask(4, 0.9, SECONDS, LATE) == 0.2 + LATE + SECONDS


def test_a_living_unit_that_answers_late_behind_a_dead_one_shows_that_the_gateway_queues() -> None:
    backlog = fallen_silent()
    backlog.ask(2, 0.2, SECONDS, LATE)
    backlog.give_up(2, LATE)
    backlog.came_late(2, 2.0, by_unit=True)
    assert backlog.queues
    assert backlog.ask(3, 2.0, SECONDS, LATE) == 4.0


def test_a_gateway_that_serves_a_living_unit_after_it_spoke_for_a_dead_one_shows_how_long_that_took() -> None:
    backlog = fallen_silent()
    backlog.ask(2, 0.2, 3.0, LATE)
    backlog.came_late(1, 1.0, by_unit=False)
    before = backlog.queues
    backlog.answered(1.05, by_unit=True)
    assert (before, backlog.queues) == (None, True)
    assert backlog.ask(2, 5.0, SECONDS, LATE) == 6.0


def test_what_a_gateway_says_of_several_dead_units_does_not_show_that_it_queues() -> None:
    backlog = fallen_silent()
    backlog.ask(2, 0.2, SECONDS, LATE)
    backlog.came_late(1, 1.0, by_unit=False)
    backlog.give_up(2, LATE)
    backlog.came_late(2, 1.3, by_unit=False)
    backlog.ask(3, 1.3, SECONDS, LATE)
    backlog.answered(2.3, by_unit=False)
    assert backlog.queues is None


def test_a_gateway_that_speaks_for_a_dead_unit_while_nobody_waits_shows_nothing() -> None:
    backlog = fallen_silent()
    backlog.came_late(1, 1.0, by_unit=False)
    assert backlog.queues is None
    assert backlog.ask(2, 1.0, SECONDS, LATE) == 1.2


def test_a_unit_that_is_slow_by_itself_gets_its_time_and_no_other_unit_does() -> None:
    backlog = fallen_silent()
    assert backlog.came_late(1, 0.4, by_unit=True)
    assert backlog.queues is None
    assert backlog.ask(1, 5.0, SECONDS, LATE) == 5.0 + 1.5 * 0.4
    assert backlog.ask(2, 6.0, SECONDS, LATE) == 6.2


def test_no_unit_gets_more_than_the_configuration_gives_it() -> None:
    backlog = fallen_silent()
    backlog.came_late(1, 0.9, by_unit=True)
    assert backlog.ask(1, 5.0, SECONDS, LATE) == 5.0 + LATE


def test_no_gateway_is_waited_for_without_end() -> None:
    backlog = fallen_silent()
    backlog.ask(2, 0.2, SECONDS, LATE)
    backlog.give_up(2, LATE)
    backlog.came_late(2, 1000.0, by_unit=True)
    assert backlog.ask(1, 2000.0, SECONDS, LATE) == 2000.0 + LONGEST


def test_what_is_owed_is_bounded_and_the_oldest_is_forgotten() -> None:
    backlog = Backlog()
    for number in range(1, MOST + 2):
        backlog.ask(number, 0.0, SECONDS, 100.0)
        backlog.give_up(number, 100.0)
    backlog.came_late(1, 50.0, by_unit=True)
    assert backlog.ask(1, 500.0, SECONDS, 100.0) == 500.2
    backlog.answered(500.1, by_unit=True)
    backlog.came_late(2, 501.0, by_unit=True)
    assert backlog.queues


def test_an_answer_to_a_request_that_nobody_knows_teaches_nothing() -> None:
    backlog = Backlog()
    assert not backlog.came_late(7, 1.0, by_unit=True)
    assert backlog.queues is None
    assert backlog.ask(1, 5.0, SECONDS, LATE) == 5.2
