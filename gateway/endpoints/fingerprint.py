"""Whether a device is the one that is configured: some of its tags must read what they always do. Pure.

A controller that was reloaded or exchanged may have another map behind the same address, and then every
value is a wrong one of good quality.
"""

from collections.abc import Mapping
from math import isclose
from typing import NamedTuple, TypeAlias

from drivers.values import Quality, Sample, Value

Mark: TypeAlias = bool | int | float | str

UNREAD = "fingerprint_unread"
"""The reason of all samples until every tag of the fingerprint was read."""
MISMATCH = "fingerprint_mismatch"
"""The reason of all samples of a device that is another."""
CLOSE = 1e-6
"""How far, relatively, a number may be off: a float32 does not hold 4.7."""


class Doubt(NamedTuple):
    """Why a device is not believed."""

    reason: str
    why: str
    """A line for the log."""


def find_doubt(expected: Mapping[str, Mark], seen: Mapping[str, Sample]) -> Doubt | None:
    """Return why the device is not believed, None where every tag reads what is expected of it."""
    doubt = None
    for name, mark in expected.items():
        sample = seen[name]
        if sample.quality is not Quality.GOOD:
            doubt = doubt or Doubt(UNREAD, f"{name} is {sample.quality.word} ({sample.reason}), so it proves nothing")
        elif not _is_alike(mark, sample.value):
            return Doubt(MISMATCH, f"{name} reads {sample.value!r} and not {mark!r}: another device, or another map")
    return doubt


def _is_alike(mark: Mark, value: Value) -> bool:
    # To Python True is 1; to whoever exchanged the map it is not.
    if isinstance(mark, (bool, str)) or isinstance(value, bool):
        return type(mark) is type(value) and mark == value
    return isinstance(value, (int, float)) and isclose(mark, value, rel_tol=CLOSE)
