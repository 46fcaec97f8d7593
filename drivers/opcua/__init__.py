"""OPC UA over TCP: reads PLCs and servers by subscription."""

from drivers.base import Driver
from drivers.opcua.connection import OpcUaConnection
from drivers.opcua.settings import OpcUaDevice, OpcUaPoint

DRIVER = Driver(device=OpcUaDevice, point=OpcUaPoint, endpoint=OpcUaDevice.endpoint, connect=OpcUaConnection)
