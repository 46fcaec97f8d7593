"""When and where a record was made: wall time, monotonic time and boot id."""

from datetime import UTC, datetime
from pathlib import Path

from gateway.clock import Clock
from gateway.storage.port import Record

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_EARLIEST, _LATEST = 0.0, 253_402_300_799.0


class Stamp:
    """Adds `time`, `monotonic` and `boot` to records; two monotonic times compare within one boot only."""

    def __init__(self, clock: Clock, boot: str) -> None:
        self._clock = clock
        self._boot = boot

    def wall(self) -> float:
        """Return seconds since 1970, as far as this machine knows."""
        return self._clock.wall()

    def __call__(self, record: Record) -> Record:
        """Return the record with the time it was made. What it brings of its own under these names is replaced."""
        return {
            **record,
            "time": time_text(self._clock.wall()),
            "monotonic": round(self._clock.monotonic(), 6),
            "boot": self._boot,
        }


def read_boot_id() -> str:
    """Return the kernel's name for this boot; empty where it gives none."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def time_text(seconds: float) -> str:
    """Return seconds since 1970 as RFC 3339 in UTC with microseconds; 1970 for what no calendar holds."""
    known = seconds if _EARLIEST <= seconds <= _LATEST else 0.0
    return f"{datetime.fromtimestamp(known, UTC).isoformat(timespec='microseconds')[:26]}Z"
