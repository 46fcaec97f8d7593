"""Half-open connections as a firewall or a pulled cable makes them: every packet to a socket is dropped.

A classic packet filter on the socket does it, before TCP has seen the packet: nothing is acknowledged, refused
or reset, and it needs no rights.
"""

import ctypes
import socket
import struct

_ATTACH_FILTER, _DETACH_FILTER = 26, 27
_RETURN = 0x06


def drop(wire: socket.socket) -> None:
    """Drop what comes in from now on; on a listener, every attempt to connect."""
    keep_nothing = ctypes.create_string_buffer(struct.pack("HBBI", _RETURN, 0, 0, 0))
    program = struct.pack("@HxxxxxxP", 1, ctypes.addressof(keep_nothing))
    wire.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, program)


def deliver(wire: socket.socket) -> None:
    """Let everything in again; TCP repeats what was dropped."""
    wire.setsockopt(socket.SOL_SOCKET, _DETACH_FILTER, 0)
