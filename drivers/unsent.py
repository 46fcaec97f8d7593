"""What was sent to a transport and has not left this machine when whoever sent it gives up.

The system goes on sending it for minutes, also after the connection is closed: a write that was long given up would
reach a device that comes back. Closed without lingering, what has not left is thrown away (POSIX, SO_LINGER).
"""

import asyncio
import socket
import struct
from contextlib import suppress

_AT_ONCE, _AS_USUAL = struct.pack("ii", 1, 0), struct.pack("ii", 0, 0)


def discard_unsent(transport: asyncio.BaseTransport | None, *, yes: bool = True) -> None:
    """Say what becomes of unsent bytes when the connection is closed; a serial port drops them in any case."""
    wire = None if transport is None else transport.get_extra_info("socket")
    if wire is not None:
        with suppress(OSError):  # it is gone, and its bytes with it
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE if yes else _AS_USUAL)
