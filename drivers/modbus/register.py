"""Where a value lies in a Modbus device: a table and a zero-based offset, in either notation.

Pure. `holding:10` and `holding:10.3` count from zero; Modicon's `40011` and `400011` count from one.
"""

import re
from enum import Enum
from typing import NamedTuple

LAST_OFFSET = 65535

_EXAMPLES = "write table:offset such as holding:10, or Modicon notation such as 40011"
_PLAIN = re.compile(r"([a-z]+):([0-9]{1,5})(?:\.([0-9]{1,2}))?")
_MODICON = re.compile(r"([0134])([0-9]{4}|[0-9]{5})(?:\.([0-9]{1,2}))?")
_RANGE = re.compile(r"([a-z]+):([0-9]{1,5})(?:-([0-9]{1,5}))?")


class Table(Enum):
    """The four address spaces of a device, named as the configuration names them."""

    COIL = "coil"
    DISCRETE = "discrete"
    INPUT = "input"
    HOLDING = "holding"

    @property
    def holds_bits(self) -> bool:
        """That one address is one bit, not a register of 16."""
        return self in _BIT_TABLES

    @property
    def function(self) -> int:
        """The function code that reads it (Modbus Application Protocol V1.1b3, 6.1 to 6.4)."""
        return _FUNCTIONS[self]


_BIT_TABLES = frozenset((Table.COIL, Table.DISCRETE))
_FUNCTIONS = {Table.COIL: 1, Table.DISCRETE: 2, Table.HOLDING: 3, Table.INPUT: 4}
_MODICON_TABLES = {"0": Table.COIL, "1": Table.DISCRETE, "3": Table.INPUT, "4": Table.HOLDING}


class RegisterAddress(NamedTuple):
    """One place: in a bit table the offset of a bit, else of a register and perhaps a bit within it."""

    table: Table
    offset: int
    """Zero-based, 0 to 65535."""
    bit: int | None = None
    """0 is the least significant bit of the register; None for the whole of it."""

    def __str__(self) -> str:
        return f"{self.table.value}:{self.offset}" + ("" if self.bit is None else f".{self.bit}")


class RegisterRange(NamedTuple):
    """Neighbouring addresses of one table."""

    table: Table
    start: int
    end: int
    """One past the last."""

    def __str__(self) -> str:
        return self._text("..", self.start)

    def written(self, base: int = 0) -> str:
        """Return it as a configuration has it whose offsets count from `base`: `holding:100-110`."""
        return self._text("-", self.start + base)

    def shifted(self, by: int) -> "RegisterRange":
        """Return the same number of addresses, so many further on."""
        return self._replace(start=self.start + by, end=self.end + by)

    def overlaps(self, other: "RegisterRange") -> bool:
        """Tell whether an address belongs to both."""
        return self.table is other.table and self.start < other.end and other.start < self.end

    def _text(self, dash: str, first: int) -> str:
        last = first + self.end - self.start - 1
        return f"{self.table.value}:{first}" + ("" if last == first else f"{dash}{last}")


def parse_address(text: str | int) -> RegisterAddress:
    """Return the address that a configuration names. Raises ValueError saying what would be right."""
    if isinstance(text, int):
        return _parse_number(text)
    if match := _PLAIN.fullmatch(text):
        name, offset, bit = match.groups()
        address = RegisterAddress(_table(name, text), _offset(offset, text), None)
    elif match := _MODICON.fullmatch(text):
        digit, number, bit = match.groups()
        address = RegisterAddress(_MODICON_TABLES[digit], _offset(number, text, first=1), None)
    else:
        raise ValueError(f"{text!r} is no Modbus address; {_EXAMPLES}")
    return address if bit is None else address._replace(bit=_bit(int(bit), address))


def parse_range(text: str) -> RegisterRange:
    """Return `table:first-last` or `table:offset`, both ends included. Raises ValueError."""
    match = _RANGE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no address range; write table:first-last such as holding:100-110")
    name, first, last = match.groups()
    start = _offset(first, text)
    end = _offset(last or first, text) + 1
    if not start < end:
        raise ValueError(f"{text!r} ends before it begins")
    return RegisterRange(_table(name, text), start, end)


def _parse_number(number: int) -> RegisterAddress:
    # YAML reads a bare 00011 as octal, that is 9: a coil without quotes would be another coil.
    if not isinstance(number, bool) and number >= 10001:
        return parse_address(str(number))
    raise ValueError(f"the bare number {number} is ambiguous; {_EXAMPLES}, and coils as coil:10 or in quotes '00011'")


def _table(name: str, text: str) -> Table:
    try:
        return Table(name)
    except ValueError:
        known = ", ".join(table.value for table in Table)
        raise ValueError(f"{text!r} names no table of a Modbus device; there are {known}") from None


def _offset(digits: str, text: str, first: int = 0) -> int:
    offset = int(digits) - first
    if not 0 <= offset <= LAST_OFFSET:
        raise ValueError(f"{text!r} is outside its table, which goes from {first} to {LAST_OFFSET + first}")
    return offset


def _bit(bit: int, address: RegisterAddress) -> int:
    if address.table.holds_bits:
        raise ValueError(f"{address}.{bit}: a {address.table.value} is a bit already; leave out .{bit}")
    if not 0 <= bit <= 15:
        raise ValueError(f"{address}.{bit}: a register has the bits 0 to 15")
    return bit
