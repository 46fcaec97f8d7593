"""A serial port of this machine, as a transport for asyncio.

pyserial opens and sets it, whatever the adapter; bytes then go through the file itself, for the library's own
reading waits in select() and cannot name what went wrong.
"""

import asyncio
import contextlib
import errno
import os
import termios
from typing import Protocol

from serial import Serial, SerialException

from drivers.errors import LinkLost
from drivers.modbus.url import SerialAddress

_ONE_READ = 4096
_TRY_AGAIN = (BlockingIOError, InterruptedError)


class Receiver(Protocol):
    """Who is told of what arrives, as by any transport of asyncio."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None: ...

    def data_received(self, data: bytes) -> None: ...

    def connection_lost(self, exc: Exception | None) -> None: ...


class SerialLine(asyncio.Transport):
    """An open port. The protocol is told of its end one turn of the loop later."""

    def __init__(self, loop: asyncio.AbstractEventLoop, port: Serial, protocol: Receiver) -> None:
        super().__init__({"serial": port})
        self._loop = loop
        self._port = port
        self._file: int = port.fileno()
        self._protocol = protocol
        self._unsent = b""
        self._closing = False
        loop.add_reader(self._file, self._receive)
        protocol.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing:
            return
        if self._unsent:
            # What waits is an old request, and must not go out together with a new one.
            self._end(OSError("the serial port takes no bytes; is a hardware handshake waiting?"))
            return
        self._unsent = bytes(data)
        self._send()

    def close(self) -> None:
        self._end(None)

    def abort(self) -> None:
        self._end(None)

    def is_closing(self) -> bool:
        return self._closing

    def _receive(self) -> None:
        try:
            data = os.read(self._file, _ONE_READ)
        except _TRY_AGAIN:
            return
        except OSError as error:
            self._end(_gone(error))
            return
        if data:
            self._protocol.data_received(data)
        else:
            self._end(OSError("the serial port hung up"))

    def _send(self) -> None:
        try:
            sent = os.write(self._file, self._unsent)
        except _TRY_AGAIN:
            sent = 0
        except OSError as error:
            self._end(_gone(error))
            return
        self._unsent = self._unsent[sent:]
        if self._unsent:
            self._loop.add_writer(self._file, self._send)
        else:
            self._loop.remove_writer(self._file)

    def _end(self, error: OSError | None) -> None:
        if self._closing:
            return
        self._closing = True
        self._loop.remove_reader(self._file)
        self._loop.remove_writer(self._file)
        close_port(self._port)
        self._loop.call_soon(self._protocol.connection_lost, error)


def open_port(address: SerialAddress) -> Serial:
    """Open a port for ourselves alone, and set its line. Raises LinkLost with the cause. It may block for a while."""
    try:
        port = Serial(
            address.path, address.baudrate, parity=address.parity, stopbits=address.stopbits,
            timeout=0, write_timeout=0, exclusive=True,
        )  # fmt: skip
    except SerialException as error:
        raise LinkLost(*_refused(address, error.errno, str(error))) from None
    except (OSError, ValueError, termios.error) as error:
        raise LinkLost("unusable", f"{address}: the port cannot be set so: {error}") from None
    # Some adapters keep bytes back for 16 ms, which costs more than a request; ports without that switch refuse it.
    with contextlib.suppress(OSError, ValueError, NotImplementedError):
        port.set_low_latency_mode(True)
    return port


def close_port(port: Serial) -> None:
    """Let go of it, and of what was not sent: the system would wait for that. Never raises."""
    with contextlib.suppress(OSError, termios.error):
        termios.tcflush(port.fileno(), termios.TCIOFLUSH)
    with contextlib.suppress(OSError):
        port.close()


def _gone(error: OSError) -> OSError:
    return OSError(f"the serial port is gone: {error.strerror}")


def _refused(address: SerialAddress, number: int | None, text: str) -> tuple[str, str]:
    if number in {errno.ENOENT, errno.ENODEV, errno.ENXIO}:
        return "no_device", f"{address}: there is no such port; is the adapter plugged in?"
    if number in {errno.EACCES, errno.EPERM}:
        return (
            "not_permitted",
            f"{address}: permission denied; the gateway's user needs the group of the port, as a rule dialout",
        )
    if number in {errno.EAGAIN, errno.EBUSY}:
        return "busy", f"{address}: in use, by another program or by a device here with other settings of the line"
    return "unusable", f"{address}: {text}"
