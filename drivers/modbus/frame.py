"""Modbus TCP frames out of a stream of bytes.

Pure. A stream has no marks to find a lost place by: what does not begin with a sound header ends the
connection (Modbus Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3).
"""

import struct
from typing import NamedTuple

_HEADER = struct.Struct(">HHH")
_SHORTEST = 2
"""Bytes after the header: unit and function code."""
_LONGEST = 254
"""Unit and the longest message, which is 253 bytes."""


class FramingError(ValueError):
    """The bytes are no Modbus TCP, and where the next frame begins cannot be known."""


class Frame(NamedTuple):
    """One message as it came."""

    transaction: int
    unit: int
    function: int
    data: bytes
    """What follows the function code."""


class FrameStream:
    """Cuts what arrives into frames, however it was split on the way."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    @property
    def unfinished(self) -> int:
        """How many bytes of a frame that is not complete have arrived."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[Frame]:
        """Take in what arrived; return the frames it completes. Raises FramingError."""
        buffer = self._rest + data if self._rest else data
        frames: list[Frame] = []
        start = 0
        while len(buffer) - start >= _HEADER.size:
            transaction, protocol, length = _HEADER.unpack_from(buffer, start)
            if protocol != 0:
                raise FramingError(f"protocol id {protocol} instead of 0")
            if not _SHORTEST <= length <= _LONGEST:
                raise FramingError(f"a frame of {length} bytes, and {_SHORTEST} to {_LONGEST} are possible")
            body = start + _HEADER.size
            if len(buffer) < body + length:
                break
            start = body + length
            frames.append(Frame(transaction, buffer[body], buffer[body + 1], buffer[body + 2 : start]))
        self._rest = buffer[start:]
        return frames
