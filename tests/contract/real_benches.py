"""Benches on real protocol servers: the simulators' Modbus face, and an OPC UA server in a process of its own."""

from collections.abc import Mapping
from random import Random

from drivers.errors import DeviceFault
from drivers.modbus import DRIVER as MODBUS
from drivers.modbus.point import ModbusPoint
from drivers.modbus.settings import ModbusDevice
from drivers.opcua import DRIVER as OPCUA
from drivers.opcua.settings import OpcUaDevice, OpcUaPoint
from drivers.values import DataType, Seconds
from simulators.faces.listening import Address
from simulators.faces.modbus_face import ModbusFace, ModbusUnit
from simulators.instruments import Instruments
from simulators.spec import ModbusSpec, RegisterSpec, Signal
from tests.integration.opcua_server import OpcUaServer, ServerSpec, Value
from tests.servers import free_port


class OneSignal:
    """A plant with nothing but one value."""

    def __init__(self, value: float) -> None:
        self.value = value

    def step(self, dt: float) -> None:
        """Stay as it is."""

    def signals(self) -> Mapping[str, Signal]:
        return {"value": self.value}

    def set(self, name: str, value: Signal) -> None:
        raise KeyError(name, value)


class ModbusBench:
    """A simulated unit with one float32; the unknown point is beyond its registers."""

    def __init__(self) -> None:
        self.driver = MODBUS
        self._address = Address("127.0.0.1", free_port())
        self.device = ModbusDevice(f"tcp://{self._address}", timeout=Seconds(2.0))
        self.points = [ModbusPoint("input:0", DataType.FLOAT32), ModbusPoint("input:1000")]
        self.first, self.second, self.unknown = 1.0, 2.5, 1
        self.unknown_raises: tuple[type[Exception], ...] = (DeviceFault,)
        self.data_type = DataType.FLOAT32
        self._plant = OneSignal(self.first)
        points = (RegisterSpec(name="value", signal="value", table="input", offset=0),)
        self._instruments = Instruments("plc", points, self._plant, Random(1))
        unit = ModbusUnit(ModbusSpec("plc", 1, points), self._instruments)
        self._face = ModbusFace([unit])

    async def start(self) -> None:
        await self._face.start(self._address)

    async def set(self, point: int, value: float) -> None:
        assert point == 0
        self._plant.value = value
        self._instruments.scan()
        self._face.refresh()

    async def quiet(self) -> None:
        pass

    async def die(self) -> None:
        await self._face.stop()

    async def stop(self) -> None:
        await self._face.stop()


class OpcUaBench:
    """A server with one variable; the unknown point is a node that it does not have."""

    def __init__(self) -> None:
        self.driver = OPCUA
        self._server = OpcUaServer(ServerSpec(nodes={"a": Value(1.0)}))
        self.device = OpcUaDevice(self._server.url, scan=Seconds(0.1))
        self.points = [OpcUaPoint("nsu=urn:boiler-house;s=a"), OpcUaPoint("nsu=urn:boiler-house;s=b")]
        self.first, self.second, self.unknown = 1.0, 2.5, 1
        self.unknown_raises: tuple[type[Exception], ...] = ()
        self.data_type = DataType.FLOAT64

    async def start(self) -> None:
        self._server.start()

    async def set(self, point: int, value: float) -> None:
        assert point == 0
        self._server.write("a", Value(value))

    async def quiet(self) -> None:
        pass

    async def die(self) -> None:
        self._server.kill()

    async def stop(self) -> None:
        self._server.kill()
