"""Far sides that can be written to, and that count the writes which reach them.

Point 0 holds a whole number that may be written; to write point 1 the far side refuses.
"""

import asyncio
import atexit
import signal
import ssl
from contextlib import AsyncExitStack
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from pymodbus.pdu import ModbusPDU
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType as SimType
from pymodbus.simulator import SimData, SimDevice

from drivers import memory
from drivers.errors import DeviceFault
from drivers.modbus.point import ModbusPoint
from drivers.modbus.settings import ModbusDevice
from drivers.modbus.tls_settings import ModbusTls
from drivers.opcua.settings import OpcUaDevice, OpcUaPoint
from drivers.values import Seconds
from tests.integration import fake_plc, serial_bus, serial_faults
from tests.integration.fake_plc import FakePlc
from tests.integration.modbus_tls import server_context
from tests.integration.mqtt_certificates import Authority
from tests.integration.node_servers import NodeModbus, NodeOpcUa, NodeOpcUaSpec
from tests.integration.opcua_server import OpcUaServer, ServerSpec, Value
from tests.integration.register_writes import WRITES
from tests.integration.serial_bus import SerialBus
from tests.servers import free_port

SOON = Seconds(1.0)
"""The timeout of the devices: a write runs into it in one test of each bench."""
_END = 1000
"""From here on there are no registers."""
_names = count()


class WriteBench(Protocol):
    """What the suite needs of a far side."""

    driver: str
    device: Any
    points: dict[int, Any]

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def writes(self) -> int:
        """Return how many writes came so far, whatever became of them."""

    async def set(self, value: int) -> None:
        """Have point 0 hold another value, behind the back of the driver."""

    async def fall_silent(self) -> None:
        """Answer nothing from now on."""

    async def speak(self) -> None:
        """Answer again."""

    async def refuse(self) -> None:
        """Refuse point 1 from now on, where it was not refused all along."""


class MemoryWriteBench:
    def __init__(self) -> None:
        self.driver = "memory"
        self.device = memory.MemoryDevice(f"memory://writing-{next(_names)}")
        self.points = {place: memory.MemoryPoint(name, start=1) for place, name in enumerate("ab")}
        self._plant = memory.plant(self.device.url)

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def writes(self) -> int:
        return len(self._plant.frames)

    async def set(self, value: int) -> None:
        self._plant.set("a", value)

    async def fall_silent(self) -> None:
        self._plant.silent = {1}

    async def speak(self) -> None:
        self._plant.silent = set()

    async def refuse(self) -> None:
        self._plant.refusal = DeviceFault("not_writable", "cell b cannot be written")


class _ModbusWriteBench:
    def __init__(self, url: str, tls: ModbusTls | None = None) -> None:
        self.driver = "modbus"
        self.device = ModbusDevice(url, timeout=SOON, tls=tls or ModbusTls())
        self.points = {0: ModbusPoint("holding:0"), 1: ModbusPoint(f"holding:{_END}")}
        self._running = AsyncExitStack()

    async def stop(self) -> None:
        await self._running.aclose()

    async def refuse(self) -> None:
        pass


class FakePlcWriteBench(_ModbusWriteBench):
    security: ssl.SSLContext | None = None

    def __init__(self, scheme: str = "tcp", tls: ModbusTls | None = None) -> None:
        self._port = free_port()
        super().__init__(f"{scheme}://127.0.0.1:{self._port}", tls)

    async def start(self) -> None:
        self._plc = await self._running.enter_async_context(fake_plc.fake_plc(self.security, self._port))
        await self.speak()

    async def writes(self) -> int:
        return len(self._plc.writes)

    async def set(self, value: int) -> None:
        self._plc.words[0] = value

    async def fall_silent(self) -> None:
        self._plc.always(fake_plc.silent)

    async def speak(self) -> None:
        async def to_the_end(plc: FakePlc, asked: fake_plc.Asked, writer: asyncio.StreamWriter) -> None:
            await (fake_plc.good if asked.start < _END else fake_plc.exception(2))(plc, asked, writer)

        self._plc.always(to_the_end)


class TlsWriteBench(FakePlcWriteBench):
    def __init__(self) -> None:
        self._files = TemporaryDirectory()
        authority = Authority(Path(self._files.name), "plant")
        ca = authority.files.certificate
        self.security = server_context(authority.sign("plc"), clients=ca)
        super().__init__("tls", ModbusTls(ca, *authority.sign("gateway")))

    async def stop(self) -> None:
        await super().stop()
        self._files.cleanup()


class SerialWriteBench(_ModbusWriteBench):
    """On a pseudo terminal, whose adapter sends back what is sent through it, as the echo says."""

    behaviour = staticmethod(serial_bus.good)

    def __init__(self) -> None:
        self._folder = TemporaryDirectory()
        self._name = Path(self._folder.name) / "port"
        super().__init__(f"rtu://{self._name}?baudrate=115200&parity=N&stopbits=1")

    async def start(self) -> None:
        self._bus = await self._running.enter_async_context(serial_bus.serial_bus())
        self._name.symlink_to(self._bus.path)
        await self.speak()

    async def stop(self) -> None:
        await super().stop()
        self._folder.cleanup()

    async def writes(self) -> int:
        return len(self._bus.writes)

    async def set(self, value: int) -> None:
        self._bus.words[0] = value

    async def fall_silent(self) -> None:
        async def silent_from_the_write_on(bus: SerialBus, asked: serial_bus.Asked) -> None:
            if asked.function not in WRITES:  # the echo has to be learned first
                await self.behaviour(bus, asked)

        self._bus.always(silent_from_the_write_on)

    async def speak(self) -> None:
        async def to_the_end(bus: SerialBus, asked: serial_bus.Asked) -> None:
            await (self.behaviour if asked.start < _END else serial_faults.exception(2))(bus, asked)

        self._bus.always(to_the_end)


