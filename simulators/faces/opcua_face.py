"""A real OPC UA server in front of a simulated device. Its endpoint is open: no security, anonymous."""

from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import Any

from asyncua import ua
from asyncua.common.callback import CallbackType
from asyncua.common.node import Node
from asyncua.server.server import Server
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes

from simulators.errors import SimulatorError
from simulators.faces.listening import LOOPBACK, Address, check_free
from simulators.faults import Reading
from simulators.instruments import Instruments
from simulators.spec import OpcUaSpec, Signal, VariableSpec, VariableType

CURRENT_TIME = ua.NodeId(ua.Int32(ObjectIds.Server_ServerStatus_CurrentTime))
CLOCK = timedelta(seconds=1)
"""How often the server tells its time."""

_TYPES: Mapping[VariableType, ua.VariantType] = {
    "Boolean": ua.VariantType.Boolean,
    "Int32": ua.VariantType.Int32,
    "UInt32": ua.VariantType.UInt32,
    "Float": ua.VariantType.Float,
    "Double": ua.VariantType.Double,
    "String": ua.VariantType.String,
}


class OpcUaFace:
    """An OPC UA server whose variables follow the instruments, and whose writable ones move the plant."""

    def __init__(self, spec: OpcUaSpec, instruments: Instruments) -> None:
        self.spec = spec
        self.instruments = instruments
        self.writes = 0
        """Values that clients wrote or tried to, counted on this side of the wire."""
        self.address = LOOPBACK
        """Where it listens, once started."""
        self._server: Server | None = None
        self._points: dict[ua.NodeId, VariableSpec] = {}
        self._shown: dict[str, Reading] = {}
        self._told = ua.DateTime(2000, 1, 1, tzinfo=UTC)

    async def start(self, address: Address) -> None:
        """Listen. Raises SimulatorError where the port is taken."""
        check_free("the OPC UA PLC", address)
        server = Server()
        await server.init()
        server.disable_clock()  # the library's own would hold up every stop by a second
        server.set_endpoint(f"opc.tcp://{address}/")
        server.set_server_name(f"Simulated {self.spec.name}")
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        server.set_identity_tokens([ua.AnonymousIdentityToken])
        await server.set_application_uri(f"{self.spec.namespace}:{self.spec.name}")
        await self._populate(server)
        server.subscribe_server_callback(CallbackType.PostWrite, self._on_write)
        try:
            await server.start()
        except OSError as error:
            raise SimulatorError(f"the OPC UA PLC cannot listen at {address}: {error}") from error
        self._server = server
        assert server.bserver is not None, "it was just started"
        self.address = Address(server.bserver.hostname, server.bserver.port)

    async def refresh(self) -> None:
        """Show what the instruments show; a variable keeps its source time until its value changes."""
        for node, point in self._points.items():
            if not _same(self.instruments.readings[point.name], self._shown.get(point.name)):
                await self._show(node, point)
        await self._tell_time()

    async def stop(self) -> None:
        """Close the listener and every connection; nothing happens when not started."""
        server, self._server = self._server, None
        if server is not None:
            await server.stop()

    async def _populate(self, server: Server) -> None:
        index = await server.register_namespace(self.spec.namespace)
        parents: dict[str, Node] = {}
        for point in self.spec.points:
            folder, _, name = point.node.rpartition(".")
            if folder not in parents:
                parents[folder] = await server.nodes.objects.add_object(
                    ua.NodeId(ua.String(folder), ua.Int16(index)), folder
                )
            node_id = ua.NodeId(ua.String(point.node), ua.Int16(index))
            reading = self.instruments.readings[point.name]
            node = await parents[folder].add_variable(
                node_id, f"{index}:{name}", _native(point, reading.value), _TYPES[point.type]
            )
            await node.write_value(_data_value(point, reading, ua.DateTime.now(UTC)))
            if point.writable:
                await node.set_writable()
            self._points[node_id] = point
            self._shown[point.name] = reading

    async def _show(self, node: ua.NodeId, point: VariableSpec) -> None:
        server = self._server
        if server is None:
            return
        reading = self._shown[point.name] = self.instruments.readings[point.name]
        await server.write_attribute_value(node, _data_value(point, reading, ua.DateTime.now(UTC)))

    async def _tell_time(self) -> None:
        now = ua.DateTime.now(UTC)
        if self._server is None or now - self._told < CLOCK:
            return
        self._told = now
        await self._server.get_node(CURRENT_TIME).write_value(now)

    async def _on_write(self, event: Any, _: object) -> None:  # noqa: ANN401  (the library's event has no type)
        if not event.is_external:
            return
        for asked, status in zip(event.request_params.NodesToWrite, event.response_params, strict=True):
            point = self._points.get(asked.NodeId)
            if point is None or asked.AttributeId != AttributeIds.Value:
                continue
            self.writes += 1
            if status.is_good() and asked.Value.Value is not None:
                self._hand_over(point, asked.Value.Value.Value)
                await self._show(asked.NodeId, point)

    def _hand_over(self, point: VariableSpec, value: Signal) -> None:
        try:
            self.instruments.write(point.name, value)
        except ValueError:
            return  # a PLC keeps its old value then, without a word, and so does this one


def _native(point: VariableSpec, value: Signal) -> Signal:
    if point.type == "String":
        return str(value)
    if point.type == "Boolean":
        return bool(value)
    return float(value) if point.type in {"Float", "Double"} else round(float(value))


def _data_value(point: VariableSpec, reading: Reading, now: ua.DateTime) -> ua.DataValue:
    status = StatusCodes.Good if reading.good else StatusCodes.BadSensorFailure
    variant = ua.Variant(_native(point, reading.value), _TYPES[point.type])
    return ua.DataValue(variant, StatusCode=ua.StatusCode(ua.UInt32(status)), SourceTimestamp=now, ServerTimestamp=now)


def _same(reading: Reading, shown: Reading | None) -> bool:
    # NaN is unlike itself, and would be written anew at each refresh.
    return shown is not None and reading.good == shown.good and repr(reading.value) == repr(shown.value)
