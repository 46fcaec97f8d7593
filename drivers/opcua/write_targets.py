"""What the nodes of some points take, asked of the server: as they are declared, and as they are now."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, NamedTuple

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from drivers.opcua.calls import ServerFacts, read_nodes
from drivers.opcua.channel import Channel
from drivers.opcua.data_types import built_in_type
from drivers.opcua.encoding import Target, check_kind
from drivers.opcua.node_id import namespace_index, parse_node_id
from drivers.opcua.notification import Result
from drivers.opcua.settings import OpcUaPoint
from drivers.opcua.type_tree import TypeTree
from drivers.values import DataType

_LAST_CONCRETE = 23
"""From here on the built-in types leave open what stands in them."""
_SINGLE, _ARRAY = -1, 1
"""The ValueRanks that leave nothing open: a single value, and an array of one dimension (OPC 10000-3, 5.6.2)."""


class Node(NamedTuple):
    """A point's node, and what it takes."""

    id: ua.NodeId
    target: Target | None
    why_not: str = ""
    """Where it takes nothing."""


async def find_targets(channel: Channel, facts: ServerFacts, points: Mapping[int, OpcUaPoint]) -> dict[int, Node]:
    """Return the nodes that the server's namespaces can have. Raises DeviceFault."""
    nodes: dict[int, ua.NodeId] = {}
    for place, point in points.items():
        address = parse_node_id(point.node)
        index = namespace_index(address, facts.namespaces)
        if index is not None:
            nodes[place] = ua.NodeId(address.identifier, index)  # type: ignore[arg-type]  # plain values do
    tree = TypeTree(channel, facts)

    def asking(attribute: AttributeIds) -> Callable[[Sequence[ua.NodeId]], Coroutine[Any, Any, list[Result]]]:
        return lambda portion: read_nodes(channel, portion, attribute, structures=tree.structures)

    ids = list(nodes.values())
    ranks = await facts.reads.run(ids, asking(AttributeIds.ValueRank))
    declared = await facts.reads.run(ids, asking(AttributeIds.DataType))
    await tree.learn(result.node_id for result in declared if result.node_id is not None)
    values = await facts.reads.run(ids, asking(AttributeIds.Value))
    found: dict[int, Node] = {}
    for place, rank, data_type, value in zip(nodes, ranks, declared, values, strict=True):
        kind = 0 if data_type.node_id is None else tree.built_in(data_type.node_id) or 0
        try:
            target = _target(rank.sample.value, kind, value, points[place].type)
        except ValueError as error:
            found[place] = Node(nodes[place], None, str(error))
        else:
            found[place] = Node(nodes[place], target)
    return found


def _target(rank: object, declared: int, value: Result, configured: DataType | None) -> Target:
    """Return what a node takes. Raises ValueError where that is in doubt, or can be no tag's."""
    observed = value.variant_type
    is_concrete = 0 < declared < _LAST_CONCRETE
    if is_concrete and observed and observed != declared:
        raise ValueError(f"the server declares it {_named(declared)}, and holds {_named(observed)}")
    kind = declared if is_concrete else observed
    if not kind:
        raise ValueError("the server tells its type neither by declaring it nor by a value")
    check_kind(kind)
    if configured is not None and configured is not built_in_type(kind):
        raise ValueError(f"it is configured as {configured.value}, and the server holds {_named(kind)}")
    return Target(kind, _is_array(rank, value.sample.value))


def _is_array(rank: object, value: object) -> bool:
    """Tell by ValueRank, and by the value where that leaves it open. Raises ValueError."""
    if (isinstance(rank, int) and rank > _ARRAY) or _is_matrix(value):
        raise ValueError("a matrix cannot be written")
    if rank not in {_SINGLE, _ARRAY}:
        if value is None:
            raise ValueError("the server tells neither whether it is an array nor a value")
        return isinstance(value, tuple)
    if value is not None and isinstance(value, tuple) is not (rank == _ARRAY):
        raise ValueError("the server declares it a single value, and holds an array, or the other way round")
    return rank == _ARRAY


def _is_matrix(value: object) -> bool:
    return isinstance(value, tuple) and any(isinstance(each, tuple) for each in value)


def _named(kind: int) -> str:
    found = built_in_type(kind)
    return f"the type {kind}" if found is None else found.value
