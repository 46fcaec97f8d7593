"""What can be wrong with a transmitter. Pure: a reading in, a worse reading out."""

from dataclasses import dataclass
from enum import Enum
from math import nan
from typing import NamedTuple

from simulators.spec import Signal


class FaultKind(Enum):
    """The ways in which a transmitter fails."""

    OFFSET = "offset"
    """It shows too much or too little, by a fixed amount."""
    STUCK = "stuck"
    """It shows what it showed when the fault began."""
    NAN = "nan"
    """It shows no number."""
    BAD = "bad"
    """It says of itself that it is broken: a bad status in OPC UA, exception 4 in Modbus."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault as it is injected."""

    kind: FaultKind
    amount: float = 0.0
    """What OFFSET adds, in the signal's unit."""


class Reading(NamedTuple):
    """What a transmitter shows."""

    value: Signal
    good: bool = True


def fits(fault: Fault, value: Signal) -> bool:
    """Say whether a signal of this kind can fail this way: a switch is no number, a counter is never NaN."""
    if fault.kind is FaultKind.NAN:
        return isinstance(value, float)
    return fault.kind is not FaultKind.OFFSET or not isinstance(value, bool | str)


def spoil(fault: Fault, value: Signal, before: Reading) -> Reading:
    """Return what is shown instead of a value; `before` is what was shown last."""
    if fault.kind is FaultKind.BAD:
        return Reading(value, good=False)
    if fault.kind is FaultKind.STUCK:
        return before
    if fault.kind is FaultKind.NAN:
        return Reading(nan)
    assert not isinstance(value, str), "fits() was not asked"
    return Reading(type(value)(value + fault.amount))
