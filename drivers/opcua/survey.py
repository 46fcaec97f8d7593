"""What the points of a device are on one connection: their nodes, types and shapes, asked of the server."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from drivers.opcua.calls import ServerFacts, read_nodes
from drivers.opcua.channel import Channel
from drivers.opcua.data_types import Expected, Shape, built_in_type, declared_shape, python_type
from drivers.opcua.node_id import namespace_index, parse_node_id
from drivers.opcua.notification import Result
from drivers.opcua.settings import OpcUaPoint
from drivers.opcua.structures import Structures
from drivers.opcua.type_tree import TypeTree
from drivers.values import DataType

_SLICE = 250
"""Points that are resolved before the loop gets its turn."""


class Survey(NamedTuple):
    """What was found out about the points, by place."""

    nodes: Mapping[int, ua.NodeId]
    """Without those whose namespace the server does not have."""
    types: Mapping[int, DataType]
    expected: Mapping[int, Expected]
    structures: Structures


async def survey(channel: Channel, facts: ServerFacts, points: Sequence[OpcUaPoint]) -> Survey:
    """Ask for what nobody configured: types as declared, else as the values are now. Raises DeviceFault."""
    nodes = await _resolve(facts, points)
    known = list(nodes)

    async def ask(places: Sequence[int], attribute: AttributeIds) -> list[Result]:
        async def read(portion: Sequence[ua.NodeId]) -> list[Result]:
            return await read_nodes(channel, portion, attribute, structures=tree.structures)

        return await facts.reads.run([nodes[place] for place in places], read)

    tree = TypeTree(channel, facts)
    ranks = await ask(known, AttributeIds.ValueRank)
    shapes = {place: declared_shape(rank.sample.value) for place, rank in zip(known, ranks, strict=True)}
    asked = [place for place in known if points[place].type in {None, DataType.STRUCTURE}]
    answers = zip(asked, await ask(asked, AttributeIds.DataType), strict=True)
    data_types = {place: answer.node_id for place, answer in answers if answer.node_id is not None}
    await tree.learn(data_types.values())
    declared: dict[int, DataType] = {}
    for place, address in data_types.items():
        found = built_in_type(tree.built_in(address) or 0)
        if found is not None:
            declared[place] = found
    # The value may be of a subtype that only its encoding names.
    asked = [place for place in asked if declared.get(place) in {None, DataType.STRUCTURE}]
    values = zip(asked, await ask(asked, AttributeIds.Value), strict=True)
    as_it_is = {place: built_in_type(answer.variant_type) for place, answer in values}
    await tree.learn_encodings()
    types = {place: found for place, found in (as_it_is | declared).items() if found is not None}
    types |= {place: found for place, point in enumerate(points) if (found := point.type) is not None}
    expected = {
        place: _expect(point.type or declared.get(place), shapes.get(place, Shape.ANY))
        for place, point in enumerate(points)
    }
    return Survey(nodes, types, expected, tree.structures)


def _expect(data_type: DataType | None, shape: Shape) -> Expected:
    return Expected(None if data_type is None else python_type(data_type), shape)


async def _resolve(facts: ServerFacts, points: Sequence[OpcUaPoint]) -> dict[int, ua.NodeId]:
    nodes: dict[int, ua.NodeId] = {}
    for place, point in enumerate(points):
        if place % _SLICE == 0:
            await asyncio.sleep(0)
        address = parse_node_id(point.node)
        index = namespace_index(address, facts.namespaces)
        if index is not None:
            nodes[place] = ua.NodeId(address.identifier, index)  # type: ignore[arg-type]  # plain values do
    return nodes
