"""What the registers of one point mean, and the step from their raw value to a sample.

Pure.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

from drivers.modbus.codec import FORMATS, UNSIGNED, Encoding, Order, decode_text
from drivers.values import DataType, Sample, bad

TRUE = Sample(value=True)
FALSE = Sample(value=False)
_NOT_IMPLEMENTED = bad("not_implemented")
_UNREADABLE = bad("bad_text")

Convert: TypeAlias = Callable[[Any], Sample]
"""From an unsigned number, or from the bytes of a text, to a sample."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Where in a block a point lies, and what its registers mean."""

    point: int
    """Its place among the device's points."""
    start: int
    """Its first register, from the start of the block."""
    length: int
    """How many registers it takes."""
    data_type: DataType
    order: Order = "ABCD"
    bit: int | None = None
    """For a BOOL: which bit of the register."""
    encoding: Encoding = "utf-8"
    not_implemented: frozenset[int] = frozenset()
    """Unsigned raw values by which the device says that it has no such value."""
    nan_is_absent: bool = False
    """For a float: any NaN says the same."""


def converter(cell: Cell) -> Convert:
    """Return the step for a point that cannot be unpacked straight into its value."""
    if cell.bit is not None:
        return partial(_sample_bit, 1 << cell.bit)
    if cell.data_type is DataType.STRING:
        return partial(_sample_text, cell.encoding)
    if cell.data_type is DataType.BYTES:
        return Sample
    if cell.nan_is_absent:
        return partial(_sample_present, converter(replace(cell, nan_is_absent=False)))
    raw, typed = struct.Struct(">" + UNSIGNED[2 * cell.length]), struct.Struct(">" + FORMATS[cell.data_type])
    return partial(_sample_number, raw.pack, typed.unpack, cell.not_implemented)


def _sample_bit(mask: int, raw: int) -> Sample:
    return TRUE if raw & mask else FALSE


def _sample_text(encoding: Encoding, raw: bytes) -> Sample:
    try:
        return Sample(decode_text(raw, encoding))
    except UnicodeDecodeError:
        return _UNREADABLE


def _sample_present(convert: Convert, raw: int) -> Sample:
    sample = convert(raw)
    return _NOT_IMPLEMENTED if sample.value != sample.value else sample


def _sample_number(
    pack: Callable[[int], bytes], unpack: Callable[[bytes], tuple[Any, ...]], absent: frozenset[int], raw: int
) -> Sample:
    return _NOT_IMPLEMENTED if raw in absent else Sample(unpack(pack(raw))[0])
