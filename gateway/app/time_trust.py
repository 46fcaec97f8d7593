"""Whether the wall clock can be trusted: what the kernel says of its synchronisation (adjtimex(2))."""

import ctypes
from collections.abc import Callable

from gateway.clock import Clock
from gateway.settings.model import TimeSettings

EVERY = 1.0
"""Seconds for which an answer of the kernel holds."""

_ERROR = 5
"""TIME_ERROR of <sys/timex.h>: the clock is not synchronised, or never was."""
_SIZE = 208
"""Bytes of `struct timex`; what is in it is of no interest, and its first field, 0, asks for nothing to be changed."""


class TimeTrust:
    """Asks the kernel, at most once a second."""

    def __init__(self, settings: TimeSettings, clock: Clock, ask: "Callable[[], bool] | None" = None) -> None:
        self._required = settings.require_sync
        self._clock = clock
        self._ask = ask or kernel_says_synchronised
        self._asked = float("-inf")
        self._answer = False

    def __call__(self) -> bool:
        """Return whether the wall clock is trusted now."""
        if not self._required:
            return True
        now = self._clock.monotonic()
        if not now - self._asked < EVERY:
            self._asked, self._answer = now, self._ask()
        return self._answer


def kernel_says_synchronised() -> bool:
    """Return whether the kernel's clock is disciplined; any doubt is a no."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return False
    state = int(adjtimex(ctypes.create_string_buffer(2 * _SIZE)))
    return 0 <= state < _ERROR
