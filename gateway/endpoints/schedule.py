"""When the next scan is due: a fixed grid, without drift and without pile-up. Pure."""

from math import floor


def next_due(due: float, period: float, now: float) -> tuple[float, int]:
    """Return the first time on the grid of `due` that is not past, and how many were passed over.

    Times are monotonic seconds; `due` is when the scan that just ended was due.
    """
    missed = max(floor((now - due) / period), 0)
    upcoming = due + (missed + 1) * period
    return upcoming, missed
