"""How much a server takes in one call, and long lists in portions of that size."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, NamedTuple, TypeVar

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from drivers.errors import DeviceFault, LinkLost
from drivers.opcua.binary import BadEncoding
from drivers.opcua.channel import Channel
from drivers.opcua.faults import TOO_MUCH
from drivers.opcua.notification import Result, read_results
from drivers.opcua.settings import OpcUaDevice
from drivers.opcua.variant import Structured

In = TypeVar("In")
Out = TypeVar("Out")

LEARNED = "limits"
"""Where a device's notebook has what was found out by being refused: the key of its configuration."""

_NAMESPACES = ua.NodeId(ua.Int32(2255))
_MAX_READ = ua.NodeId(ua.Int32(11705))
_MAX_ITEMS = ua.NodeId(ua.Int32(11714))


class Portions:
    """A list in calls of a size that the server accepts; a refusal makes all later calls smaller."""

    def __init__(self, size: int, learn: Callable[[int], None] = lambda _: None) -> None:
        """Learn: told the new size whenever the server refused more."""
        self.size = size
        self._learn = learn

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
                self._learn(self.size)
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


async def learn_facts(channel: Channel, device: OpcUaDevice, learned: MutableMapping[str, Any]) -> ServerFacts:
    """Ask for the namespaces and the limits of calls; what is refused later is noted. Raises DeviceFault."""
    namespaces, max_read, max_items = await read_nodes(channel, [_NAMESPACES, _MAX_READ, _MAX_ITEMS])
    uris = _uris(namespaces)
    if uris is None:
        raise DeviceFault("bad_reply", f"{channel.address}: the server has no NamespaceArray")
    limits = learned.get(LEARNED, {})

    def portions(name: str, announced: Result, ours: int) -> Portions:
        def learn(size: int) -> None:
            learned[LEARNED] = {**device.limits, **learned.get(LEARNED, {}), name: size}

        return Portions(min(_limit(announced, ours), limits.get(name, ours)), learn)

    server = device.server
    return ServerFacts(uris, portions("read", max_read, server.read), portions("create", max_items, server.create))


async def watch_namespaces(channel: Channel, known: tuple[str, ...], every: float) -> None:
    """Look at the NamespaceArray from time to time; raises LinkLost when it has changed.

    Every node was resolved with its indices: of what is read now, nobody knows what it is.
    """
    while True:
        await asyncio.sleep(every)
        try:
            (namespaces,) = await read_nodes(channel, [_NAMESPACES])
        except LinkLost:
            raise
        except DeviceFault:
            continue  # whoever reads values hears of it
        found = _uris(namespaces)
        if found is not None and found != known:
            raise LinkLost("namespace_changed", f"{channel.address}: the server's namespaces have changed")


async def read_nodes(
    channel: Channel,
    nodes: Sequence[ua.NodeId],
    attribute: AttributeIds = AttributeIds.Value,
    stamps: ua.TimestampsToReturn = ua.TimestampsToReturn.Neither,
    structures: Structured | None = None,
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
        return read_results(data, structures)
    except BadEncoding as error:
        raise DeviceFault("bad_reply", f"{channel.address}: Read: the answer makes no sense: {error}") from None


def _uris(result: Result) -> tuple[str, ...] | None:
    uris = result.sample.value
    return tuple(uri if isinstance(uri, str) else "" for uri in uris) if isinstance(uris, tuple) else None


def _limit(result: Result, ours: int) -> int:
    limit = result.sample.value
    return min(limit, ours) if isinstance(limit, int) and limit > 0 else ours
