"""The read half of one device: its points resolved on this connection, subscribed, or read when asked."""

import asyncio
from collections.abc import Sequence
from functools import partial

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from drivers.base import Block, Change, Listener, Plan, Surroundings
from drivers.opcua.calls import ServerFacts, learn_facts, read_nodes
from drivers.opcua.channel import Channel
from drivers.opcua.data_types import Vetting, built_in_type, declared_type, python_type
from drivers.opcua.node_id import namespace_index, parse_node_id
from drivers.opcua.notification import Result
from drivers.opcua.publisher import Publisher
from drivers.opcua.settings import OpcUaDevice, OpcUaPoint
from drivers.opcua.subscription import SLICE, Item, Subscription
from drivers.values import DataType, Seconds, bad

LONGEST_INTERVAL = 2.0
"""Seconds between two publish responses at most, so that a lost subscription shows soon; slower is the sampling."""


class OpcUaReader:
    """The points of one device on one connection. Every point is subscribed; any block can be read as well."""

    def __init__(
        self,
        channel: Channel,
        publisher: Publisher,
        device: OpcUaDevice,
        points: Sequence[OpcUaPoint],
        around: Surroundings,
    ) -> None:
        self._channel = channel
        self._around = around
        self._publisher = publisher
        self._points = tuple(points)
        self._scan = device.scan
        self._with_time = device.source_time == "use"
        self._stamps = ua.TimestampsToReturn.Source if self._with_time else ua.TimestampsToReturn.Neither
        self._nodes: dict[int, ua.NodeId] = {}
        self._declared: dict[int, DataType] = {}
        self._types: dict[int, DataType] = {}
        self._intervals: dict[Block, Seconds] = {}
        self._facts: ServerFacts | None = None

    async def prepare(self) -> Plan:
        self._facts = facts = await learn_facts(self._channel)
        for place, point in enumerate(self._points):
            if place % SLICE == 0:
                await asyncio.sleep(0)
            address = parse_node_id(point.node)
            index = namespace_index(address, facts.namespaces)
            if index is not None:
                self._nodes[place] = ua.NodeId(address.identifier, index)  # type: ignore[arg-type]  # plain values do
        await self._learn_types()
        self._intervals = {block: interval for interval, block in self._group().items()}
        return Plan(polled=(), subscribed=tuple(self._intervals))

    def data_type(self, point: int) -> DataType | None:
        return self._points[point].type or self._types.get(point)

    async def read(self, block: Block) -> Sequence[Change]:
        """Ask once for all points of a block, subscribed or not, and return them all."""
        known = self._known(block)
        results = await self._read(known)
        changes = [(point, result.sample) for point, result in zip(known, results, strict=True)]
        return self._vetting(block).vet(changes) + self._unknown(block)

    async def probe(self, within: Seconds) -> None:
        await self._channel.probe(within)

    async def subscribe(self, listener: Listener) -> None:
        assert self._facts is not None
        for block, interval in self._intervals.items():
            subscription = Subscription(block, listener, self._vetting(block), partial(self.read, block))
            await subscription.create(self._channel, interval)
            self._publisher.add(subscription)
            items = [Item(point, self._nodes[point], self._sampling(point)) for point in self._known(block)]
            refused = await subscription.monitor(self._channel, items, self._facts.creates, self._stamps)
            listener.received(block, refused + self._unknown(block))

    def _group(self) -> dict[Seconds, Block]:
        """Put the points that share a publishing interval into one block."""
        places: dict[Seconds, list[int]] = {}
        for place in range(len(self._points)):
            places.setdefault(Seconds(min(self._sampling_of_own(place), LONGEST_INTERVAL)), []).append(place)
        return {
            interval: Block(points=tuple(points), label=f"publishing every {interval:g} s")
            for interval, points in places.items()
        }

    def _sampling_of_own(self, place: int) -> Seconds:
        interval = self._points[place].interval
        return self._scan if interval is None else min(interval, self._scan)

    def _sampling(self, place: int) -> Seconds:
        sampling = self._points[place].sampling
        return self._sampling_of_own(place) if sampling is None else sampling

    def _known(self, block: Block) -> list[int]:
        return [point for point in block.points if point in self._nodes]

    def _unknown(self, block: Block) -> list[Change]:
        return [(point, bad("namespace_unknown")) for point in block.points if point not in self._nodes]

    def _vetting(self, block: Block) -> Vetting:
        types = ((point, self._points[point].type or self._declared.get(point)) for point in block.points)
        expected = {point: None if data_type is None else python_type(data_type) for point, data_type in types}
        return Vetting(expected, with_time=self._with_time)

    async def _learn_types(self) -> None:
        """Find out the types that nobody configured: as declared, else as the value is now."""
        asked = [place for place in self._nodes if self._points[place].type is None]
        for place, answer in zip(asked, await self._read(asked, AttributeIds.DataType), strict=True):
            declared = declared_type(answer.node_id)
            if declared is not None:
                self._declared[place] = declared
        self._types.update(self._declared)
        asked = [place for place in asked if place not in self._declared]
        for place, answer in zip(asked, await self._read(asked), strict=True):
            found = built_in_type(answer.variant_type)
            if found is not None:
                self._types[place] = found

    async def _read(self, places: Sequence[int], attribute: AttributeIds = AttributeIds.Value) -> list[Result]:
        assert self._facts is not None

        async def read(nodes: Sequence[ua.NodeId]) -> list[Result]:
            return await read_nodes(self._channel, nodes, attribute, self._stamps)

        return await self._facts.reads.run([self._nodes[place] for place in places], read)
