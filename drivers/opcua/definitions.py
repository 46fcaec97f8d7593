"""A StructureDefinition as a server gives it to a Structure. Pure; what makes no sense is no definition."""

from collections.abc import Mapping

from drivers.opcua.node_id import NodeAddress, parse_node_id
from drivers.opcua.structures import MAX_FIELDS, Field, Form, Structure
from drivers.values import Value


def understand(definition: Value) -> tuple[NodeAddress, Structure] | None:
    """Return the default encoding and the structure that a definition describes, None where it describes none."""
    if not isinstance(definition, Mapping):
        return None
    fields, form = definition.get("Fields"), definition.get("StructureType")
    if not isinstance(fields, tuple) or not isinstance(form, int) or not len(fields) <= MAX_FIELDS:
        return None
    try:
        understood = tuple(_understand_field(field) for field in fields if isinstance(field, Mapping))
        structure = Structure(understood, Form(form))
        encoding = parse_node_id(str(definition.get("DefaultEncodingId")))
    except ValueError:
        return None
    if len({field.name for field in understood}) != len(fields):
        return None
    return encoding, structure


def _understand_field(field: Mapping[str, Value]) -> Field:
    name, rank, optional = field.get("Name"), field.get("ValueRank"), field.get("IsOptional")
    if not isinstance(name, str) or not name or not isinstance(rank, int) or not (rank == -1 or 1 <= rank <= 10):
        raise ValueError("a field has no name, or a rank that says nothing")
    return Field(name, parse_node_id(str(field.get("DataType"))), rank, optional is True)
