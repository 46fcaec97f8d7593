"""The priority array of a tag."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.control.priority import PriorityArray, Slot, Wish

NOW = 1000.0
OPERATOR, AUTOMATIC, DEFAULT = Slot.OPERATOR, Slot.AUTOMATIC, Slot.DEFAULT


def array(*wishes: tuple[Slot, str, float]) -> PriorityArray:
    """Wishes: slot, owner, seconds that it lasts."""
    made = PriorityArray(relinquished=400.0)
    for slot, owner, seconds in wishes:
        made.enter(slot, Wish(450.0 + slot, owner, NOW + seconds))
    return made


def test_nobody_s_wish_holds_where_there_is_none() -> None:
    assert array().standing(NOW) is None
    assert not array().outranks(DEFAULT, "anybody", NOW)


def test_the_strongest_wish_holds_until_it_ends() -> None:
    both = array((AUTOMATIC, "optimizer", 60), (OPERATOR, "ann", 10))
    for second, slot in ((0, OPERATOR), (9.9, OPERATOR), (10, AUTOMATIC)):
        standing = both.standing(NOW + second)
        assert standing is not None
        assert standing.slot is slot
    assert both.standing(NOW + 60) is None


def test_a_weaker_slot_and_another_owner_of_the_same_are_outranked() -> None:
    held = array((AUTOMATIC, "optimizer", 60))
    assert held.outranks(DEFAULT, "schedule", NOW)
    assert held.outranks(AUTOMATIC, "other", NOW)
    assert not held.outranks(AUTOMATIC, "optimizer", NOW)
    assert not held.outranks(OPERATOR, "ann", NOW)
    assert not held.outranks(DEFAULT, "schedule", NOW + 60)


def test_only_the_owner_takes_a_wish_back() -> None:
    held = array((OPERATOR, "ann", 60))
    assert not held.relinquish(OPERATOR, "ben")
    assert not held.relinquish(AUTOMATIC, "ann")
    assert held.relinquish(OPERATOR, "ann")
    assert held.standing(NOW) is None


def test_what_has_ended_is_taken_out_once() -> None:
    held = array((OPERATOR, "ann", 10), (AUTOMATIC, "optimizer", 60))
    assert held.next_expiry() == NOW + 10
    assert held.ended(NOW + 9) == []
    assert held.ended(NOW + 10) == [OPERATOR]
    assert held.ended(NOW + 10) == []
    assert list(held.wishes) == [AUTOMATIC]
    assert array().next_expiry() == float("inf")


@given(
    st.lists(st.tuples(st.sampled_from(list(Slot)), st.sampled_from("abc"), st.floats(0, 100)), max_size=10),
    st.floats(0, 100),
)
def test_no_weaker_wish_ever_stands_before_a_stronger_one(wishes: list[tuple[Slot, str, float]], second: float) -> None:
    made = array(*wishes)
    alive = [slot for slot, wish in made.wishes.items() if NOW + second < wish.expires]
    standing = made.standing(NOW + second)
    assert (standing.slot if standing else None) == min(alive, default=None)
