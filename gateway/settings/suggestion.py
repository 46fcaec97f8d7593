"""Did you mean: the name that was probably wanted. Pure."""

from collections.abc import Iterable
from difflib import get_close_matches

FEW = 15
"""Up to so many names are listed where none is near."""

PLC_NAMES = {
    "boolean": "bool",
    "byte": "uint16",
    "int": "int16",
    "uint": "uint16",
    "word": "uint16",
    "dint": "int32",
    "udint": "uint32",
    "dword": "uint32",
    "lint": "int64",
    "ulint": "uint64",
    "real": "float32",
    "float": "float32",
    "single": "float32",
    "lreal": "float64",
    "double": "float64",
}
"""What IEC 61131-3 and people call the types that we name by their size."""

OTHER_NAMES = {
    "slave": "unit",
    "slave_id": "unit",
    "unit_id": "unit",
    "device_id": "unit",
    "host": "url",
    "ip": "url",
    "port": "url",
    "endpoint": "url",
    "baudrate": "url",
    "parity": "url",
    "stopbits": "url",
    "poll_interval": "scan",
    "interval": "scan",
    "register": "address",
    "node_id": "node",
    "nodeid": "node",
    "datatype": "type",
    "data_type": "type",
    "byte_order": "order",
    "formula": "expression",
    "user": "username",
}
"""What other products call our keys."""


def suggest(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'scan'?`, or the names there are, or nothing where they are many."""
    names = sorted(known)
    aliases = [names_of.get(word.lower(), "") for names_of in (PLC_NAMES, OTHER_NAMES)]
    near = [alias for alias in aliases if alias in names] or get_close_matches(word, names, n=1, cutoff=0.6)
    if not near:
        near = [name for name in names if name.lower() == word.lower()]
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there are {', '.join(names)}" if 0 < len(names) <= FEW else ""
