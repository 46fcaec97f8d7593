"""Whether a register can hold a value, before its device was ever asked. Pure."""

from drivers.modbus.encoding import encode
from drivers.modbus.layout import cell_of
from drivers.modbus.placement import place
from drivers.modbus.point import ModbusPoint
from drivers.modbus.settings import ModbusDevice
from drivers.values import Value


def check_value(device: ModbusDevice, point: ModbusPoint, value: Value) -> None:
    """Raise ValueError for what the registers of a point can never hold; with an exponent nobody knows yet."""
    (where,) = place(device.profile, [point])
    if where.exponent is None:
        encode(cell_of(device.profile, point, where.bit), value)
