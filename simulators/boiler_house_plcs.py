"""The boiler house behind real servers: a Modbus TCP PLC for the boiler, an OPC UA one for the turbine."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from random import Random

from simulators.boiler_house_map import BOILER, TURBINE
from simulators.faces.listening import LOOPBACK, Address
from simulators.faces.modbus_face import ModbusFace, ModbusUnit
from simulators.faces.opcua_face import OpcUaFace
from simulators.instruments import Instruments
from simulators.plant.boiler_house import BoilerHouse
from simulators.real_time import in_real_time


class BoilerHousePlcs:
    """Plant, instruments and faces; stepped by hand, or kept in real time by `run`."""

    def __init__(self, seed: int = 1) -> None:
        """Two houses of one seed take the same course. Seed: any integer."""
        self.house = BoilerHouse(_chance(seed, "plant"))
        self.boiler = Instruments("boiler", BOILER.points, self.house, _chance(seed, "boiler"))
        self.turbine = Instruments("turbine", TURBINE.points, self.house, _chance(seed, "turbine"))
        self.modbus = ModbusFace([ModbusUnit(BOILER, self.boiler)])
        self.opcua = OpcUaFace(TURBINE, self.turbine)

    @property
    def devices(self) -> Mapping[str, Instruments]:
        """The instruments by their device's name."""
        return {"boiler": self.boiler, "turbine": self.turbine}

    async def step(self, dt: float) -> None:
        """Advance the plant, and show the outcome at both faces."""
        self.house.step(dt)
        await self.refresh()

    async def refresh(self) -> None:
        """Let the instruments look at the plant, and the faces show it."""
        self.boiler.scan()
        self.turbine.scan()
        self.modbus.refresh()
        await self.opcua.refresh()

    async def run(self, speed: float = 1.0) -> None:
        """Keep the plant in step with the clock, for ever; `speed` 10 makes a second of it last 0.1 s."""
        await in_real_time(self.step, speed)


@asynccontextmanager
async def boiler_house_plcs(
    modbus: Address = LOOPBACK, opcua: Address = LOOPBACK, seed: int = 1
) -> AsyncIterator[BoilerHousePlcs]:
    """Serve the boiler house; its faces know their real addresses. Raises SimulatorError where a port is taken."""
    plcs = BoilerHousePlcs(seed)
    try:
        await plcs.modbus.start(modbus)
        await plcs.opcua.start(opcua)
        yield plcs
    finally:
        await plcs.modbus.stop()
        await plcs.opcua.stop()


def _chance(seed: int, what: str) -> Random:
    return Random(f"{seed}:{what}")  # noqa: S311  (a plant that can be repeated, no secret)
