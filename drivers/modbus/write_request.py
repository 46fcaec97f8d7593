"""One write, ready to be sent, and what its answer has to be; and by which function a point is written.

Pure. The answer to a write repeats it (Modbus Application Protocol V1.1b3, 6.5, 6.6, 6.11, 6.12, 6.16), and is held
against it to the last byte: an answer that repeats something else says nothing of what was done.
"""

from dataclasses import dataclass

from drivers.modbus.placement import place
from drivers.modbus.point import ModbusPoint
from drivers.modbus.profile import ModbusProfile
from drivers.modbus.register import Table
from drivers.modbus.request import OF_ANY, refuse
from drivers.modbus.settings import ModbusDevice

NOT_DONE = frozenset(f"exception_{code}" for code in (1, 2, 3, 6, 7, 10))
"""What a device, or a gateway that has no path to it, says when it did nothing.

4 and 8 come from the middle of the work, 5 before its end, and 11 from a gateway that passed the write on and heard
nothing: whether it took effect nobody knows.
"""
_OF_WRITING = {
    1: "illegal function: the device does not write so",
    2: "illegal data address: some of these addresses do not exist there, or cannot be written",
    3: "illegal data value: it does not take this value",
    4: "device failure in the middle of it",
    7: "the device cannot do it",
}
_AROUND = 4
"""Bytes of an answer on a serial line around what it repeats: unit, function, checksum."""
_MOST_REGISTERS = 123
"""That one write may carry (6.12)."""
_SINGLE = {5: 15, 6: 16}
"""The functions that write one coil or register, and those that write several, of which one is a case."""
MASKED = 22


@dataclass(frozen=True, slots=True, eq=False)
class WriteRequest:
    """One write of one unit."""

    label: str
    unit: int
    function: int
    frame: bytes
    """As it goes out; in Modbus TCP there is a transaction id before it."""
    echo: bytes
    """What the answer has to repeat, behind the function code."""

    @property
    def head(self) -> bytes:
        """The first bytes of its answer on a serial line."""
        return bytes((self.unit, self.function))

    @property
    def length(self) -> int:
        """Bytes of its answer on a serial line."""
        return len(self.echo) + _AROUND

    def meaning(self, code: int) -> str:
        """Return what the device says by this exception."""
        return _OF_WRITING.get(code) or OF_ANY.get(code, "")

    def take(self, data: bytes) -> bytes:
        """Hold the answer against the write. Raises DeviceFault."""
        if data != self.echo:
            refuse(self, f"the bytes {data.hex(' ')} instead of {self.echo.hex(' ')}")
        return data


def function_for(profile: ModbusProfile, point: ModbusPoint) -> int:
    """Return the function that writes a point. Raises ValueError where none does."""
    address = profile.placed_address(point.address)
    if address.table not in (Table.COIL, Table.HOLDING):
        raise ValueError(f"{point.address} cannot be written: only coils and holding registers can; leave writable out")
    if not point.count <= _MOST_REGISTERS:
        raise ValueError(f"{point.address} takes {point.count} registers, and one write carries {_MOST_REGISTERS}")
    single = 5 if address.table is Table.COIL else 6
    able = [MASKED] if address.bit is not None else [single, _SINGLE[single]] if point.count == 1 else [_SINGLE[single]]
    for function in able:
        if function not in profile.functions_refused:
            return function
    raise ValueError(
        f"{point.address} is written by function {' or '.join(str(function) for function in able)}, and "
        f"functions_refused says that the device has none{_never_whole(able)}; leave writable out"
    )


def check_writable(device: ModbusDevice, point: ModbusPoint) -> None:
    """Raise ValueError where a point can never be written."""
    place(device.profile, [point])
    function_for(device.profile, point)


def _never_whole(able: list[int]) -> str:
    return " (the register as a whole is never written for one bit: others may change meanwhile)" * (able == [MASKED])
