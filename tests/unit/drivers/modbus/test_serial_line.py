"""What is said where a serial port cannot be opened."""

import errno
import os
import termios

import pytest
from serial import SerialException

from drivers.errors import LinkLost
from drivers.modbus import serial_line
from drivers.modbus.serial_line import open_port
from drivers.modbus.url import SerialAddress

ADDRESS = SerialAddress("/dev/ttyUSB0", 19200, "E", 1)


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (SerialException(errno.ENOENT, "x"), "no_device", "there is no such port; is the adapter plugged in?"),
        (SerialException(errno.ENXIO, "x"), "no_device", "there is no such port; is the adapter plugged in?"),
        (SerialException(errno.EACCES, "x"), "not_permitted", "as a rule dialout"),
        (SerialException(errno.EPERM, "x"), "not_permitted", "as a rule dialout"),
        (SerialException(errno.EAGAIN, "x"), "busy", "in use"),
        (SerialException(errno.EBUSY, "x"), "busy", "in use"),
        (SerialException("Could not configure port"), "unusable", "Could not configure port"),
        (ValueError("Failed to set custom baud rate"), "unusable", "cannot be set so: Failed to set custom baud rate"),
        (termios.error(errno.EINVAL, "Invalid argument"), "unusable", "cannot be set so"),
        (OSError(errno.EIO, os.strerror(errno.EIO)), "unusable", "Input/output error"),
    ],
)
def test_a_port_that_cannot_be_opened_says_why_in_one_line(
    error: Exception, kind: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **keys: object) -> None:
        assert keys["exclusive"] is True
        raise error

    monkeypatch.setattr(serial_line, "Serial", refuse)
    with pytest.raises(LinkLost, match=r".") as caught:
        open_port(ADDRESS)
    assert caught.value.kind == kind
    assert str(caught.value).startswith("rtu:///dev/ttyUSB0?baudrate=19200&parity=E&stopbits=1: ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
