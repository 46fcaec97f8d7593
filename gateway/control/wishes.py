"""Who wants what of every tag: the places of its writers, and what is to be written when a wish ends. Pure."""

from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import NamedTuple

from gateway.control.priority import PriorityArray, Slot, Standing, Wish
from gateway.control.refusal import Refused
from gateway.safety.constraint import Setting
from gateway.storage.port import Change, Table
from gateway.tags.tag import Tag


class Successor(NamedTuple):
    """What a tag is to be set to, now that a wish has ended."""

    tag: str
    value: Setting
    owner: str
    """Empty: nobody wishes anything, and the value is the declared one."""


class Wishes:
    """The priority arrays of all tags that anybody has written."""

    def __init__(self, tags: Iterable[Tag], slot: Callable[[str], Slot]) -> None:
        """Slot: the place of a principal, by its role."""
        self._relinquished = {tag.path: tag.settings.relinquish for tag in tags if tag.settings.writable}
        self._slot = slot
        self._arrays: dict[str, PriorityArray] = {}

    def check(self, tag: str, principal: str, now: float) -> None:
        """Raise Refused where somebody else's wish goes before one of this principal."""
        array = self._arrays.get(tag)
        if array is not None and array.outranks(self._slot(principal), principal, now):
            standing = array.standing(now)
            assert standing is not None
            raise Refused("outranked", f"{tag}: {_shown(standing, now)}; it has to be relinquished or end first")

    def enter(self, tag: str, value: Setting, principal: str, expires: float) -> None:
        """Note what somebody wrote. Expires: monotonic; inf until they write another or relinquish."""
        self._array(tag).enter(self._slot(principal), Wish(value, principal, expires))

    def before(self, tag: str, principal: str) -> Wish | None:
        """Return the wish in a principal's place, to be put back where its device refuses what would replace it."""
        return self._array(tag).wishes.get(self._slot(principal))

    def put_back(self, tag: str, principal: str, wish: Wish | None) -> None:
        """Let the wish of before hold again in a principal's place."""
        if wish is None:
            self.relinquish(tag, principal)
        else:
            self._array(tag).enter(self._slot(principal), wish)

    def relinquish(self, tag: str, principal: str) -> bool:
        """Take a principal's wish back; return whether there was one."""
        array = self._arrays.get(tag)
        return array is not None and array.relinquish(self._slot(principal), principal)

    def holds(self, tag: str, principal: str, now: float) -> bool:
        """Return whether the wish that holds is this principal's."""
        standing = self.standing(tag, now)
        return standing is not None and standing.wish.owner == principal

    def standing(self, tag: str, now: float) -> Standing | None:
        """Return the wish that holds, None where there is none."""
        array = self._arrays.get(tag)
        return None if array is None else array.standing(now)

    def knows(self, tag: str) -> bool:
        """Return whether the tag is one that can be written."""
        return tag in self._relinquished

    def ended(self, now: float) -> list[str]:
        """Take out the wishes that have expired; return the tags whose standing wish was among them."""
        changed = []
        for tag, array in self._arrays.items():
            left = array.standing(now)
            ended = array.ended(now)
            if ended and (left is None or min(ended) < left.slot):
                changed.append(tag)
        return changed

    def next_expiry(self) -> float:
        """Return when the next wish ends, monotonic; inf if none does."""
        return min((array.next_expiry() for array in self._arrays.values()), default=inf)

    def successor(self, tag: str, now: float) -> Successor | None:
        """Return what a tag is to be set to when its strongest wish has ended; None leaves it as it is."""
        standing = self.standing(tag, now)
        if standing is not None:
            return Successor(tag, standing.wish.value, standing.wish.owner)
        value = self._relinquished.get(tag)
        return None if value is None else Successor(tag, value, "")

    def changes(self, tag: str) -> tuple[Change, ...]:
        """Return what keeps the wishes for a tag, so that a restart can say which ended with it."""
        array = self._arrays.get(tag)
        wishes = {} if array is None else {slot.name.lower(): wish.owner for slot, wish in array.wishes.items()}
        return (Change(Table.PRIORITIES, tag, wishes or None),)

    @staticmethod
    def ended_with_the_last_run(kept: Mapping[str, object]) -> tuple[list[str], tuple[Change, ...]]:
        """Return the tags that somebody wished for until then, and what forgets them. Kept: Table.PRIORITIES."""
        return sorted(kept), tuple(Change(Table.PRIORITIES, tag, None) for tag in kept)

    def shown(self, tag: str, now: float) -> Mapping[str, str]:
        """Return the wishes for a tag by place, for those who show them."""
        array = self._arrays.get(tag)
        if array is None:
            return {}
        return {
            slot.name.lower(): f"{wish.value} by {wish.owner}"
            for slot, wish in array.wishes.items()
            if now < wish.expires
        }

    def _array(self, tag: str) -> PriorityArray:
        array = self._arrays.get(tag)
        if array is None:
            array = self._arrays[tag] = PriorityArray(self._relinquished.get(tag))
        return array


def _shown(standing: Standing, now: float) -> str:
    left = standing.wish.expires - now
    how_long = "" if left == inf else f" for {left:.0f} s"
    return f"{standing.wish.owner} ({standing.slot.name.lower()}) holds it at {standing.wish.value}{how_long}"
