"""The same benches on servers of a second make: modbus-serial and node-opcua."""

import atexit
import struct
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from drivers.errors import DeviceFault
from drivers.modbus import DRIVER as MODBUS
from drivers.modbus.point import ModbusPoint
from drivers.modbus.settings import ModbusDevice
from drivers.opcua import DRIVER as OPCUA
from drivers.opcua.settings import OpcUaDevice, OpcUaPoint
from drivers.values import DataType, Seconds
from tests.integration.node_servers import NodeModbus, NodeOpcUa, NodeOpcUaSpec
from tests.servers import free_port


@cache
def _folder() -> Path:
    folder = TemporaryDirectory()
    atexit.register(folder.cleanup)
    return Path(folder.name)


@cache
def _opcua_server() -> NodeOpcUa:
    """One for all the tests: it takes seconds to start, and can be cut off and mended at once."""
    server = NodeOpcUa(_folder(), NodeOpcUaSpec(nodes={"a": {"type": "Double", "value": 1.0}}, port=free_port()))
    atexit.register(server.kill)
    return server


class NodeModbusBench:
    """A unit with one float32; the unknown point is beyond its registers."""

    def __init__(self) -> None:
        self.driver = MODBUS
        self._server = NodeModbus("modbus_server.cjs", _folder(), {"port": free_port(), "units": [1]})
        self.device = ModbusDevice(self._server.url, timeout=Seconds(2.0))
        self.points = [ModbusPoint("input:0", DataType.FLOAT32), ModbusPoint("input:1000")]
        self.first, self.second, self.unknown = 1.0, 2.5, 1
        self.unknown_raises: tuple[type[Exception], ...] = (DeviceFault,)
        self.data_type = DataType.FLOAT32

    async def start(self) -> None:
        await self._server.start()
        await self.set(0, self.first)

    async def set(self, point: int, value: float) -> None:
        assert point == 0
        await self._server.set("input", 0, struct.unpack(">2H", struct.pack(">f", value)))

    async def quiet(self) -> None:
        pass

    async def die(self) -> None:
        self._server.kill()

    async def stop(self) -> None:
        self._server.kill()


class NodeOpcUaBench:
    """A server with one variable; the unknown point is a node that it does not have."""

    def __init__(self) -> None:
        self.driver = OPCUA
        self._server = _opcua_server()
        self.device = OpcUaDevice(self._server.url, scan=Seconds(0.1))
        self.points = [OpcUaPoint("nsu=urn:boiler-house;s=a"), OpcUaPoint("nsu=urn:boiler-house;s=b")]
        self.first, self.second, self.unknown = 1.0, 2.5, 1
        self.unknown_raises: tuple[type[Exception], ...] = ()
        self.data_type = DataType.FLOAT64

    async def start(self) -> None:
        await self._server.mend()
        await self.set(0, self.first)

    async def set(self, point: int, value: float) -> None:
        assert point == 0
        await self._server.set("a", value)

    async def quiet(self) -> None:
        pass

    async def die(self) -> None:
        await self._server.cut()

    async def stop(self) -> None:
        pass
