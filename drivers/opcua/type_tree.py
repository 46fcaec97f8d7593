"""Asks a server what its own data types are: which built-in type is behind each, or what it is made of."""

from collections.abc import Iterable, Sequence

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from drivers.errors import DeviceFault, LinkLost
from drivers.opcua.calls import ServerFacts, read_nodes
from drivers.opcua.channel import Channel
from drivers.opcua.definitions import understand
from drivers.opcua.node_id import NodeAddress, namespace_index
from drivers.opcua.structures import BUILT_IN, FieldType, Structure, Structures, definitions
from drivers.values import Value

MAX_TYPES = 2000
"""Data types that are looked at on one connection."""
MAX_LEVELS = 32
"""From a type to its supertype or to those of its fields."""

_HAS_ENCODING = 38
_HAS_SUBTYPE = 45
_BROWSE_PORTION = 25
_BINARY = "Default Binary"
_NOTHING = NodeAddress(0, 0)


class TypeTree:
    """What is known of a server's data types on one connection."""

    def __init__(self, channel: Channel, facts: ServerFacts) -> None:
        self._channel = channel
        self._facts = facts
        self._found: dict[NodeAddress, FieldType] = dict(BUILT_IN)
        self._parents: dict[NodeAddress, NodeAddress] = {}
        self._encodings: dict[NodeAddress, Structure] = {}
        self.structures = Structures(self._encodings, self._found)
        """Decodes values by what was learned so far, and grows with it."""

    async def learn(self, wanted: Iterable[NodeAddress]) -> None:
        """Find out what these data types are, and those that they are made of. Raises LinkLost."""
        new = self._unknown(wanted)
        for _ in range(MAX_LEVELS):
            if not new or len(self._found) + len(self._parents) > MAX_TYPES:
                break
            further = await self._look_at(new)
            new = [address for address in self._unknown(further) if address not in self._parents]
        for address in list(self._parents):
            self._inherit(address)

    async def learn_encodings(self) -> None:
        """Find out to which data types the structures belong that were met and not known. Raises LinkLost."""
        encodings, self.structures.unknown = list(self.structures.unknown), set()
        parents = await self._browse(encodings, _HAS_ENCODING, ua.BrowseDirection.Inverse)
        owners = {encoding: found[0][0] for encoding, found in zip(encodings, parents, strict=True) if found}
        await self.learn(owners.values())
        for encoding, owner in owners.items():
            structure = self._found.get(owner)
            if isinstance(structure, Structure):
                self._encodings[encoding] = structure

    def built_in(self, address: NodeAddress) -> int | None:
        """Return the number of the built-in type behind a data type, None for one that is not known."""
        found = self._found.get(address)
        return 22 if isinstance(found, Structure) else found

    def _unknown(self, addresses: Iterable[NodeAddress]) -> list[NodeAddress]:
        return [address for address in dict.fromkeys(addresses) if address not in self._found and address != _NOTHING]

    async def _look_at(self, addresses: Sequence[NodeAddress]) -> list[NodeAddress]:
        """Take over these types' definitions; return the types that these lead to."""
        further: list[NodeAddress] = []
        rest: list[NodeAddress] = []
        nameless: list[tuple[NodeAddress, Structure]] = []
        for address, definition in zip(addresses, await self._read_definitions(addresses), strict=True):
            understood = understand(definition)
            if understood is None:
                rest.append(address)
                continue
            encoding, structure = understood
            self._found[address] = structure
            further += [field.type for field in structure.fields]
            if encoding == _NOTHING:
                nameless.append((address, structure))
            else:
                self._encodings[encoding] = structure
        await self._name_encodings(nameless)
        supertypes = await self._browse(rest, _HAS_SUBTYPE, ua.BrowseDirection.Inverse)
        for address, found in zip(rest, supertypes, strict=True):
            if found:
                self._parents[address] = found[0][0]
                further.append(found[0][0])
        return further

    async def _name_encodings(self, types: Sequence[tuple[NodeAddress, Structure]]) -> None:
        addresses = [address for address, _ in types]
        encodings = await self._browse(addresses, _HAS_ENCODING, ua.BrowseDirection.Forward)
        for (_, structure), found in zip(types, encodings, strict=True):
            for encoding, name in found:
                if name == _BINARY:
                    self._encodings[encoding] = structure

    def _inherit(self, address: NodeAddress) -> None:
        # What has no definition of its own stands on the wire as its supertype does. A structure never inherits:
        # without its own definition nobody knows its fields.
        ancestor = address
        for _ in range(MAX_LEVELS):
            ancestor = self._parents.get(ancestor, _NOTHING)
            found = self._found.get(ancestor)
            if found is not None:
                if not isinstance(found, Structure) and found != 22:
                    self._found[address] = found
                return

    async def _read_definitions(self, addresses: Sequence[NodeAddress]) -> list[Value]:
        reader = definitions()

        async def read(nodes: Sequence[ua.NodeId]) -> list[Value]:
            attribute = AttributeIds.DataTypeDefinition
            results = await read_nodes(self._channel, nodes, attribute, structures=reader)
            return [result.sample.value for result in results]

        try:
            return await self._facts.reads.run([self._node_id(address) for address in addresses], read)
        except LinkLost:
            raise
        except DeviceFault:
            return [None] * len(addresses)

    async def _browse(
        self, addresses: Sequence[NodeAddress], reference: int, direction: ua.BrowseDirection
    ) -> list[list[tuple[NodeAddress, str]]]:
        """Return the nodes that each is linked to, with their names. Raises LinkLost."""
        answers: list[list[tuple[NodeAddress, str]]] = []
        for first in range(0, len(addresses), _BROWSE_PORTION):
            portion = addresses[first : first + _BROWSE_PORTION]
            try:
                found = await self._browse_portion(portion, reference, direction)
            except LinkLost:
                raise
            except DeviceFault:
                found = []
            answers += found if len(found) == len(portion) else [[] for _ in portion]
        return answers

    async def _browse_portion(
        self, addresses: Sequence[NodeAddress], reference: int, direction: ua.BrowseDirection
    ) -> list[list[tuple[NodeAddress, str]]]:
        request = ua.BrowseRequest()
        request.Parameters.NodesToBrowse = [
            ua.BrowseDescription(
                NodeId=self._node_id(address),
                BrowseDirection=direction,
                ReferenceTypeId=ua.NodeId(ua.Int32(reference)),
                IncludeSubtypes=True,
                NodeClassMask=ua.UInt32(0),
                ResultMask=ua.UInt32(ua.BrowseResultMask.BrowseName),
            )
            for address in addresses
        ]
        answer = await self._channel.ask(request, ua.BrowseResponse)
        return [
            [(self._address(found.NodeId), str(found.BrowseName.Name)) for found in result.References or ()]
            for result in answer.Results
        ]

    def _node_id(self, address: NodeAddress) -> ua.NodeId:
        index = namespace_index(address, self._facts.namespaces)
        return ua.NodeId(address.identifier, index or 0)  # type: ignore[arg-type]  # plain values do

    def _address(self, node_id: ua.NodeId) -> NodeAddress:
        return NodeAddress(node_id.NamespaceIndex, node_id.Identifier)
