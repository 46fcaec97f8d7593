"""The places of a tag's writers."""

from math import inf

import pytest

from drivers.values import Seconds
from gateway.control.priority import Slot
from gateway.control.refusal import Refused
from gateway.control.wishes import Successor, Wishes
from gateway.storage.port import Change, Table
from gateway.tags.tag import Tag, TagSettings

SLOTS = {"ann": Slot.OPERATOR, "bob": Slot.OPERATOR, "robot": Slot.AUTOMATIC, "anybody": Slot.DEFAULT}
TAG = "boiler.setpoint"
NOW = 100.0


def wishes(relinquish: float | None = None) -> Wishes:
    tag = Tag(0, "boiler", "setpoint", TagSettings(writable=True, relinquish=relinquish), Seconds(1))
    read = Tag(1, "boiler", "level", TagSettings(), Seconds(1))
    return Wishes([tag, read], SLOTS.__getitem__)


def outranked(made: Wishes, who: str, now: float = NOW) -> bool:
    try:
        made.check(TAG, who, now)
    except Refused as refused:
        return refused.code == "outranked"
    return False


def test_whoever_comes_first_is_not_outranked() -> None:
    assert not outranked(wishes(), "anybody")


@pytest.mark.parametrize(
    ("holder", "writer", "refused"),
    [
        ("ann", "robot", True),
        ("ann", "anybody", True),
        ("robot", "anybody", True),
        ("robot", "ann", False),
        ("anybody", "robot", False),
        ("ann", "ann", False),
        ("ann", "bob", False),
    ],
)
def test_a_stronger_place_goes_before_a_weaker_one(holder: str, writer: str, refused: bool) -> None:  # noqa: FBT001  (of the table)
    made = wishes()
    made.enter(TAG, 450, holder, inf)
    assert outranked(made, writer) is refused


def test_in_one_place_a_time_that_was_asked_for_is_kept_from_others() -> None:
    made = wishes()
    made.enter(TAG, 450, "ann", NOW + 10)
    assert outranked(made, "bob")
    assert not outranked(made, "ann")
    assert not outranked(made, "bob", NOW + 10)


def test_the_refusal_says_who_holds_it_and_for_how_long() -> None:
    made = wishes()
    made.enter(TAG, 450, "ann", NOW + 10)
    with pytest.raises(Refused, match=r"ann \(operator\) holds it at 450 for 10 s"):
        made.check(TAG, "robot", NOW)


def test_after_a_wish_the_next_place_follows_and_then_the_declared_value() -> None:
    made = wishes(relinquish=100.0)
    made.enter(TAG, 400, "robot", inf)
    made.enter(TAG, 450, "ann", inf)
    assert made.relinquish(TAG, "ann")
    assert made.successor(TAG, NOW) == Successor(TAG, 400, "robot")
    assert made.relinquish(TAG, "robot")
    assert made.successor(TAG, NOW) == Successor(TAG, 100.0, "")


def test_with_no_declared_value_a_tag_is_left_as_it_is() -> None:
    assert wishes().successor(TAG, NOW) is None
    assert wishes().successor("boiler.level", NOW) is None


def test_only_ones_own_wish_can_be_taken_back() -> None:
    made = wishes()
    made.enter(TAG, 450, "ann", inf)
    assert not made.relinquish(TAG, "bob")
    assert not made.relinquish("boiler.other", "ann")
    assert made.holds(TAG, "ann", NOW)
    assert not made.holds("boiler.other", "ann", NOW)


def test_a_wish_that_expires_ends_and_a_weaker_one_that_expires_changes_nothing() -> None:
    made = wishes()
    made.enter(TAG, 400, "robot", NOW + 5)
    made.enter(TAG, 450, "ann", NOW + 10)
    assert made.next_expiry() == NOW + 5
    assert made.ended(NOW + 4) == []
    assert made.ended(NOW + 6) == []
    assert made.ended(NOW + 10) == [TAG]
    assert made.standing(TAG, NOW + 10) is None
    assert made.next_expiry() == inf


def test_when_two_wishes_end_at_once_the_tag_is_named_once() -> None:
    made = wishes()
    made.enter(TAG, 400, "robot", NOW + 5)
    made.enter(TAG, 450, "ann", NOW + 5)
    assert made.ended(NOW + 5) == [TAG]


def test_the_wishes_are_kept_by_place_with_their_owner() -> None:
    made = wishes()
    assert made.changes(TAG) == (Change(Table.PRIORITIES, TAG, None),)
    made.enter(TAG, 450, "ann", NOW + 5)
    assert made.changes(TAG) == (Change(Table.PRIORITIES, TAG, {"operator": "ann"}),)


def test_they_are_shown_while_they_last() -> None:
    made = wishes()
    assert made.shown(TAG, NOW) == {}
    made.enter(TAG, 450, "ann", NOW + 5)
    assert made.shown(TAG, NOW) == {"operator": "450 by ann"}
    assert made.shown(TAG, NOW + 5) == {}
