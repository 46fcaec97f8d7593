"""Writing to a real OPC UA server that notes, on its own side, every write that comes."""

import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from drivers.errors import DeviceFault
from drivers.opcua.connection import OpcUaConnection
from drivers.opcua.settings import OpcUaDevice, OpcUaPoint
from drivers.opcua.writing import OpcUaWriter
from drivers.values import DataType, Quality, Sample, Seconds, Value
from drivers.writing import NotSent, Unanswered
from tests.integration.opcua_server import OpcUaServer, ServerSpec, opcua_server
from tests.integration.opcua_server import Value as Held
from tests.permits import NotingPermit, NotingTransport, Permit, Refused

pytestmark = pytest.mark.real

SOON = Seconds(1.0)
"""The timeout of a write that is meant to run into it."""
NOON = datetime(2024, 5, 1, 12, 0, 0, 250000, tzinfo=UTC)
NODES = {
    "Float": Held(1.0, "Float"),
    "Double": Held(1.0),
    "Boolean": Held(value=False, type="Boolean"),
    "SByte": Held(1, "SByte"),
    "Byte": Held(1, "Byte"),
    "Int16": Held(1, "Int16"),
    "UInt16": Held(1, "UInt16"),
    "Int32": Held(1, "Int32"),
    "UInt32": Held(1, "UInt32"),
    "Int64": Held(1, "Int64"),
    "UInt64": Held(1, "UInt64"),
    "String": Held("a", "String"),
    "DateTime": Held(NOON.replace(tzinfo=None), "DateTime"),
    "ByteString": Held(b"a", "ByteString"),
    "Numbers": Held([1, 2], "Int16"),
    "Matrix": Held([[1, 2], [3, 4]], "Int16"),
    "Guid": Held(None, "Null"),
    "ReadOnly": Held(1.0),
}
PLACES = {name: place for place, name in enumerate(NODES)}
SETPOINT = PLACES["Double"]


@pytest.fixture(scope="module")
def shared() -> Iterator[OpcUaServer]:
    with opcua_server(ServerSpec(nodes=NODES, writable=tuple(name for name in NODES if name != "ReadOnly"))) as server:
        yield server


@pytest.fixture
def server(shared: OpcUaServer) -> Iterator[OpcUaServer]:
    yield shared
    shared.do("answer_writes", status=-1, done=True)


@asynccontextmanager
async def writing(
    server: OpcUaServer, within: Seconds = Seconds(4), **points: OpcUaPoint
) -> AsyncIterator[OpcUaWriter]:
    device = OpcUaDevice(server.url, timeout=within)
    connection = OpcUaConnection(device)
    await connection.open()
    try:
        nodes = {
            place: points.get(name, OpcUaPoint(f"nsu=urn:boiler-house;s={name}")) for name, place in PLACES.items()
        }
        nodes[len(nodes)] = OpcUaPoint("nsu=urn:nowhere;s=a")
        writer = OpcUaWriter("turbine", connection, device, nodes)
        await writer.prepare()
        yield writer
    finally:
        await connection.close()


async def write(writer: OpcUaWriter, place: int, value: Value, permit: Permit | None = None) -> None:
    await writer.write(place, "a_tag", writer.encode(place, value), Permit() if permit is None else permit)


