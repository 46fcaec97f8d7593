"""How a value lies in registers: widths, byte orders, raw values, and values to register bytes.

Pure. A register travels with its high byte first (Modbus Application Protocol V1.1b3, 4.2); how several of
them make one value is each maker's choice, and is named by where the bytes ABCD of a value arrive.
"""

import struct
from typing import Literal, TypeAlias

from drivers.values import DataType

Order: TypeAlias = Literal["ABCD", "CDAB", "BADC", "DCBA"]
"""ABCD high register first; CDAB registers in reverse; BADC each register's bytes swapped; DCBA both.

A single register has only the two bytes to swap, and a text is never reversed by registers.
"""
Encoding: TypeAlias = Literal["utf-8", "latin-1"]

FORMATS = {
    DataType.INT16: "h",
    DataType.UINT16: "H",
    DataType.INT32: "i",
    DataType.UINT32: "I",
    DataType.INT64: "q",
    DataType.UINT64: "Q",
    DataType.FLOAT32: "f",
    DataType.FLOAT64: "d",
}
"""The number types, as `struct` names them."""
INTEGERS = frozenset(data_type for data_type, code in FORMATS.items() if code not in "fd")
"""The types of whole numbers."""
REGISTERS = {data_type: struct.calcsize(">" + code) // 2 for data_type, code in FORMATS.items()}
"""How many registers a number takes."""
UNSIGNED = {2: "H", 4: "I", 8: "Q"}
"""By width in bytes: the format of a number's raw value."""
TEXTS = frozenset((DataType.STRING, DataType.BYTES))
"""The types that take as many registers as the configuration says."""
ORDERS: tuple[Order, ...] = ("ABCD", "CDAB", "BADC", "DCBA")


def swaps_bytes(order: Order) -> bool:
    """Tell whether the two bytes of each register arrive swapped."""
    return order in ("BADC", "DCBA")


def is_little(order: Order) -> bool:
    """Tell whether the low register comes first; once the registers' bytes are right, that is."""
    return order in ("CDAB", "DCBA")


def swap_bytes(raw: bytes) -> bytes:
    """Swap the two bytes of every register."""
    swapped = bytearray(len(raw))
    swapped[0::2] = raw[1::2]
    swapped[1::2] = raw[0::2]
    return bytes(swapped)


def decode_text(raw: bytes, encoding: Encoding) -> str:
    """Return the text up to its first NUL, without the blanks that fill it up. Raises UnicodeDecodeError."""
    return raw.partition(b"\0")[0].decode(encoding).rstrip(" ")


def encode_number(value: float, data_type: DataType, order: Order = "ABCD") -> bytes:
    """Return a number's registers. Raises ValueError where the type cannot hold it."""
    try:
        raw = struct.pack(">" + FORMATS[data_type], value)
    except (struct.error, OverflowError) as error:
        raise ValueError(f"{value!r} does not fit into {data_type.value}") from error
    return _arrange(raw, order)


def encode_text(text: str | bytes, length: int, order: Order = "ABCD", encoding: Encoding = "utf-8") -> bytes:
    """Return `length` registers, filled up with NUL. Raises ValueError where they cannot hold the text."""
    try:
        raw = text if isinstance(text, bytes) else text.encode(encoding)
    except UnicodeEncodeError as error:
        raise ValueError(f"{text!r} cannot be written in {encoding}") from error
    if not len(raw) <= 2 * length:
        raise ValueError(f"{text!r} takes {len(raw)} bytes, and {length} registers hold {2 * length}")
    filled = raw.ljust(2 * length, b"\0")
    return swap_bytes(filled) if swaps_bytes(order) else filled


def _arrange(raw: bytes, order: Order) -> bytes:
    if is_little(order):
        raw = b"".join(raw[start : start + 2] for start in range(len(raw) - 2, -1, -2))
    return swap_bytes(raw) if swaps_bytes(order) else raw
