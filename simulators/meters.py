"""Three meters behind one real Modbus TCP server, each a unit of its own and with a plant of its own."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from random import Random

from simulators.faces.listening import LOOPBACK, Address
from simulators.faces.modbus_face import ModbusFace, ModbusUnit
from simulators.instruments import Instruments
from simulators.meter_maps import INVERTER, INVERTER_PLATE, PM5110, PM5110_PLATE, SDM630
from simulators.nameplate import Nameplate
from simulators.plant.feeder import Feeder
from simulators.plant.inverter import Inverter
from simulators.real_time import in_real_time
from simulators.spec import Plant


class Meters:
    """Plants, instruments and the face: unit 1 an SDM630, unit 2 a SunSpec inverter, unit 3 a PM5110."""

    def __init__(self, seed: int = 1) -> None:
        """Meters of one seed show the same course. Seed: any integer."""
        self.inverter = Inverter(_chance(seed, "inverter"))
        plants: dict[str, Plant] = {
            "sdm630": Feeder(_chance(seed, "sdm630")),
            "inverter": Nameplate(self.inverter, INVERTER_PLATE),
            "pm5110": Nameplate(Feeder(_chance(seed, "pm5110")), PM5110_PLATE),
        }
        self._plants = tuple(plants.values())
        self.devices: Mapping[str, Instruments] = {
            spec.name: Instruments(spec.name, spec.points, plants[spec.name], _chance(seed, f"{spec.name} noise"))
            for spec in (SDM630, INVERTER, PM5110)
        }
        """The instruments by their device's name."""
        self.modbus = ModbusFace([ModbusUnit(spec, self.devices[spec.name]) for spec in (SDM630, INVERTER, PM5110)])

    async def step(self, dt: float) -> None:
        """Advance the plants, and show the outcome."""
        for plant in self._plants:
            plant.step(dt)
        self.refresh()

    def refresh(self) -> None:
        """Let the instruments look at the plants, and the face show it."""
        for instruments in self.devices.values():
            instruments.scan()
        self.modbus.refresh()

    async def run(self, speed: float = 1.0) -> None:
        """Keep the plants in step with the clock, for ever; `speed` 10 makes a second of them last 0.1 s."""
        await in_real_time(self.step, speed)


@asynccontextmanager
async def meters(address: Address = LOOPBACK, seed: int = 1) -> AsyncIterator[Meters]:
    """Serve the meters; their face knows its real address. Raises SimulatorError where the port is taken."""
    served = Meters(seed)
    try:
        await served.modbus.start(address)
        yield served
    finally:
        await served.modbus.stop()


def _chance(seed: int, what: str) -> Random:
    return Random(f"{seed}:{what}")  # noqa: S311  (a plant that can be repeated, no secret)
