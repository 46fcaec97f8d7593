"""Modbus over TCP, TLS and serial lines: registers, coils and discrete inputs."""

from drivers.base import Driver
from drivers.modbus.connection import ModbusConnection
from drivers.modbus.held_value import check_value
from drivers.modbus.point import ModbusPoint
from drivers.modbus.reader import check_points
from drivers.modbus.settings import ModbusDevice
from drivers.modbus.write_request import check_writable

DRIVER = Driver(
    device=ModbusDevice,
    point=ModbusPoint,
    endpoint=lambda device: str(device.endpoint),
    connect=ModbusConnection,
    check=check_points,
    check_value=check_value,
    check_writable=check_writable,
    learns=True,
)
