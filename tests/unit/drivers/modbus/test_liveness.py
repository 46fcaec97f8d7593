"""What silence on a link means: a dead unit, or a dead link."""

from drivers.modbus.frame import Frame
from drivers.modbus.liveness import NEVER, Liveness


def test_a_link_is_given_up_after_three_requests_without_a_byte() -> None:
    link = Liveness()
    assert [link.note_silence(1) for _ in range(3)] == [False, False, True]
    assert link.unanswered == 3


def test_any_byte_shows_that_the_link_lives() -> None:
    link = Liveness()
    link.note_silence(1)
    link.note_silence(1)
    link.note_bytes()
    assert [link.note_silence(1) for _ in range(3)] == [False, False, True]


def test_a_dead_unit_does_not_end_the_link_before_those_that_answered_are_silent_too() -> None:
    link = Liveness()
    link.note_answer(2)
    assert not any(link.note_silence(1) for _ in range(10))
    assert link.note_silence(2)


def test_a_unit_is_heard_by_its_own_frames_alone() -> None:
    link = Liveness()
    assert link.heard(1) == NEVER
    link.note_frame(Frame(0, 1, 0x83, b"\x0b"), 5.0)  # a gateway's: it waited for the unit in vain
    before = link.has_heard
    link.note_frame(Frame(0, 1, 0x83, b"\x02"), 6.0)
    assert (before, link.has_heard) == (False, True)
    assert link.heard(1) == 6.0
    assert link.heard(2) == NEVER
