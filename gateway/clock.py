"""Time as a dependency: whoever needs it is handed a Clock, so that tests can run on virtual time."""

import time
from typing import Protocol


class Clock(Protocol):
    """Two clocks that are never mixed: ages and delays on one, records on the other."""

    def monotonic(self) -> float:
        """Seconds that only go forward; for ages, deadlines and delays."""

    def wall(self) -> float:
        """Seconds since 1970 UTC, as far as this machine knows; for records and payloads only."""


class SystemClock:
    """The machine's clocks. `monotonic` is the one that asyncio's loop runs on."""

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()
