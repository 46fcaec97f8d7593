"""What a write does to the words of a fake device, and what a device answers to it; it knows nothing of the driver."""

import struct
from collections.abc import MutableSequence
from typing import NamedTuple

COIL, COILS, REGISTER, REGISTERS, MASKED = 5, 15, 6, 16, 22
WRITES = {COIL, COILS, REGISTER, REGISTERS, MASKED}


class Written(NamedTuple):
    """One write frame, as it came."""

    function: int
    start: int
    values: tuple[int, ...]
    """Words, bits as 0 and 1, or the two masks."""


def written(function: int, start: int, size: int, data: bytes) -> Written:
    """Take a write apart: size is what stands behind the address, data what follows that."""
    if function == COIL:
        return Written(function, start, ({0xFF00: 1, 0: 0}[size],))
    if function == REGISTER:
        return Written(function, start, (size,))
    if function == MASKED:
        return Written(function, start, (size, int.from_bytes(data, "big")))
    assert len(data) == data[0] + 1
    if function == REGISTERS:
        return Written(function, start, struct.unpack(f">{size}H", data[1:]))
    bits = int.from_bytes(data[1:], "little")
    return Written(function, start, tuple(bits >> place & 1 for place in range(size)))


def carry_out(words: MutableSequence[int], write: Written) -> None:
    if write.function == MASKED:
        keep, give = write.values
        words[write.start] = (words[write.start] & keep) | (give & ~keep)
    else:
        words[write.start : write.start + len(write.values)] = write.values


def repeated(start: int, size: int, function: int, data: bytes) -> bytes:
    """Return what the answer repeats, behind the function code."""
    return struct.pack(">HH", start, size) + (data if function == MASKED else b"")


def body_length(function: int, head: bytes) -> int:
    """Return how many bytes follow the first four behind the function code; head: as many of them as have come."""
    if function == MASKED:
        return 2
    if function in {COILS, REGISTERS}:
        return head[0] + 1
    return 0
