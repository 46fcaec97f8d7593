"""OPC UA over TCP: reads PLCs and servers by subscription, or by asking."""

from drivers.base import Driver
from drivers.opcua.connection import OpcUaConnection
from drivers.opcua.settings import OpcUaDevice, OpcUaPoint, check_together

DRIVER = Driver(
    device=OpcUaDevice,
    point=OpcUaPoint,
    endpoint=OpcUaDevice.endpoint,
    connect=OpcUaConnection,
    check=check_together,
)
