"""What was granted for a time, and how much of it is left, with the time in which the gateway was away counted.

Within one boot by the clock that goes on in suspend; over a reboot by the wall clock, if it was trusted then and is
now. Where neither can tell, nothing is left.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any


class LastingTime:
    """Measures grants of time."""

    def __init__(self, boot: str, ticks: Callable[[], float], wall: Callable[[], float | None]) -> None:
        """Boot: the kernel's name of this boot. Ticks: seconds since it, suspend included. Wall: None: not trusted."""
        self._boot = boot
        self._ticks = ticks
        self._wall = wall

    def grant(self, seconds: float) -> dict[str, Any]:
        """Return so many seconds from now as the journal keeps them."""
        wall = self._wall()
        return {
            "seconds": seconds,
            "boot": self._boot,
            "ticks": self._ticks() + seconds,
            "wall": None if wall is None else wall + seconds,
        }

    def left(self, granted: Mapping[str, Any]) -> float | None:
        """Return the seconds that are left, 0 or less where it is over; None where nobody can tell."""
        seconds, ticks, until = (granted.get(key) for key in ("seconds", "ticks", "wall"))
        if not isinstance(seconds, (int, float)):
            return None
        if self._boot and granted.get("boot") == self._boot and isinstance(ticks, (int, float)):
            return min(ticks - self._ticks(), seconds)  # a sum of floats may be more than its parts; a grant is not
        wall = self._wall()
        if wall is None or not isinstance(until, (int, float)):
            return None
        return until - wall if until - wall <= seconds else None  # more than was given: the clock was turned back


def boot_ticks() -> float:
    """Return the seconds since this machine was started, suspend included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
