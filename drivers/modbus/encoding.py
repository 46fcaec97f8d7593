"""From a value to the registers that hold it: what the decoder undoes, and nothing that it cannot.

Pure. Refused is what would read back as something else: a raw value by which the device says that it has no such
value, a text with a NUL in it or blanks at its end, a fraction where there is none.
"""

import struct
from math import isfinite
from typing import TypeAlias

from drivers.modbus.block_decoder import RegisterDecoder
from drivers.modbus.cell import FALSE, TRUE, Cell
from drivers.modbus.codec import INTEGERS, TEXTS, encode_number, encode_text
from drivers.modbus.exponent import scale
from drivers.values import DataType, Quality, Sample, Value

Words: TypeAlias = tuple[int, ...]
"""Registers from the first on, each 0 to 65535."""
Encoded: TypeAlias = Words | bool
"""Or one bit, of a register or of a coil."""
_SAME = 1e-12
"""Of a scaled value: what is nearer than this differs by the arithmetic of floats alone."""


def encode(cell: Cell, value: Value, exponent: Sample | None = None) -> Encoded:
    """Return the registers of a value, or its bit. Raises ValueError where the point cannot hold it.

    Exponent: where the point has one, its register's value now.
    """
    if cell.data_type is DataType.BOOL:
        if not isinstance(value, bool):
            raise ValueError(f"{value!r} is not true or false")
        return value
    raw = _registers(cell, value if exponent is None else _unscaled(value, exponent))
    words = struct.unpack(f">{cell.length}H", raw)
    _check_reads_back(cell, words, value)
    return words


def decode(cell: Cell, raw: Encoded, exponent: Sample | None = None) -> Sample:
    """Return what the reader makes of these registers, or of this bit."""
    if isinstance(raw, bool):
        return TRUE if raw else FALSE
    ((_, sample),) = RegisterDecoder([cell], cell.length).decode(struct.pack(f">{cell.length}H", *raw))
    return sample if exponent is None else scale(sample, exponent)


def is_whole(cell: Cell, raw: object) -> bool:
    """Tell whether that is what `encode` gives for this cell: no register more or less, and nothing else in them."""
    if cell.data_type is DataType.BOOL:
        return isinstance(raw, bool)
    return (
        isinstance(raw, tuple)
        and len(raw) == cell.length
        and all(type(word) is int and 0 <= word <= 0xFFFF for word in raw)
    )


def _registers(cell: Cell, value: Value) -> bytes:
    if cell.data_type is DataType.STRING:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is no text")
        return encode_text(value, cell.length, cell.order, cell.encoding)
    if cell.data_type is DataType.BYTES:
        if not (isinstance(value, bytes) and len(value) == 2 * cell.length):
            raise ValueError(f"{value!r} is not {2 * cell.length} bytes")
        return encode_text(value, cell.length, cell.order)
    number = _number(value)
    if cell.data_type in INTEGERS:
        return encode_number(_whole(number), cell.data_type, cell.order)
    return encode_number(number, cell.data_type, cell.order)


def _number(value: Value) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no number")  # noqa: TRY004  (the value is wrong, not the call)
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"{value!r} is not finite")
    return value


def _whole(number: float) -> int:
    whole = int(number)
    if whole != number:
        raise ValueError(f"{number!r} is no whole number")
    return whole


def _unscaled(value: Value, exponent: Sample) -> int:
    """Return the whole number that the exponent makes the value of."""
    number, power = _number(value), exponent.value
    if scale(Sample(0), exponent).quality is Quality.BAD or not isinstance(power, int):
        raise ValueError(f"its exponent is not known: {exponent.reason or f'{power!r} is none'}")
    try:
        raw: int = round(number / 10**power) if power >= 0 else round(number * 10**-power)
        nearest = float(raw * 10**power) if power >= 0 else raw / 10**-power
    except OverflowError:
        raise ValueError(f"{value!r} is out of reach") from None
    if not abs(nearest - number) <= _SAME * abs(nearest):
        raise ValueError(f"{value!r} is no multiple of its step, 1e{power}; the nearest is {nearest!r}")
    return raw


def _check_reads_back(cell: Cell, words: Words, value: Value) -> None:
    back = decode(cell, words)
    if back.quality is not Quality.GOOD:
        raise ValueError(f"{value!r} is to the device what says that there is no value: {back.reason}")
    if cell.data_type in TEXTS and back.value != value:
        raise ValueError(f"{value!r} would read back as {back.value!r}")