class Counted:
    """What clients wrote since it was made."""

    def __init__(self, server: OpcUaServer) -> None:
        self._server = server
        self._before = len(server.do("written"))

    @property
    def frames(self) -> list[Any]:
        return list(self._server.do("written")[self._before :])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Float", 0.1),
        ("Double", 0.1),
        ("Double", 7),
        ("Boolean", True),
        ("SByte", -128),
        ("Byte", 255),
        ("Int16", -0x8000),
        ("UInt16", 0xFFFF),
        ("Int32", -(2**31)),
        ("UInt32", 2**32 - 1),
        ("Int64", -(2**63)),
        ("UInt64", 2**64 - 1),
        ("Int32", 5.0),
        ("String", "Grüße"),
        ("DateTime", NOON),
        ("ByteString", b"\0\xff"),
        ("Numbers", (3, -4)),
    ],
)
async def test_a_write_is_one_frame_of_the_nodes_own_type_and_reads_back(
    server: OpcUaServer, name: str, value: Value
) -> None:
    place, counted = PLACES[name], Counted(server)
    async with writing(server) as writer:
        permit, raw = Permit(), writer.encode(place, value)
        await writer.write(place, "a_tag", raw, permit)
        ((node, _, kind, is_without_time),) = counted.frames
        assert (node, kind, is_without_time) == (name, NODES[name].type, True)
        assert permit.spent == [("turbine", "a_tag", raw, writer.generation)]
        ((back_place, back),) = await writer.read_back([place])
        assert (back_place, back) == (place, writer.decode(place, raw))
        assert type(back.value) is type(writer.decode(place, raw).value)
        assert back.value == (struct.unpack("<f", struct.pack("<f", value))[0] if name == "Float" else value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("Double", True, "True does not fit into float64"),
        ("Double", "1", "'1' does not fit into float64"),
        ("Double", float("nan"), "nan does not fit"),
        ("Double", float("inf"), "inf does not fit"),
        ("Double", 10**400, "does not fit into float64"),
        ("Double", (1.0,), "does not fit into float64"),
        ("Float", 1e39, "does not fit into float32"),
        ("Boolean", 1, "1 does not fit into bool"),
        ("Byte", 256, "256 does not fit into uint8"),
        ("Byte", -1, "-1 does not fit into uint8"),
        ("Int16", 1.5, r"1\.5 does not fit into int16"),
        ("Int16", True, "True does not fit into int16"),
        ("Int64", 2**63, "does not fit into int64"),
        ("String", 1, "1 does not fit into string"),
        ("String", "\ud800", "does not fit into string"),
        ("DateTime", NOON.replace(tzinfo=None), "does not fit into datetime"),
        ("ByteString", "a", "does not fit into bytes"),
        ("Numbers", 3, "3 is no array"),
        ("Numbers", (3, 4.5), r"4\.5 does not fit into int16"),
        ("Numbers", ((3,), (4,)), "does not fit into int16"),
        ("Matrix", (1, 2), "a matrix cannot be written"),
        ("Guid", 1, "tells its type neither by declaring it nor by a value"),
    ],
)
async def test_what_the_node_cannot_hold_has_no_encoding(
    server: OpcUaServer, name: str, value: Value, message: str
) -> None:
    async with writing(server) as writer:
        with pytest.raises(ValueError, match=f"^nsu=urn:boiler-house;s={name}: .*{message}"):
            writer.encode(PLACES[name], value)


async def test_a_node_of_another_type_than_configured_or_of_no_known_namespace_has_no_encoding(
    server: OpcUaServer,
) -> None:
    async with writing(server, Double=OpcUaPoint("nsu=urn:boiler-house;s=Double", type=DataType.INT16)) as writer:
        with pytest.raises(ValueError, match="configured as int16, and the server holds float64"):
            writer.encode(SETPOINT, 1)
        with pytest.raises(ValueError, match="the server does not have its namespace"):
            writer.encode(len(PLACES), 1)
        ((_, sample),) = await writer.read_back([len(PLACES)])
        assert sample.reason == "namespace_unknown"


async def test_a_node_that_holds_another_type_than_it_declares_is_not_written() -> None:
    with opcua_server(ServerSpec(nodes={"Double": Held(1.0)}, writable=("Double",))) as server:
        server.do("declare", name="Double", data_type=4)
        async with writing(server) as writer:
            with pytest.raises(ValueError, match="the server declares it int16, and holds float64"):
                writer.encode(SETPOINT, 1)


async def test_a_refused_permit_lets_no_byte_leave(server: OpcUaServer) -> None:
    counted = Counted(server)
    async with writing(server) as writer:
        permit = Permit(allows=False)
        with pytest.raises(Refused):
            await write(writer, SETPOINT, 2.0, permit)
        assert len(permit.spent) == 1
        await writer.read_back([SETPOINT])  # what had been sent would have come before it
    assert not counted.frames


async def test_a_node_that_may_not_be_written_is_refused_by_the_server_and_says_so(server: OpcUaServer) -> None:
    async with writing(server) as writer:
        with pytest.raises(DeviceFault, match=r"writing nsu=urn:boiler-house;s=ReadOnly: .*rights") as raised:
            await write(writer, PLACES["ReadOnly"], 2.0)
        assert (type(raised.value), raised.value.kind) == (DeviceFault, "user_denied")


@pytest.mark.parametrize(
    ("status", "fault", "kind"),
    [
        (0x00300000, DeviceFault, "clamped"),
        (0x803B0000, DeviceFault, "not_writable"),
        (0x80740000, DeviceFault, "type_mismatch"),
        (0x803C0000, DeviceFault, "out_of_range"),
        (0x80730000, DeviceFault, "write_not_supported"),
        (0x002E0000, Unanswered, "completes_asynchronously"),
        (0x002F0000, Unanswered, "overload"),
        (0x40000000, Unanswered, "uncertain"),
        (0x80000000, Unanswered, "bad"),
        (0x800A0000, Unanswered, "timeout"),
        (0x80050000, Unanswered, "communication_error"),
        (0x808B0000, Unanswered, "device_failure"),
    ],
)
async def test_only_good_is_done_and_only_a_refusal_is_not_done(
    server: OpcUaServer, status: int, fault: type[DeviceFault], kind: str
) -> None:
    counted = Counted(server)
    async with writing(server) as writer:
        server.do("answer_writes", status=status, done=False)
        with pytest.raises(DeviceFault) as raised:
            await write(writer, SETPOINT, 2.0)
        assert (type(raised.value), raised.value.kind) == (fault, kind)
    assert len(counted.frames) == 1


