"""Reading a value back from the device until it is the one that was written, or time is up."""

import asyncio
from typing import NamedTuple

from drivers.errors import DeviceFault
from drivers.values import Quality, Value
from gateway.clock import Clock
from gateway.control.readback import is_equal
from gateway.control.reply import Outcome
from gateway.control.target import Target
from gateway.endpoints.fair_queue import Priority

FIRST_PAUSE, LONGEST_PAUSE = 0.01, 0.2
"""Seconds between two looks: a device that takes a value in its next cycle needs no more of them."""
NONE = "none"
"""The `readback` of a tag that cannot be read back."""


class Seen(NamedTuple):
    """What reading said of a write."""

    outcome: Outcome
    value: Value = None
    """In engineering units, None where nothing could be read."""
    why: str = ""
    """Of a reading that failed, for a person."""


async def read_until_equal(target: Target, clock: Clock, priority: Priority = Priority.WRITE) -> Seen:
    """Return APPLIED at the first reading that is equal; else MISMATCH, or UNKNOWN where nothing could be read."""
    until = clock.monotonic() + target.tag.settings.readback_timeout
    pause = FIRST_PAUSE
    while True:
        seen = await look(target, priority)
        if seen.outcome is Outcome.APPLIED or not clock.monotonic() + pause <= until:
            return seen
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


async def look(target: Target, priority: Priority) -> Seen:
    """Read once. A device with a fingerprint is heard only while it has shown that: another may have answered."""
    device = target.outlet.device
    try:
        sample = await target.outlet.read_back(target.tag, priority)
    except DeviceFault as fault:
        return Seen(Outcome.UNKNOWN, why=str(fault))
    if device.settings.fingerprint and not device.state.connected:
        return Seen(Outcome.UNKNOWN, why=f"{device.name} has not shown its fingerprint ({device.state.reason})")
    if sample.quality is Quality.BAD:
        return Seen(Outcome.UNKNOWN, why=f"it reads bad ({sample.reason})")
    if is_equal(target.holds, sample.value, target.tolerance):
        return Seen(Outcome.APPLIED, sample.value)
    return Seen(Outcome.MISMATCH, sample.value)
