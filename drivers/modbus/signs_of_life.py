"""Whether a unit that did not answer in time is there all the same. Pure."""

from collections.abc import Callable
from math import inf

_NOT_THE_UNIT = ("exception_10", "exception_11")
"""Said by a gateway in front of the unit: it has no path to it, or waits for it in vain."""


class SignsOfLife:
    """What was heard of one unit since it was asked in vain."""

    def __init__(self, heard: Callable[[], float] | None) -> None:
        """Heard: when a frame of the unit last arrived, on a clock that only grows."""
        self._heard = heard
        self._mark = inf

    def listen(self) -> None:
        """Take whatever comes from the unit from here on for news; it was, or is now going to be, asked in vain."""
        if self._heard is not None:
            self._mark = self._heard()

    def settle(self) -> None:
        """Forget the question: the unit answered, and what came until now is no news any more."""
        self._mark = inf

    def heard(self) -> bool:
        """Tell whether there is news of the unit; told once."""
        if self._heard is None or not self._heard() > self._mark:
            return False
        self._mark = inf
        return True

    def in_fault(self, kind: str) -> bool:
        """Tell whether a request that failed so shows a living unit: by what was said, or by a late answer."""
        return (kind.startswith("exception_") and kind not in _NOT_THE_UNIT) or self.heard()
