"""How long to wait before the next attempt to connect."""

from random import Random

FIRST = 0.25
"""Seconds before the second attempt; doubled for each further one."""


class Backoff:
    """Exponential, with jitter between half and all of each pause, so that gateways do not march in step."""

    def __init__(self, longest: float, rng: Random) -> None:
        """Longest: the cap on a pause, seconds."""
        self._longest = longest
        self._rng = rng
        self._next = FIRST

    def reset(self) -> None:
        """Start again from the shortest pause: the far side has answered."""
        self._next = FIRST

    def pause(self) -> float:
        """Return the seconds to wait now, and lengthen the next pause."""
        ceiling = min(self._next, self._longest)
        self._next = min(2 * ceiling, self._longest)
        return ceiling * self._rng.uniform(0.5, 1.0)
