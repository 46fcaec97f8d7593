"""Percentiles of what was measured, and how busy the machine was meanwhile."""

import os
import statistics
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple, Self

TURN = 0.005
"""Seconds that the idle thread sleeps at a time."""


class Figures(NamedTuple):
    """Percentiles, milliseconds."""

    p50: float
    p95: float
    p99: float
    longest: float

    def over(self, floor: "Figures") -> str:
        """Return the ratios to a floor."""
        return f"{self.p50 / floor.p50:.1f} (p50), {self.p95 / floor.p95:.1f} (p95), {self.p99 / floor.p99:.1f} (p99)"


def figures(seconds: Sequence[float]) -> Figures:
    """Return the percentiles of some times, seconds."""
    hundredths = statistics.quantiles(seconds, n=100)
    return Figures(*(1000 * each for each in (hundredths[49], hundredths[94], hundredths[98], max(seconds))))


def say(what: str, seconds: Sequence[float], wanted: str = "") -> Figures:
    """Print one line, and return what it says."""
    found = figures(seconds)
    goal = f" (wanted: {wanted})" if wanted else ""
    print(
        f"{what}, {len(seconds)} times: p50 {found.p50:.2f} ms, p95 {found.p95:.2f}, p99 {found.p99:.2f},"
        f" longest {found.longest:.1f}{goal}",
        flush=True,
    )
    return found


class Meanwhile:
    """How the machine was while something was measured: its load, and how late an idle thread woke up."""

    def __enter__(self) -> Self:
        self._late: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        print(
            f"  meanwhile: load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, a thread that did nothing woke up"
            f" late by {figures(self._late).p99:.1f} ms (p99), {1000 * max(self._late):.1f} at most",
            flush=True,
        )

    def _watch(self) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            time.sleep(TURN)
            self._late.append(time.monotonic() - began - TURN)
