"""The simulated turbine as an OPC UA client meets it: a real server, asked by a real client."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from math import isnan
from typing import Any

import pytest
import pytest_asyncio
from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.node import Node
from asyncua.ua.uaerrors import BadUserAccessDenied

from simulators.boiler_house_map import NAMESPACE
from simulators.boiler_house_plcs import BoilerHousePlcs
from simulators.errors import SimulatorError
from simulators.faces.listening import LOOPBACK
from simulators.faces.opcua_face import OpcUaFace
from simulators.faults import Fault, FaultKind

# The server takes seconds to build its address space, so all tests of this file share one, and its loop.
pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def served() -> AsyncIterator[BoilerHousePlcs]:
    plcs = BoilerHousePlcs()
    await plcs.opcua.start(LOOPBACK)
    yield plcs
    await plcs.opcua.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def plcs(served: BoilerHousePlcs) -> BoilerHousePlcs:
    served.house.turbine.inputs.trip_valve = False
    served.house.turbine.inputs.load_setpoint = 4.0
    for point in served.turbine.readings:
        served.turbine.clear(point)
    served.opcua.writes = 0
    await served.refresh()
    return served


class Turbine:
    """The server's variables by their names."""

    def __init__(self, client: Client, index: int) -> None:
        self.client = client
        self.index = index

    def __getitem__(self, name: str) -> Node:
        return self.client.get_node(f"ns={self.index};s=Turbine.{name}")


@pytest_asyncio.fixture(loop_scope="module")
async def turbine(plcs: BoilerHousePlcs) -> AsyncIterator[Turbine]:
    async with Client(f"opc.tcp://{plcs.opcua.address}/", timeout=10) as client:
        yield Turbine(client, await client.get_namespace_index(NAMESPACE))


async def test_a_variable_shows_what_the_instrument_shows_and_when(plcs: BoilerHousePlcs, turbine: Turbine) -> None:
    await plcs.step(0.1)
    value = await turbine["Speed"].read_data_value()
    assert value.Value is not None
    assert value.Value.Value == plcs.turbine.readings["speed"].value
    assert value.Value.VariantType == ua.VariantType.Double
    assert value.SourceTimestamp is not None
    assert abs(datetime.now(UTC) - value.SourceTimestamp) < timedelta(seconds=10)


async def test_variables_of_every_type_answer(turbine: Turbine) -> None:
    assert await turbine["TripValve"].read_value() is False
    assert await turbine["State"].read_value() in {"synchronised", "rolling"}
    assert await turbine["ScanCounter"].read_value() >= 0
    assert await turbine["LoadSetpoint"].read_value() == 4.0


async def test_what_does_not_change_keeps_its_source_time(plcs: BoilerHousePlcs, turbine: Turbine) -> None:
    before = [await turbine[name].read_data_value() for name in ("Breaker", "Speed")]
    await plcs.step(0.1)
    after = [await turbine[name].read_data_value() for name in ("Breaker", "Speed")]
    assert before[0].SourceTimestamp == after[0].SourceTimestamp
    assert before[1].SourceTimestamp != after[1].SourceTimestamp


async def test_a_subscriber_is_told_of_changes(plcs: BoilerHousePlcs, turbine: Turbine) -> None:
    told: asyncio.Queue[object] = asyncio.Queue()

    class Handler:
        def datachange_notification(self, node: Node, value: object, data: Any) -> None:
            told.put_nowait(value)

    subscription = await turbine.client.create_subscription(50, Handler())
    await subscription.subscribe_data_change(turbine["TripValve"])
    async with asyncio.timeout(10):
        assert await told.get() is False
        plcs.house.turbine.inputs.trip_valve = True
        await plcs.step(0.1)
        assert await told.get() is True
    await subscription.delete()


async def test_a_written_variable_reaches_the_plant(plcs: BoilerHousePlcs, turbine: Turbine) -> None:
    await turbine["TripValve"].write_value(ua.DataValue(ua.Variant(Value=True, VariantType=ua.VariantType.Boolean)))
    await turbine["LoadSetpoint"].write_value(ua.DataValue(ua.Variant(3.5, ua.VariantType.Double)))
    assert plcs.house.turbine.inputs.trip_valve is True
    assert plcs.house.turbine.inputs.load_setpoint == 3.5
    assert await turbine["LoadSetpoint"].read_value() == 3.5
    assert plcs.opcua.writes == 2
    await plcs.step(1.0)
    assert await turbine["State"].read_value() == "tripped"


async def test_a_value_that_the_plc_does_not_take_is_gone_at_the_next_read(
    plcs: BoilerHousePlcs, turbine: Turbine
) -> None:
    await turbine["LoadSetpoint"].write_value(ua.DataValue(ua.Variant(99.0, ua.VariantType.Double)))
    assert await turbine["LoadSetpoint"].read_value() == 4.0
    assert plcs.house.turbine.inputs.load_setpoint == 4.0


async def test_a_sensor_cannot_be_written(turbine: Turbine) -> None:
    with pytest.raises(BadUserAccessDenied):
        await turbine["Speed"].write_value(ua.DataValue(ua.Variant(1.0, ua.VariantType.Double)))


async def test_a_broken_sensor_has_a_bad_status_until_it_is_repaired(plcs: BoilerHousePlcs, turbine: Turbine) -> None:
    plcs.turbine.inject("speed", Fault(FaultKind.BAD))
    await plcs.refresh()
    value = await turbine["Speed"].read_data_value(raise_on_bad_status=False)
    assert value.StatusCode is not None
    assert value.StatusCode.name == "BadSensorFailure"
    plcs.turbine.clear("speed")
    await plcs.refresh()
    assert abs(await turbine["Speed"].read_value() - 3000) < 20


async def test_a_sensor_without_a_number_reads_as_nan_of_good_status(plcs: BoilerHousePlcs, turbine: Turbine) -> None:
    plcs.turbine.inject("speed_b", Fault(FaultKind.NAN))
    await plcs.refresh()
    assert isnan(await turbine["SpeedB"].read_value())
    assert abs(await turbine["SpeedC"].read_value() - 3000) < 20


async def test_the_servers_clock_runs(plcs: BoilerHousePlcs, turbine: Turbine) -> None:
    await plcs.refresh()
    time = await turbine.client.nodes.server.get_child(["0:ServerStatus", "0:CurrentTime"])
    assert abs(datetime.now(UTC) - (await time.read_value()).replace(tzinfo=UTC)) < timedelta(seconds=5)


async def test_the_only_endpoint_is_the_open_one(turbine: Turbine) -> None:
    endpoints = await turbine.client.get_endpoints()
    assert [endpoint.SecurityMode for endpoint in endpoints] == [ua.MessageSecurityMode.None_]


async def test_a_taken_port_is_one_clear_line(plcs: BoilerHousePlcs) -> None:
    other = OpcUaFace(plcs.opcua.spec, plcs.turbine)
    with pytest.raises(
        SimulatorError, match=r"the OPC UA PLC cannot listen at 127\.0\.0\.1:\d+: Address already in use"
    ):
        await other.start(plcs.opcua.address)
