"""A real Modbus TCP server in front of simulated units.

The library keeps a memory of its own; here it is refilled at each request, so that the plant is the truth.
"""

import asyncio
from collections.abc import Sequence
from typing import cast

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from simulators.errors import SimulatorError
from simulators.faces.listening import LOOPBACK, Address, check_free
from simulators.faces.registers import Registers
from simulators.instruments import Instruments
from simulators.spec import ModbusSpec, Table

_TABLES: dict[int, Table] = {
    1: "coil",
    2: "discrete",
    3: "holding",
    4: "input",
    5: "coil",
    6: "holding",
    15: "coil",
    16: "holding",
    22: "holding",
    23: "holding",
}
"""By function code."""

_ANY_UNIT = 0
"""Stands, for the library, for every unit that is not listed."""


class ModbusUnit:
    """One unit behind the face: its registers, and how often it was asked."""

    def __init__(self, spec: ModbusSpec, instruments: Instruments) -> None:
        self.spec = spec
        self.instruments = instruments
        self.reads = 0
        """Requests that read, counted on this side of the wire."""
        self.writes = 0
        """Requests that wrote or tried to."""
        self._registers = Registers(spec.points, spec.blank)
        self.refresh()

    def refresh(self) -> None:
        """Show what the instruments show."""
        readings = self.instruments.readings
        for point in self.spec.points:
            self._registers.show(point, readings[point.name])

    def device(self) -> SimDevice:
        """Return the unit as the library wants it."""
        coils, discretes, holdings, inputs = (self._memory(table) for table in ("coil", "discrete", "holding", "input"))
        return SimDevice(id=self.spec.unit, simdata=(coils, discretes, holdings, inputs), action=self._on_request)

    def _memory(self, table: Table) -> list[SimData]:
        places = self._registers.places(table)
        if table in {"coil", "discrete"}:
            # The library keeps bits in sixteens; a table without any is refused in _on_request.
            return [SimData(0, values=[False] * (max(places, default=0) + 1), datatype=DataType.BITS)]
        return [SimData(place, datatype=DataType.REGISTERS) for place in places] or [
            SimData(0, datatype=DataType.INVALID)
        ]

    async def _on_request(
        self,
        function: int,
        start: int,
        address: int,
        count: int,
        memory: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        table = _TABLES[function]
        if not self._registers.places(table):
            return ExcCodes.ILLEGAL_ADDRESS
        refused = self._read(table, address, count) if values is None else self._write(table, address, values)
        if refused is None:
            self._fill(table, start, memory)
        return refused

    def _read(self, table: Table, address: int, count: int) -> ExcCodes | None:
        self.reads += 1
        # Of a request for bits the library tells the number of words.
        bits = 16 * count if table in {"coil", "discrete"} else count
        readings = self.instruments.readings
        sound = all(readings[point.name].good for point in self._registers.touched(table, address, bits))
        return None if sound else ExcCodes.DEVICE_FAILURE

    def _write(self, table: Table, address: int, values: Sequence[int]) -> ExcCodes | None:
        self.writes += 1
        if len(self._registers.words(table).keys() & set(range(address, address + len(values)))) < len(values):
            return ExcCodes.ILLEGAL_ADDRESS
        written = list(self._registers.written(table, address, values))
        if not all(point.writable for point, _ in written):
            return ExcCodes.ILLEGAL_ADDRESS
        try:
            for point, value in written:
                self.instruments.write(point.name, value)
        except ValueError:
            return ExcCodes.ILLEGAL_VALUE
        finally:
            self.refresh()
        return None

    def _fill(self, table: Table, start: int, memory: list[int]) -> None:
        words = self._registers.words(table)
        if table in {"coil", "discrete"}:
            for place, bit in words.items():
                word, mask = place // 16 - start, 1 << place % 16
                memory[word] = memory[word] | mask if bit else memory[word] & ~mask
        else:
            for place, value in words.items():
                memory[place - start] = value


class ModbusFace:
    """A Modbus TCP server with some units; any other unit is answered with exception 0x0B."""

    def __init__(self, units: Sequence[ModbusUnit]) -> None:
        self.units = tuple(units)
        self.address = LOOPBACK
        """Where it listens, once started."""
        self._server: ModbusTcpServer | None = None

    async def start(self, address: Address) -> None:
        """Listen. Raises SimulatorError where the port is taken."""
        check_free("the Modbus PLC", address)
        nobody = SimDevice(
            id=_ANY_UNIT,
            simdata=[SimData(0, count=65_536, datatype=DataType.REGISTERS)],
            action=_refuse,
        )
        server = ModbusTcpServer(
            [nobody, *(unit.device() for unit in self.units)], address=(address.host, address.port)
        )
        try:
            await server.serve_forever(background=True)
        except RuntimeError as error:
            raise SimulatorError(f"the Modbus PLC cannot listen at {address}") from error
        self._server = server
        listener = cast("asyncio.Server", server.transport)  # what the library calls transport, for a listener
        self.address = Address(*listener.sockets[0].getsockname()[:2])

    def refresh(self) -> None:
        """Show what the instruments show."""
        for unit in self.units:
            unit.refresh()

    async def stop(self) -> None:
        """Close the listener and every connection; nothing happens when not started."""
        server, self._server = self._server, None
        if server is not None:
            await server.shutdown()  # type: ignore[no-untyped-call]  # untyped in the library


async def _refuse(*_: object) -> ExcCodes:
    return ExcCodes.GATEWAY_NO_RESPONSE
