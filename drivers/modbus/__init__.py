"""Modbus over TCP, TLS and serial lines: reading registers, coils and discrete inputs."""

from drivers.base import Driver
from drivers.modbus.connection import ModbusConnection
from drivers.modbus.point import ModbusPoint
from drivers.modbus.reader import check_points
from drivers.modbus.settings import ModbusDevice

DRIVER = Driver(
    device=ModbusDevice,
    point=ModbusPoint,
    endpoint=lambda device: str(device.endpoint),
    connect=ModbusConnection,
    check=check_points,
    learns=True,
)
