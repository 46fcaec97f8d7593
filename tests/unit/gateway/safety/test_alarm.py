"""The alarm's table, and that it follows its condition."""

import pytest

from gateway.safety.alarm import HIDDEN, TRANSITIONS, Alarm, AlarmEvent, AlarmState
from tests.unit.gateway.safety.plant import NOW

S = AlarmState
SHOWING = (AlarmEvent.SHOW_ACTIVE, AlarmEvent.SHOW_LATCHED, AlarmEvent.SHOW_NORMAL)
HIDING = (AlarmEvent.SHELVE, AlarmEvent.SUPPRESS, AlarmEvent.REMOVE)


def alarm(*steps: str, latched: bool = False) -> Alarm:
    """Steps: raise, clear, ack, reset."""
    made = Alarm()
    for step in steps:
        if step == "ack":
            made.acknowledge()
        else:
            made.observe(NOW, active=step == "raise", latched=latched and step != "reset")
    return made


@pytest.mark.parametrize(
    ("steps", "latched", "state"),
    [
        ((), False, S.NORMAL),
        (("raise",), False, S.UNACK_ACTIVE),
        (("raise", "ack"), False, S.ACK_ACTIVE),
        (("raise", "ack", "clear"), False, S.NORMAL),
        (("raise", "clear"), False, S.RTN_UNACK),
        (("raise", "clear", "ack"), False, S.NORMAL),
        (("raise", "clear", "raise"), False, S.UNACK_ACTIVE),
        (("raise", "ack", "clear"), True, S.LATCHED),
        (("raise", "clear", "ack"), True, S.LATCHED),
        (("raise", "ack", "clear", "reset"), True, S.NORMAL),
        (("raise", "ack", "clear", "raise"), True, S.UNACK_ACTIVE),
        (("raise", "clear", "reset"), True, S.RTN_UNACK),
        (("raise", "clear", "reset", "ack"), True, S.NORMAL),
        (("raise", "ack", "ack"), True, S.ACK_ACTIVE),
        (("clear",), False, S.NORMAL),
        (("ack",), False, S.NORMAL),
    ],
)
def test_it_follows_the_table(steps: tuple[str, ...], *, latched: bool, state: AlarmState) -> None:
    assert alarm(*steps, latched=latched).state is state


def test_it_says_when_its_state_changed() -> None:
    made = Alarm()
    assert made.observe(NOW, active=True, latched=False)
    assert not made.observe(NOW, active=True, latched=False)
    assert made.acknowledge()
    assert not made.acknowledge()


def test_a_shelved_alarm_comes_back_by_itself_as_its_condition_is_then() -> None:
    made = alarm("raise")
    assert made.shelve(NOW + 10)
    assert not made.observe(NOW + 9.9, active=True, latched=False)
    assert made.observe(NOW + 10, active=True, latched=False)
    assert made.state is S.UNACK_ACTIVE


def test_a_condition_that_changes_while_it_is_hidden_is_not_lost() -> None:
    made = alarm("raise", "ack")
    made.suppress()
    made.observe(NOW, active=False, latched=False)
    made.show()
    states = [made.state]
    made.remove()
    made.observe(NOW, active=True, latched=True)
    states.append(made.state)
    made.observe(NOW, active=False, latched=True)
    made.show()
    assert [*states, made.state] == [S.NORMAL, S.OUT_OF_SERVICE, S.LATCHED]


def test_an_acknowledgement_shows_nothing_that_is_hidden() -> None:
    made = alarm("raise")
    made.shelve(NOW + 10)
    assert not made.acknowledge()
    assert made.state is S.SHELVED


def test_every_hidden_state_can_be_left_and_every_shown_one_hidden() -> None:
    for state in AlarmState:
        if state in HIDDEN:
            shown = {
                TRANSITIONS[state, event]
                for event in (AlarmEvent.SHOW_ACTIVE, AlarmEvent.SHOW_LATCHED, AlarmEvent.SHOW_NORMAL)
            }
            assert shown == {S.UNACK_ACTIVE, S.LATCHED, S.NORMAL}
        else:
            hidden = {
                TRANSITIONS[state, event] for event in (AlarmEvent.SHELVE, AlarmEvent.SUPPRESS, AlarmEvent.REMOVE)
            }
            assert hidden == HIDDEN


def test_showing_what_is_shown_changes_nothing() -> None:
    made = alarm("raise", "ack")
    assert not made.show()
    assert made.state is S.ACK_ACTIVE


@pytest.mark.parametrize(("hide", "state"), [("suppress", S.SUPPRESSED), ("remove", S.OUT_OF_SERVICE)])
def test_it_is_hidden_by_what_hides_it_and_says_so_once(hide: str, state: AlarmState) -> None:
    made = alarm("raise")
    assert getattr(made, hide)()
    assert made.state is state
    assert not getattr(made, hide)()
    assert made.show()
    assert made.state is S.UNACK_ACTIVE


def test_one_whose_trip_is_remembered_begins_latched() -> None:
    made = Alarm(latched=True)
    assert (made.state, made.latched, made.active) == (S.LATCHED, True, False)
    assert made.observe(NOW, active=False, latched=False)
    assert made.state is S.NORMAL
    assert Alarm().observe(NOW, active=False, latched=False) is False


def test_one_that_was_never_shelved_is_not_shown_by_time_alone() -> None:
    made = alarm("raise", "ack")
    made.remove()
    assert not made.observe(NOW + 1e9, active=True, latched=False)
    assert made.state is S.OUT_OF_SERVICE