async def test_a_hung_server_gets_one_frame_and_may_do_it_when_it_wakes(server: OpcUaServer) -> None:
    counted = Counted(server)
    async with writing(server, SOON) as writer:
        await write(writer, SETPOINT, 1.0)
        server.pause()
        try:
            with pytest.raises(Unanswered) as raised:
                await write(writer, SETPOINT, 99.0)
            assert raised.value.kind in {"timeout", "connection_lost"}
        finally:
            server.resume()
    async with writing(server) as writer:
        ((_, sample),) = await writer.read_back([SETPOINT])
    assert len(counted.frames) == 2
    assert sample == Sample(99.0)


async def test_a_connection_that_is_gone_takes_no_permit(server: OpcUaServer) -> None:
    counted = Counted(server)
    async with writing(server) as old:
        raw = old.encode(SETPOINT, 2.0)
    async with writing(server) as new:
        permit = Permit()
        with pytest.raises(NotSent) as raised:
            await old.write(SETPOINT, "a_tag", raw, permit)
        assert raised.value.kind == "connection_lost"
        assert not permit.spent
        assert new.generation != old.generation
        await new.read_back([SETPOINT])
    assert not counted.frames


@pytest.mark.parametrize("raw", [2.0, (11, 2.0), None, "2.0"])
async def test_what_no_encoding_gives_is_not_sent(server: OpcUaServer, raw: object) -> None:
    counted = Counted(server)
    async with writing(server) as writer:
        permit = Permit()
        for wrong in (raw, writer.encode(PLACES["Float"], 2.0), writer.encode(SETPOINT, 1.0)._replace(value=True)):
            with pytest.raises(NotSent):
                await writer.write(SETPOINT, "a_tag", wrong, permit)
        assert not permit.spent
    assert not counted.frames


async def test_nothing_is_written_before_the_nodes_are_known(server: OpcUaServer) -> None:
    device = OpcUaDevice(server.url)
    connection = OpcUaConnection(device)
    await connection.open()
    writer = OpcUaWriter("turbine", connection, device, {0: OpcUaPoint("nsu=urn:boiler-house;s=Double")})
    with pytest.raises(ValueError, match="namespace"):
        writer.encode(0, 1.0)
    with pytest.raises(DeviceFault):
        await writer.read_back([0])
    await connection.close()


async def test_reading_back_is_not_the_last_value_but_the_one_of_now(server: OpcUaServer) -> None:
    async with writing(server) as writer:
        await write(writer, SETPOINT, 2.0)
        server.write("Double", Held(3.0))
        ((place, sample),) = await writer.read_back([SETPOINT])
        assert (place, sample._replace(source_time=None)) == (SETPOINT, Sample(3.0))
        server.write("Double", Held(3.0, status=0x80000000))
        ((_, sample),) = await writer.read_back([SETPOINT])
        assert sample.quality is Quality.BAD
        server.write("Double", Held(1.0))


async def test_the_request_goes_to_the_transport_before_the_loop_turns(server: OpcUaServer) -> None:
    async with writing(server) as writer:
        client, events = writer._channel._client, list[str]()
        assert client is not None
        protocol = client.uaclient.protocol
        assert protocol is not None
        protocol.transport = NotingTransport(protocol.transport, events)  # type: ignore[assignment]  # it does all that one does
        await write(writer, SETPOINT, 5.0, NotingPermit(events))
        place = events.index("spent")
        assert events[place : place + 3] == ["spent", "sent", "turned"]


async def test_after_a_write_without_an_answer_nothing_of_it_is_sent_once_the_link_is_closed(
    server: OpcUaServer,
) -> None:
    async with writing(server, SOON) as writer:
        client = writer._channel._client
        assert client is not None
        assert client.uaclient.protocol is not None
        assert client.uaclient.protocol.transport is not None
        wire = client.uaclient.protocol.transport.get_extra_info("socket")

        def lingers() -> int:
            return int(struct.unpack("ii", wire.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))[0])

        await write(writer, SETPOINT, 1.0)
        settled = lingers()
        server.pause()
        try:
            with pytest.raises(Unanswered):
                await write(writer, SETPOINT, 2.0)
            assert (settled, lingers()) == (0, 1)
        finally:
            server.resume()
