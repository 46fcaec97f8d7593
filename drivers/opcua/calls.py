"""How much a server takes in one call, and long lists in portions of that size."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeVar

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from drivers.errors import DeviceFault
from drivers.opcua.binary import BadEncoding
from drivers.opcua.channel import Channel
from drivers.opcua.faults import TOO_MUCH
from drivers.opcua.notification import Result, read_results

In = TypeVar("In")
Out = TypeVar("Out")

READ_PORTION = 150
"""Nodes of one Read, where the server allows as many: more would hold up the loop for over 5 ms."""
CREATE_PORTION = 75
"""Items of one CreateMonitoredItems: likewise; and some PLCs that announce 1,000 take very long for over 100."""

_NAMESPACES = ua.NodeId(ua.Int32(2255))
_MAX_READ = ua.NodeId(ua.Int32(11705))
_MAX_ITEMS = ua.NodeId(ua.Int32(11714))


class Portions:
    """A list in calls of a size that the server accepts; a refusal makes all later calls smaller."""

    def __init__(self, size: int) -> None:
        self.size = size

    async def run(self, items: Sequence[In], call: Callable[[Sequence[In]], Awaitable[Sequence[Out]]]) -> list[Out]:
        """Return the call's answers for all items, in their order. Raises DeviceFault."""
        answers: list[Out] = []
        while len(answers) < len(items):
            portion = items[len(answers) : len(answers) + self.size]
            try:
                given = await call(portion)
            except DeviceFault as fault:
                if fault.kind not in TOO_MUCH or self.size == 1:
                    raise
                self.size = max(1, min(self.size, len(portion)) // 2)
                continue
            if len(given) != len(portion):
                raise DeviceFault("bad_reply", f"{len(given)} answers came for {len(portion)} nodes")
            answers += given
        return answers


class ServerFacts(NamedTuple):
    """What has to be asked anew on every connection."""

    namespaces: tuple[str, ...]
    """The NamespaceArray: a URI's place in it is its index."""
    reads: Portions
    creates: Portions


async def learn_facts(channel: Channel) -> ServerFacts:
    """Ask for the namespaces and the limits of calls. Raises DeviceFault."""
    namespaces, max_read, max_items = await read_nodes(channel, [_NAMESPACES, _MAX_READ, _MAX_ITEMS])
    uris = namespaces.sample.value
    if not isinstance(uris, tuple):
        raise DeviceFault("bad_reply", f"{channel.address}: the server has no NamespaceArray")
    return ServerFacts(
        tuple(uri if isinstance(uri, str) else "" for uri in uris),
        Portions(_limit(max_read, READ_PORTION)),
        Portions(_limit(max_items, CREATE_PORTION)),
    )


async def read_nodes(
    channel: Channel,
    nodes: Sequence[ua.NodeId],
    attribute: AttributeIds = AttributeIds.Value,
    stamps: ua.TimestampsToReturn = ua.TimestampsToReturn.Neither,
) -> list[Result]:
    """Read one attribute of some nodes in one call, from the source and not from a cache. Raises DeviceFault."""
    request = ua.ReadRequest()
    request.Parameters.MaxAge = ua.Duration(0)
    request.Parameters.TimestampsToReturn = stamps
    request.Parameters.NodesToRead = [
        ua.ReadValueId(NodeId=node, AttributeId=ua.IntegerId(attribute)) for node in nodes
    ]
    data = await channel.ask_bytes(request)
    try:
        return read_results(data)
    except BadEncoding as error:
        raise DeviceFault("bad_reply", f"{channel.address}: Read: the answer makes no sense: {error}") from None


def _limit(result: Result, ours: int) -> int:
    limit = result.sample.value
    return min(limit, ours) if isinstance(limit, int) and limit > 0 else ours