class EchoingWriteBench(SerialWriteBench):
    behaviour = staticmethod(serial_faults.echoing)


class PymodbusWriteBench(_ModbusWriteBench):
    """The server of pymodbus."""

    def __init__(self) -> None:
        self._port = free_port()
        self._writes = 0
        self._silent = False
        super().__init__(f"tcp://127.0.0.1:{self._port}")

    async def start(self) -> None:
        holding = [SimData(0, values=[1] * 10, datatype=SimType.REGISTERS)]
        bits = [SimData(0, values=[False] * 16, datatype=SimType.BITS)]
        self._server = ModbusTcpServer(
            SimDevice(id=1, simdata=(bits, bits, holding, holding)),
            address=("127.0.0.1", self._port),
            trace_pdu=self._count,
            trace_packet=self._pass,
        )
        await self._server.serve_forever(background=True)

    async def stop(self) -> None:
        await self._server.shutdown()  # type: ignore[no-untyped-call]  # the library's
        await asyncio.sleep(0)

    async def writes(self) -> int:
        return self._writes

    async def set(self, value: int) -> None:
        assert await self._server.context.async_setValues(1, 6, 0, [value]) is None

    async def fall_silent(self) -> None:
        self._silent = True

    async def speak(self) -> None:
        self._silent = False

    def _count(self, sending: bool, pdu: ModbusPDU) -> ModbusPDU:  # noqa: FBT001  (the library calls it so)
        self._writes += not sending and pdu.function_code in WRITES
        return pdu

    def _pass(self, sending: bool, raw: bytes) -> bytes:  # noqa: FBT001  (the library calls it so)
        return b"" if sending and self._silent else raw


class NodeModbusWriteBench(_ModbusWriteBench):
    """modbus-serial."""

    def __init__(self) -> None:
        self._server = NodeModbus("modbus_server.cjs", _folder(), {"port": free_port(), "units": [1]})
        super().__init__(self._server.url)

    async def start(self) -> None:
        await self._server.start()
        await self.set(1)

    async def stop(self) -> None:
        self._server.kill()

    async def writes(self) -> int:
        return len(await self._server.written())

    async def set(self, value: int) -> None:
        await self._server.set("holding", 0, [value])

    async def fall_silent(self) -> None:
        await self._server.fault("silent")

    async def speak(self) -> None:
        await self._server.fault(None)


class _OpcUaWriteBench:
    def __init__(self, url: str) -> None:
        self.driver = "opcua"
        self.device = OpcUaDevice(url, timeout=Seconds(2 * SOON))
        self.points = {place: OpcUaPoint(f"nsu=urn:boiler-house;s={name}") for place, name in enumerate("ab")}

    async def refuse(self) -> None:
        pass


class OpcUaWriteBench(_OpcUaWriteBench):
    def __init__(self) -> None:
        nodes = {name: Value(1, "Int32") for name in "ab"}
        self._server = OpcUaServer(ServerSpec(nodes=nodes, writable=("a",)))
        super().__init__(self._server.url)

    async def start(self) -> None:
        self._server.start()

    async def stop(self) -> None:
        self._server.kill()

    async def writes(self) -> int:
        return len(self._server.do("written"))

    async def set(self, value: int) -> None:
        self._server.write("a", Value(value, "Int32"))

    async def fall_silent(self) -> None:
        self._server.pause()

    async def speak(self) -> None:
        self._server.resume()


class NodeOpcUaWriteBench(_OpcUaWriteBench):
    """node-opcua; one server for all the tests, so that only what came since the start counts."""

    def __init__(self) -> None:
        self._server = _opcua_server()
        super().__init__(self._server.url)

    async def start(self) -> None:
        await self._server.mend()
        await self.set(1)
        self._before = len(await self._server.written())

    async def stop(self) -> None:
        pass

    async def writes(self) -> int:
        return len(await self._server.written()) - self._before

    async def set(self, value: int) -> None:
        await self._server.set("a", value, "Int32")

    async def fall_silent(self) -> None:
        self._server.send(signal.SIGSTOP)

    async def speak(self) -> None:
        self._server.send(signal.SIGCONT)


@cache
def _folder() -> Path:
    folder = TemporaryDirectory()
    atexit.register(folder.cleanup)
    return Path(folder.name)


@cache
def _opcua_server() -> NodeOpcUa:
    nodes = {"a": {"type": "Int32", "value": 1}, "b": {"type": "Int32", "value": 1, "read_only": True}}
    server = NodeOpcUa(_folder(), NodeOpcUaSpec(nodes=nodes, port=free_port()))
    atexit.register(server.kill)
    return server
