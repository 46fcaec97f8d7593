"""The write half of one OPC UA device: one node a write, of the node's own type, without any time stamp."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.ua_binary import struct_to_binary

from drivers.base import Change, Surroundings
from drivers.errors import DeviceFault
from drivers.opcua.binary import BadEncoding
from drivers.opcua.calls import ServerFacts, learn_facts, read_nodes
from drivers.opcua.channel import Channel
from drivers.opcua.connection import OpcUaConnection
from drivers.opcua.data_types import Expected, Shape, Vetting, built_in_type, python_type
from drivers.opcua.encoding import Encoded, decode, encode, fits
from drivers.opcua.faults import explain_status
from drivers.opcua.settings import OpcUaDevice, OpcUaPoint
from drivers.opcua.write_answer import Verdict, judge, read_status
from drivers.opcua.write_targets import Node, find_targets
from drivers.values import Sample, Value, bad
from drivers.writing import NotSent, OneFrame, Raw, Unanswered, WritePermit, WriterOf, generation_of


class OpcUaWriter:
    """Writes the points of one device."""

    def __init__(
        self,
        name: str,
        connection: OpcUaConnection,
        device: OpcUaDevice,
        points: Mapping[int, OpcUaPoint],
        around: Surroundings | None = None,
    ) -> None:
        self.generation = generation_of(connection)
        self._name = name
        self._channel: Channel = connection.channel
        self._device = device
        self._points = dict(points)
        self._around = around or Surroundings()
        self._facts: ServerFacts | None = None
        self._nodes: dict[int, Node] = {}

    async def prepare(self) -> None:
        facts = await learn_facts(self._channel, self._device, self._around.learned)
        self._nodes = await find_targets(self._channel, facts, self._points)
        self._facts = facts

    def encode(self, point: int, value: Value) -> Encoded:
        name, node = self._points[point].node, self._nodes.get(point)
        if node is None:
            raise ValueError(f"{name}: the server does not have its namespace")
        if node.target is None:
            raise ValueError(f"{name}: {node.why_not}")
        try:
            return encode(node.target, value)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None

    def decode(self, point: int, raw: Raw) -> Sample:  # noqa: ARG002  (a Variant says itself what it is)
        return decode(raw)

    async def write(self, point: int, tag: str, raw: Raw, permit: WritePermit) -> None:
        node, label = self._nodes.get(point), f"{self._channel.address}: writing {self._points[point].node}"
        if node is None or node.target is None or not fits(node.target, raw):
            raise NotSent("bad_value", f"{label}: {raw!r} is not what its encoding gives")
        request = _request(node.id, raw)
        frame = OneFrame(permit, self._name, tag, raw, self.generation)
        try:
            answer = await self._channel.ask_in_one_step(request, frame)
        except DeviceFault as fault:
            raise frame.outcome(fault.kind, f"{label}: {fault}") from None
        _check(label, answer)

    async def read_back(self, points: Sequence[int]) -> Sequence[Change]:
        if self._facts is None:
            raise DeviceFault("not_prepared", f"{self._channel.address}: it is not known which nodes to read")
        known = [point for point in points if point in self._nodes]
        stamps = ua.TimestampsToReturn.Source if self._device.with_time else ua.TimestampsToReturn.Neither
        read = partial(read_nodes, self._channel, stamps=stamps)
        results = await self._facts.reads.run([self._nodes[point].id for point in known], read)
        readings = [(point, result.sample) for point, result in zip(known, results, strict=True)]
        vetting = Vetting({point: self._expected(point) for point in known}, with_time=self._device.with_time)
        brought = dict(vetting.vet(readings))
        return [(point, brought.get(point, bad("namespace_unknown"))) for point in points]

    def _expected(self, point: int) -> Expected:
        target = self._nodes[point].target
        data_type = None if target is None else built_in_type(target.kind)
        if target is None or data_type is None:
            return Expected()
        return Expected(python_type(data_type), Shape.ARRAY if target.is_array else Shape.SCALAR)


def _request(node: ua.NodeId, raw: Encoded) -> ua.WriteRequest:
    # No status and no time stamps: what a server need not be able to write, it refuses (OPC 10000-4, 5.11.4).
    value = ua.DataValue(_variant(raw), StatusCode=None)
    request = ua.WriteRequest()
    request.Parameters.NodesToWrite = [
        ua.WriteValue(NodeId=node, AttributeId=ua.IntegerId(AttributeIds.Value), Value=value)
    ]
    return request


def _variant(raw: Encoded) -> ua.Variant:
    value = raw.value
    plain = [_plain(each) for each in value] if isinstance(value, tuple) else _plain(value)
    return ua.Variant(plain, ua.VariantType(raw.kind), is_array=isinstance(value, tuple))


def _plain(value: Value) -> Value:
    # The library knows times in UTC alone, and without saying so.
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def _check(label: str, answer: bytes) -> None:
    """Raise Unanswered, or DeviceFault, where the answer is not that it is done."""
    try:
        status = read_status(answer)
    except BadEncoding as error:
        raise Unanswered("bad_reply", f"{label}: the answer makes no sense: {error}") from None
    name = ua.StatusCode(ua.UInt32(status & 0xFFFF0000)).name
    verdict = judge(status, name)
    if verdict is Verdict.DONE:
        return
    kind, cause = explain_status(name)
    raise (DeviceFault if verdict is Verdict.NOT_DONE else Unanswered)(kind, f"{label}: {cause}")


# At first use the library builds what encodes this, which would hold up the loop.
struct_to_binary(_request(ua.NodeId(), Encoded(11, 0.0)))

WRITER: WriterOf = OpcUaWriter
