"""When the next scan is due: a fixed grid, without drift and without pile-up. Pure."""

from math import ceil, floor

LONGEST_STAGGER = 1.0
"""Seconds over which the scans of all devices are spread at most."""


def next_due(due: float, period: float, now: float) -> tuple[float, int]:
    """Return the first time on the grid of `due` that is not past, and how many were passed over.

    Times are monotonic seconds; `due` is when the scan that just ended was due.
    """
    missed = max(floor((now - due) / period), 0)
    upcoming = due + (missed + 1) * period
    return upcoming, missed


def begin_grid(now: float, period: float, phase: float) -> float:
    """Return the due time, on the grid of `phase`, of a scan that begins now, wherever on the period that is.

    The next on the grid then follows after a tenth of a period at the earliest, and eleven tenths at the latest.
    """
    return phase + ceil((now - phase) / period - 0.9) * period


def phase_of(place: int, devices: int, period: float) -> float:
    """Return where on its period the grid of a device lies, seconds, so that devices do not scan all at once.

    Place: the device's among all `devices`, from 0.
    """
    return place / devices * min(period, LONGEST_STAGGER)
