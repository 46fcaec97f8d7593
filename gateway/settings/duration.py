"""Durations as the configuration writes them: `250ms`, `2s`, `5m`, `1h`. Pure."""

import re

from drivers.values import Seconds

PATTERN = r"^[0-9]+(\.[0-9]+)?(ms|s|m|h)$"
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)", re.ASCII)
_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
_LONGEST = 10 * 365 * 86400


def parse_duration(text: str) -> Seconds:
    """Return the seconds that a text such as `250ms` means. Raises ValueError with advice."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no duration; write it as 250ms, 2s, 5m or 1h")
    figure, unit = found.groups()
    seconds = float(figure) * _MILLISECONDS[unit] / 1000
    if not seconds <= _LONGEST:
        raise ValueError(f"{text!r} is longer than ten years")
    return Seconds(seconds)


def write_duration(seconds: Seconds) -> str:
    """Return a duration as the configuration writes it, in the largest unit that leaves a whole number."""
    total = round(seconds * 1000, 6)
    for unit, milliseconds in reversed(_MILLISECONDS.items()):
        if total and total % milliseconds == 0:
            return f"{int(total // milliseconds)}{unit}"
    return f"{total:g}ms" if total else "0s"
