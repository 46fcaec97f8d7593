"""From what a device said to what the gateway believes: bits, scaling, range, finiteness, plausible time.

Pure: values in, values out.
"""

from math import isfinite

from drivers.values import Quality, Sample, Value, bad
from gateway.tags.tag import TagSettings

MAX_AHEAD = 5.0
"""Seconds that a source time may be ahead of our wall clock before it is doubted."""
EARLIEST = 946_857_600.0
"""2000-01-03 UTC. A clock that was never set says 1601, 1970 or 2000-01-01, in some time zone."""
FUTURE = "future"
"""The reason of a sample whose source time is too far ahead."""
LARGEST = 2**64
"""No protocol here has wider integers; a wider one could not be scaled or compared safely."""

_NUMBER = (int, float)


def condition(sample: Sample, settings: TagSettings, wall: float) -> Sample:
    """Return the sample in engineering units, its quality lowered where it deserves less.

    `wall` is our clock at receipt, seconds since 1970 UTC.
    """
    value, quality, reason, source_time = sample
    if source_time is not None and not EARLIEST <= source_time <= wall + MAX_AHEAD:
        return _doubt_time(condition(sample._replace(source_time=None), settings, wall), source_time, wall)
    if quality is Quality.BAD:
        return sample if value is None else sample._replace(value=None)
    if value is None:
        return bad(reason or "null", source_time)
    if settings.bit is not None:
        return _take_bit(value, sample, settings.bit)
    if type(value) not in _NUMBER:
        return sample
    return _condition_number(value, sample, settings)  # type: ignore[arg-type]


def _take_bit(value: Value, sample: Sample, bit: int) -> Sample:
    # A negative word is read in two's complement: an int16 of -1 has all its bits set.
    if type(value) is not int:
        return bad("wrong_type", sample.source_time)
    if not -LARGEST <= value <= LARGEST:
        return bad("too_large", sample.source_time)
    return sample._replace(value=bool(value >> bit & 1))


def _condition_number(value: float, sample: Sample, settings: TagSettings) -> Sample:
    if not -LARGEST <= value <= LARGEST and isinstance(value, int):
        return bad("too_large", sample.source_time)
    if not isfinite(value):
        return bad("nan" if value != value else "inf", sample.source_time)  # noqa: PLR0124  (NaN is unlike itself)
    scale, offset, limits = settings.scale, settings.offset, settings.range
    if scale != 1.0 or offset != 0.0:
        value = value * scale + offset
        if not isfinite(value):
            return bad("inf", sample.source_time)
        sample = sample._replace(value=value)
    if limits is None or limits[0] <= value <= limits[1] or sample.quality is not Quality.GOOD:
        return sample
    return sample._replace(quality=Quality.UNCERTAIN, reason="out_of_range")


def _doubt_time(sample: Sample, source_time: float, wall: float) -> Sample:
    # A time that nobody can believe is not passed on: the gateway's own takes its place.
    if sample.quality is not Quality.GOOD:
        return sample
    reason = FUTURE if source_time > wall + MAX_AHEAD else "source_time"
    return sample._replace(quality=Quality.UNCERTAIN, reason=reason)
