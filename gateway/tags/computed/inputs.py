"""How far a computed value may be believed, and of when it is: what follows from its inputs. Pure."""

from collections.abc import Iterable, Sequence

from drivers.values import Quality, Sample, Value, bad

COMPUTATION = "computation"
"""The reason of a value that could not be calculated: a division by zero, a text where a number is needed."""
DEGRADED = "degraded"
"""The reason of a value that was made without some of its inputs, by a rule that allows it."""


def worst(samples: Iterable[Sample]) -> Sample:
    """Return the first of the samples with the lowest quality."""
    return min(samples, key=_quality)


def failure(samples: Iterable[Sample]) -> Sample:
    """Return the BAD sample of a tag whose inputs leave no value; it fails for the same reason as they do."""
    return bad(worst(samples).reason or "bad")


def derive(value: Value, samples: Sequence[Sample]) -> Sample:
    """Return the value with the quality and reason of the worst sample.

    Its source time is the oldest of theirs, and None where one of them has none.
    """
    flawed = [sample for sample in samples if sample.quality is not Quality.GOOD]
    times = [sample.source_time for sample in samples]
    oldest = None if None in times else min(times)  # type: ignore[type-var]  # there is no None among them
    if not flawed:
        return Sample(value, Quality.GOOD, "", oldest)
    lowest = worst(flawed)
    return Sample(value, lowest.quality, lowest.reason, oldest)


def doubt(sample: Sample, reason: str) -> Sample:
    """Return a good sample as an uncertain one; a worse one keeps its own reason."""
    return sample._replace(quality=Quality.UNCERTAIN, reason=reason) if sample.quality is Quality.GOOD else sample


def _quality(sample: Sample) -> int:
    return sample.quality
