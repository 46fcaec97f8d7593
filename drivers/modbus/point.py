"""The keys of a tag of a Modbus device that are this driver's own."""

from dataclasses import dataclass

from drivers.modbus.codec import FORMATS, INTEGERS, REGISTERS, TEXTS, Encoding, Order
from drivers.modbus.profile import check_order, check_within, raw_values
from drivers.modbus.register import LAST_OFFSET, RegisterAddress, RegisterRange, parse_address
from drivers.values import DataType

_READABLE = frozenset((DataType.BOOL, *FORMATS, *TEXTS))


@dataclass(frozen=True, slots=True)
class ModbusPoint:
    """Where a tag lies in its device, and what its registers mean."""

    address: str | int
    """`table:offset[.bit]`, the tables being coil, discrete, input and holding; or Modicon notation such as `40011`.

    Offsets count from zero, or from the `base` of the device's profile.
    """
    type: DataType | None = None
    """Left out: bool for a coil, a discrete input and a bit of a register, uint16 for a register."""
    order: Order | None = None
    """How the bytes ABCD of the value arrive; left out, as the device's profile says."""
    length: int | None = None
    """Registers of a string or of bytes; a number has the length of its type."""
    encoding: Encoding = "utf-8"
    """Of a string."""
    not_implemented: int | tuple[int, ...] | None = None
    """Raw values of a number, such as 0x8000, by which the device says that it has no such value.

    Left out, as the device's profile says; `[]` for none.
    """
    exponent: str | int | None = None
    """Address of the register that scales this one: its int16 n, -10 to 10, makes the value raw * 10**n.

    The value is then a float64. 0x8000 there says that the device has no such value.
    """

    def __post_init__(self) -> None:
        try:
            address = self.register
        except ValueError as error:
            raise ValueError(f"address: {error}") from None
        _check_type(address, self.data_type)
        _check_length(self.length, self.data_type)
        _check_sentinels(self.not_implemented, self.data_type)
        _check_exponent(self.exponent, self.data_type)
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
    def value_type(self) -> DataType:
        """The type of its samples."""
        return self.data_type if self.exponent is None else DataType.FLOAT64

    @property
    def sentinels(self) -> frozenset[int] | None:
        """The raw values of `not_implemented` as unsigned numbers; None where the device's profile decides."""
        if self.not_implemented is None:
            return None
        given = (self.not_implemented,) if isinstance(self.not_implemented, int) else self.not_implemented
        return raw_values(self.data_type, given) if given else frozenset()


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


def _check_sentinels(given: int | tuple[int, ...] | None, data_type: DataType) -> None:
    if given in (None, ()):
        return
    if data_type not in FORMATS:
        raise ValueError(f"not_implemented: only numbers have such values, not a {data_type.value}")
    try:
        raw_values(data_type, (given,) if isinstance(given, int) else given or ())
    except ValueError as error:
        raise ValueError(f"not_implemented: {error}") from None


def _check_exponent(exponent: str | int | None, data_type: DataType) -> None:
    if exponent is None:
        return
    if data_type not in INTEGERS:
        raise ValueError(f"exponent: only a whole number is scaled by a register, not a {data_type.value}")
    try:
        address = parse_address(exponent)
    except ValueError as error:
        raise ValueError(f"exponent: {error}") from None
    if address.table.holds_bits or address.bit is not None:
        raise ValueError(f"exponent: {address} is one bit; name a whole holding or input register")
