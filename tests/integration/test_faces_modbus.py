"""The simulated boiler as a Modbus client meets it: a real server, asked by a real client."""

import struct
from collections.abc import AsyncIterator
from math import isnan

import pytest
from pymodbus.client import AsyncModbusTcpClient

from simulators.boiler_house_plcs import BoilerHousePlcs
from simulators.errors import SimulatorError
from simulators.faces.listening import LOOPBACK
from simulators.faces.modbus_face import ModbusFace
from simulators.faults import Fault, FaultKind

pytestmark = pytest.mark.real

STEAM_TEMPERATURE, DRUM_PRESSURE = 0, 2
SETPOINT = 10


class Client:
    """A client that speaks floats."""

    def __init__(self, plcs: BoilerHousePlcs) -> None:
        host, port = plcs.modbus.address
        self.raw = AsyncModbusTcpClient(host, port=port, retries=0, timeout=5, reconnect_delay=0)

    async def read(self, offset: int) -> float:
        reply = await self.raw.read_input_registers(offset, count=2, device_id=1)
        assert not reply.isError(), reply
        return float(struct.unpack(">f", struct.pack(">2H", *reply.registers))[0])

    async def setpoint(self) -> float:
        reply = await self.raw.read_holding_registers(SETPOINT, count=2, device_id=1)
        return float(struct.unpack(">f", struct.pack(">2H", *reply.registers))[0])

    async def move_setpoint(self, value: float) -> int:
        words = list(struct.unpack(">2H", struct.pack(">f", value)))
        reply = await self.raw.write_registers(SETPOINT, words, device_id=1)
        return reply.exception_code if reply.isError() else 0


@pytest.fixture
async def plcs() -> AsyncIterator[BoilerHousePlcs]:
    plcs = BoilerHousePlcs()
    await plcs.modbus.start(LOOPBACK)
    yield plcs
    await plcs.modbus.stop()


@pytest.fixture
async def client(plcs: BoilerHousePlcs) -> AsyncIterator[Client]:
    client = Client(plcs)
    assert await client.raw.connect()
    yield client
    client.raw.close()


async def test_a_register_shows_what_the_instrument_shows(plcs: BoilerHousePlcs, client: Client) -> None:
    for _ in range(3):
        await plcs.step(1.0)
        assert await client.read(STEAM_TEMPERATURE) == pytest.approx(plcs.boiler.readings["steam_temperature"].value)
        assert await client.read(DRUM_PRESSURE) == pytest.approx(plcs.boiler.readings["drum_pressure"].value)


async def test_all_tables_answer(client: Client) -> None:
    assert (await client.raw.read_coils(0, count=2, device_id=1)).bits[:2] == [True, True]
    assert (await client.raw.read_discrete_inputs(0, count=3, device_id=1)).bits[:3] == [True, True, False]
    assert await client.setpoint() == 450.0
    assert (await client.raw.read_input_registers(0, count=26, device_id=1)).registers[:2] != [0, 0]


async def test_a_written_setpoint_reaches_the_plant_and_reads_back_at_once(
    plcs: BoilerHousePlcs, client: Client
) -> None:
    assert await client.move_setpoint(480.0) == 0
    assert plcs.house.boiler.inputs.temperature_setpoint == 480.0
    assert await client.setpoint() == 480.0


async def test_a_written_coil_puts_out_the_flame(plcs: BoilerHousePlcs, client: Client) -> None:
    assert not (await client.raw.write_coil(0, False, device_id=1)).isError()  # noqa: FBT003  (the library's)
    await plcs.step(0.1)
    assert (await client.raw.read_coils(0, count=1, device_id=1)).bits[0] is False
    assert (await client.raw.read_discrete_inputs(1, count=1, device_id=1)).bits[0] is False


@pytest.mark.parametrize("value", [5000.0, float("nan"), float("-inf")])
def test_nothing_is_left_of_a_value_that_the_plc_refuses(value: float) -> None:
    with pytest.raises(ValueError, match="takes 100 to 600"):
        BoilerHousePlcs().boiler.write("temperature_setpoint", value)


