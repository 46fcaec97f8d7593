"""Where the points of one device lie on the wire: its profile held against the notation of its tags. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from drivers.modbus.point import ModbusPoint
from drivers.modbus.profile import ModbusProfile
from drivers.modbus.register import RegisterRange, Table


class Place(NamedTuple):
    """The addresses of one point."""

    range: RegisterRange
    bit: int | None
    """For a bool in a register: which bit of it."""
    exponent: RegisterRange | None
    """The register that scales it."""


def place(profile: ModbusProfile, points: Sequence[ModbusPoint]) -> list[Place]:
    """Return the points' places, in order. Raises ValueError where the device cannot have one of them."""
    return [_place(profile, point) for point in points]


def _place(profile: ModbusProfile, point: ModbusPoint) -> Place:
    table, offset, bit = profile.placed_address(point.address)
    _check_function(profile, point.address, table)
    return Place(RegisterRange(table, offset, offset + point.count), bit, _exponent(profile, point))


def _exponent(profile: ModbusProfile, point: ModbusPoint) -> RegisterRange | None:
    if point.exponent is None:
        return None
    table, offset, _ = profile.placed_address(point.exponent)
    _check_function(profile, point.exponent, table)
    return RegisterRange(table, offset, offset + 1)


def _check_function(profile: ModbusProfile, address: str | int, table: Table) -> None:
    if table.function in profile.functions_refused:
        raise ValueError(
            f"{address} needs function {table.function}, and functions_refused says that the device has none;"
            " correct one of the two"
        )
