"""Benches for the other transports of Modbus: a serial line, a serial server, and TLS."""

import asyncio
import struct
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from drivers.errors import DeviceFault
from drivers.modbus import DRIVER
from drivers.modbus.point import ModbusPoint
from drivers.modbus.settings import ModbusDevice
from drivers.modbus.tls_settings import ModbusTls
from drivers.values import DataType, Seconds
from tests.integration import fake_plc, serial_bus, serial_faults
from tests.integration.fake_plc import FakePlc
from tests.integration.modbus_tls import server_context
from tests.integration.mqtt_certificates import Authority
from tests.integration.serial_bus import SerialBus
from tests.servers import free_port

_END = 1000
"""From here on there are no registers."""


class _WiredBench:
    """A unit with one float32; the unknown point is beyond its registers."""

    def __init__(self, url: str, tls: ModbusTls | None = None) -> None:
        self.driver = DRIVER
        self.device = ModbusDevice(url, timeout=Seconds(2.0), tls=tls or ModbusTls())
        self.points = [ModbusPoint("input:0", DataType.FLOAT32), ModbusPoint(f"input:{_END}")]
        self.first, self.second, self.unknown = 1.0, 2.5, 1
        self.unknown_raises: tuple[type[Exception], ...] = (DeviceFault,)
        self.data_type = DataType.FLOAT32
        self._words: list[int] = []
        self._running = AsyncExitStack()

    async def set(self, point: int, value: float) -> None:
        assert point == 0
        self._words[:2] = struct.unpack(">2H", struct.pack(">f", value))

    async def quiet(self) -> None:
        pass

    async def die(self) -> None:
        await self._running.aclose()

    async def stop(self) -> None:
        await self._running.aclose()

    async def _began(self, far_side: SerialBus | FakePlc) -> None:
        self._words = far_side.words
        await self.set(0, self.first)


class SerialLineBench(_WiredBench):
    """On a pseudo terminal, which has another path each time, and so goes by a name of its own."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory()
        self._name = Path(self._folder.name) / "port"
        super().__init__(f"rtu://{self._name}?baudrate=115200&parity=N&stopbits=1")

    async def start(self) -> None:
        bus = await self._running.enter_async_context(serial_bus.serial_bus())
        self._name.unlink(missing_ok=True)
        self._name.symlink_to(bus.path)
        bus.always(_to_the_end_of_the_line)
        await self._began(bus)

    async def stop(self) -> None:
        await super().stop()
        self._folder.cleanup()


class SerialServerBench(_WiredBench):
    """Behind a port that carries the frames of a serial line."""

    def __init__(self) -> None:
        self._port = free_port()
        super().__init__(f"rtu+tcp://127.0.0.1:{self._port}")

    async def start(self) -> None:
        bus = await self._running.enter_async_context(serial_bus.serial_server(self._port))
        bus.always(_to_the_end_of_the_line)
        await self._began(bus)


class TlsBench(_WiredBench):
    """Behind TLS, with a certificate on either side."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory()
        self._port = free_port()
        self._authority = Authority(Path(self._folder.name), "plant")
        gateway = self._authority.sign("gateway")
        ca = self._authority.files.certificate
        super().__init__(f"tls://127.0.0.1:{self._port}", ModbusTls(ca, *gateway))

    async def start(self) -> None:
        context = server_context(self._authority.sign("plc"), clients=self._authority.files.certificate)
        plc = await self._running.enter_async_context(fake_plc.fake_plc(context, self._port))
        plc.always(_to_the_end_of_the_table)
        await self._began(plc)

    async def stop(self) -> None:
        await super().stop()
        self._folder.cleanup()


async def _to_the_end_of_the_line(bus: SerialBus, asked: serial_bus.Asked) -> None:
    behaviour = serial_bus.good if asked.start + asked.size <= _END else serial_faults.exception(2)
    await behaviour(bus, asked)


async def _to_the_end_of_the_table(plc: FakePlc, asked: fake_plc.Asked, writer: asyncio.StreamWriter) -> None:
    behaviour = fake_plc.good if asked.start + asked.size <= _END else fake_plc.exception(2)
    await behaviour(plc, asked, writer)