async def test_a_value_that_the_plc_refuses_is_exception_3(plcs: BoilerHousePlcs, client: Client) -> None:
    assert await client.move_setpoint(5000.0) == 3
    assert await client.move_setpoint(float("nan")) == 3
    assert await client.setpoint() == plcs.house.boiler.inputs.temperature_setpoint == 450.0


async def test_places_that_are_not_there_and_writes_to_what_is_read_only_are_exception_2(client: Client) -> None:
    raw = client.raw
    for reply in (
        await raw.read_input_registers(26, count=1, device_id=1),
        await raw.read_input_registers(24, count=3, device_id=1),
        await raw.read_holding_registers(0, count=1, device_id=1),
        await raw.read_coils(64, count=1, device_id=1),
        await raw.write_coil(7, True, device_id=1),  # noqa: FBT003  (the library's)
        await raw.write_registers(11, [0, 0, 0, 0], device_id=1),
    ):
        assert reply.isError()
        assert reply.exception_code == 2


async def test_another_unit_is_not_there(client: Client) -> None:
    reply = await client.raw.read_coils(0, count=1, device_id=9)
    assert reply.exception_code == 0x0B


async def test_a_sensor_without_a_number_reads_as_nan(plcs: BoilerHousePlcs, client: Client) -> None:
    plcs.boiler.inject("steam_temperature", Fault(FaultKind.NAN))
    await plcs.step(0.1)
    assert isnan(await client.read(STEAM_TEMPERATURE))
    plcs.boiler.clear("steam_temperature")
    await plcs.step(0.1)
    assert 440 < await client.read(STEAM_TEMPERATURE) < 460


async def test_a_broken_sensor_is_exception_4_and_its_neighbour_still_answers(
    plcs: BoilerHousePlcs, client: Client
) -> None:
    plcs.boiler.inject("steam_temperature", Fault(FaultKind.BAD))
    reply = await client.raw.read_input_registers(0, count=26, device_id=1)
    assert reply.exception_code == 4
    assert 41 < await client.read(DRUM_PRESSURE) < 43


async def test_a_stopped_plc_answers_with_old_values_and_takes_writes_without_effect(
    plcs: BoilerHousePlcs, client: Client
) -> None:
    plcs.boiler.frozen = True
    before = (await client.raw.read_input_registers(0, count=26, device_id=1)).registers
    for _ in range(5):
        await plcs.step(1.0)
    assert (await client.raw.read_input_registers(0, count=26, device_id=1)).registers == before
    assert await client.move_setpoint(480.0) == 0
    assert await client.setpoint() == 450.0


async def test_the_steam_can_be_overheated_before_a_clients_eyes(plcs: BoilerHousePlcs, client: Client) -> None:
    plcs.house.boiler.inputs.overfire = True
    for _ in range(60):
        await plcs.step(1.0)
    assert 580 < await client.read(STEAM_TEMPERATURE) < 700


async def test_requests_are_counted_on_this_side(plcs: BoilerHousePlcs, client: Client) -> None:
    await client.read(STEAM_TEMPERATURE)
    await client.read(DRUM_PRESSURE)
    await client.move_setpoint(480.0)
    await client.move_setpoint(5000.0)
    assert (plcs.modbus.units[0].reads, plcs.modbus.units[0].writes) == (2, 2)


async def test_a_taken_port_is_one_clear_line(plcs: BoilerHousePlcs) -> None:
    other = ModbusFace(plcs.modbus.units)
    with pytest.raises(
        SimulatorError, match=r"the Modbus PLC cannot listen at 127\.0\.0\.1:\d+: Address already in use"
    ):
        await other.start(plcs.modbus.address)


async def test_a_stopped_face_hangs_up_and_can_be_started_again_at_its_port(
    plcs: BoilerHousePlcs, client: Client
) -> None:
    address = plcs.modbus.address
    await client.read(STEAM_TEMPERATURE)
    await plcs.modbus.stop()
    again = Client(plcs)
    assert not await again.raw.connect()
    again.raw.close()
    await plcs.modbus.start(address)
    again = Client(plcs)
    assert await again.raw.connect()
    assert 440 < await again.read(STEAM_TEMPERATURE) < 460
    again.raw.close()
