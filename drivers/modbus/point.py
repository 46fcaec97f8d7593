"""The keys of a tag of a Modbus device that are this driver's own."""

from dataclasses import dataclass

from drivers.modbus.codec import FORMATS, REGISTERS, TEXTS, Encoding, Order
from drivers.modbus.profile import check_order, check_within
from drivers.modbus.register import LAST_OFFSET, RegisterAddress, RegisterRange, parse_address
from drivers.values import DataType

_READABLE = frozenset((DataType.BOOL, *FORMATS, *TEXTS))


@dataclass(frozen=True, slots=True)
class ModbusPoint:
    """Where a tag lies in its device, and what its registers mean."""

    address: str | int
    """`table:offset[.bit]`, zero-based, the tables being coil, discrete, input and holding; or Modicon `40011`."""
    type: DataType | None = None
    """Left out: bool for a coil, a discrete input and a bit of a register, uint16 for a register."""
    order: Order | None = None
    """How the bytes ABCD of the value arrive; left out, as the device's profile says."""
    length: int | None = None
    """Registers of a string or of bytes; a number has the length of its type."""
    encoding: Encoding = "utf-8"
    """Of a string."""
    not_implemented: int | tuple[int, ...] = ()
    """Raw values of a number, such as 0x8000, by which the device says that it has no such value."""

    def __post_init__(self) -> None:
        try:
            address = self.register
        except ValueError as error:
            raise ValueError(f"address: {error}") from None
        _check_type(address, self.data_type)
        _check_length(self.length, self.data_type)
        _check_sentinels(self.sentinels, self.data_type)
        if self.order is not None:
            check_order(self.order)
        if not address.offset + self.count - 1 <= LAST_OFFSET:
            raise ValueError(f"address: {address} with {self.count} registers passes the last one, {LAST_OFFSET}")

    @property
    def register(self) -> RegisterAddress:
        """Where it lies."""
        return parse_address(self.address)

    @property
    def data_type(self) -> DataType:
        """The configured type, or the one that its address implies."""
        if self.type is not None:
            return self.type
        address = self.register
        is_bit = address.table.holds_bits or address.bit is not None
        return DataType.BOOL if is_bit else DataType.UINT16

    @property
    def count(self) -> int:
        """How many addresses it takes: registers, or one bit."""
        return self.length or REGISTERS.get(self.data_type, 1)

    @property
    def range(self) -> RegisterRange:
        """All the addresses it takes."""
        table, offset, _ = self.register
        return RegisterRange(table, offset, offset + self.count)

    @property
    def sentinels(self) -> frozenset[int]:
        """The raw values of `not_implemented` as unsigned numbers; a negative one is meant as its bits."""
        given = (self.not_implemented,) if isinstance(self.not_implemented, int) else self.not_implemented
        return frozenset(raw + (1 << 16 * self.count) if raw < 0 else raw for raw in given)


def _check_type(address: RegisterAddress, data_type: DataType) -> None:
    if data_type not in _READABLE:
        raise ValueError(f"type: {data_type.value} is not read from registers")
    is_bool = data_type is DataType.BOOL
    if (address.table.holds_bits or address.bit is not None) and not is_bool:
        raise ValueError(f"type: {address} is one bit, and so a bool, not {data_type.value}")
    if is_bool and not address.table.holds_bits and address.bit is None:
        raise ValueError(f"type: {address} is a whole register, and a bool one bit of it, such as {address}.0")


def _check_length(length: int | None, data_type: DataType) -> None:
    if data_type not in TEXTS:
        if length is not None:
            raise ValueError(f"length: a {data_type.value} has its own; leave it out")
        return
    if length is None:
        raise ValueError(f"length: missing; say how many registers the {data_type.value} takes")
    check_within("length", length, 1, 125)


def _check_sentinels(sentinels: frozenset[int], data_type: DataType) -> None:
    if sentinels and data_type not in FORMATS:
        raise ValueError(f"not_implemented: only numbers have such values, not a {data_type.value}")
    for raw in sorted(sentinels):
        bits = 16 * REGISTERS[data_type]
        if not 0 <= raw < 1 << bits:
            raise ValueError(f"not_implemented: {raw} is no raw value of {bits} bits")
