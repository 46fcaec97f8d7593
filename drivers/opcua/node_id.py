"""The text of a node id, `nsu=urn:boiler-house;s=Turbine.Speed`, to its parts and to a server's numbers.

Pure. A namespace URI stays the same for ever; its index is valid for one connection only.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias
from uuid import UUID

Identifier: TypeAlias = int | str | UUID | bytes

_MAX_INDEX = 0xFFFF
_MAX_NUMBER = 0xFFFFFFFF
_DIGITS = re.compile(r"[0-9]{1,10}")
_GUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


class NodeAddress(NamedTuple):
    """A node as the configuration names it."""

    namespace: str | int
    """Its namespace's URI, or its index where the configuration gave that."""
    identifier: Identifier


def parse_node_id(text: str) -> NodeAddress:
    """Take the text apart (OPC 10000-6, 5.3.1.10). Raises ValueError, one line that begins with `node: `."""
    namespace, rest = _split_namespace(text)
    kind, mark, identifier = rest.partition("=")
    if not mark or kind not in _PARSERS or not identifier:
        raise ValueError(
            f"node: {text!r} has no identifier; write i=2258, s=Name, g=GUID or b=BASE64 after the namespace"
        )
    return NodeAddress(namespace, _PARSERS[kind](identifier))


def format_node_id(address: NodeAddress) -> str:
    """Return the text of an address, the same for all ways to write it."""
    namespace, identifier = address
    if isinstance(namespace, str):
        prefix = f"nsu={namespace.replace('%', '%25').replace(';', '%3B')};"
    else:
        prefix = f"ns={namespace};" if namespace else ""
    match identifier:
        case int():
            return f"{prefix}i={identifier}"
        case str():
            return f"{prefix}s={identifier}"
        case UUID():
            return f"{prefix}g={identifier}"
        case bytes():
            return f"{prefix}b={b64encode(identifier).decode('ascii')}"


def namespace_index(address: NodeAddress, namespaces: Sequence[str]) -> int | None:
    """Return the index in the server's NamespaceArray of now, None where the server has no such URI."""
    namespace = address.namespace
    if isinstance(namespace, int):
        return namespace
    return namespaces.index(namespace) if namespace in namespaces else None


def _split_namespace(text: str) -> tuple[str | int, str]:
    if text.startswith("nsu="):
        uri, mark, rest = text[4:].partition(";")
        if not uri or not mark:
            raise ValueError(f"node: {text!r} lacks its namespace URI or identifier; write nsu=URI;s=Name")
        return uri.replace("%3B", ";").replace("%3b", ";").replace("%25", "%"), rest
    if text.startswith("ns="):
        index, _, rest = text[3:].partition(";")
        if not _DIGITS.fullmatch(index) or int(index) > _MAX_INDEX:
            raise ValueError(f"node: {text!r} has the namespace index {index!r}, which is not within 0 to {_MAX_INDEX}")
        return int(index), rest
    return 0, text


def _parse_number(text: str) -> int:
    if not _DIGITS.fullmatch(text) or int(text) > _MAX_NUMBER:
        raise ValueError(f"node: i={text!r} is not a number within 0 to {_MAX_NUMBER}")
    return int(text)


def _parse_guid(text: str) -> UUID:
    if not _GUID.fullmatch(text):
        raise ValueError(f"node: g={text!r} is no GUID such as 09087e75-8e5e-499b-954f-f2a9603db28a")
    return UUID(text)


def _parse_bytes(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (Base64Error, ValueError):
        raise ValueError(f"node: b={text!r} is no Base64") from None


_PARSERS: dict[str, Callable[[str], Identifier]] = {"i": _parse_number, "s": str, "g": _parse_guid, "b": _parse_bytes}
