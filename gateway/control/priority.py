"""Who may set a tag: one place a role, the highest that is taken wins, and every wish can end. Pure.

The idea is BACnet's priority array, with names instead of numbers and an owner each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from math import inf
from typing import NamedTuple

from gateway.safety.constraint import Setting


class Slot(IntEnum):
    """The places of the array, the strongest first."""

    OPERATOR = 0
    AUTOMATIC = 1
    DEFAULT = 2


class Wish(NamedTuple):
    """What somebody wants a tag to be."""

    value: Setting
    owner: str
    expires: float = inf
    """Monotonic."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Which wish holds."""

    slot: Slot
    wish: Wish


class PriorityArray:
    """The wishes for one tag."""

    __slots__ = ("_wishes", "relinquished")

    def __init__(self, relinquished: Setting | None = None) -> None:
        """Relinquished: what the tag is set to when nobody wishes anything; None leaves it as it is."""
        self._wishes: dict[Slot, Wish] = {}
        self.relinquished = relinquished

    def standing(self, now: float) -> Standing | None:
        """Return the wish that holds now, None where there is none."""
        for slot in Slot:
            wish = self._wishes.get(slot)
            if wish is not None and now < wish.expires:
                return Standing(slot, wish)
        return None

    def outranks(self, slot: Slot, owner: str, now: float) -> bool:
        """Return whether another wish goes before one in this slot.

        A stronger one does, and in the same slot that of another owner who has asked for a time of their own; with
        none asked for, who writes last in a slot holds it.
        """
        standing = self.standing(now)
        if standing is None or standing.slot > slot:
            return False
        return standing.slot < slot or (standing.wish.owner != owner and standing.wish.expires < inf)

    def enter(self, slot: Slot, wish: Wish) -> None:
        """Put a wish into its place; whoever was there before is no longer heard."""
        self._wishes[slot] = wish

    def relinquish(self, slot: Slot, owner: str) -> bool:
        """Take an owner's wish back; return whether there was one."""
        wish = self._wishes.get(slot)
        if wish is None or wish.owner != owner:
            return False
        del self._wishes[slot]
        return True

    def ended(self, now: float) -> list[Slot]:
        """Take out what has expired; return its places."""
        ended = [slot for slot, wish in self._wishes.items() if not now < wish.expires]
        for slot in ended:
            del self._wishes[slot]
        return ended

    def next_expiry(self) -> float:
        """Return when the next wish ends, monotonic; inf if none does."""
        return min((wish.expires for wish in self._wishes.values()), default=inf)

    @property
    def wishes(self) -> Mapping[Slot, Wish]:
        """All of them, for those who show them."""
        return dict(self._wishes)
