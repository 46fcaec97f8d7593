"""What a make of Modbus device can take and how it lays out its values: the `profile` of a device.

The one place for quirks: nothing else of a configuration, and no branch of the driver, knows a make.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

from drivers.modbus.codec import FORMATS, ORDERS, REGISTERS, Order
from drivers.modbus.read_plan import Limits
from drivers.modbus.register import RegisterAddress, RegisterRange, Table, parse_address, parse_range
from drivers.values import DataType, Seconds

Base: TypeAlias = Literal[0, 1]
StringOrder: TypeAlias = Literal["ABCD", "BADC"]
Sentinels: TypeAlias = frozenset[int]

_READ_FUNCTIONS = {1: "coils", 2: "discrete inputs", 3: "holding registers", 4: "input registers"}
_LONGEST_PAUSE = 60.0
_NAN = "nan"


@dataclass(frozen=True)
class ModbusProfile:
    """What a make of device can take, and how it lays out its values."""

    max_block: int = 120
    """Registers that one request may ask for, 1 to 125."""
    max_gap: int = 8
    """Registers that may be read for nothing, to save a request, 0 to 124."""
    max_bits: int = 2000
    """Coils or discrete inputs that one request may ask for, 1 to 2000."""
    max_bit_gap: int = 128
    """Coils or discrete inputs that may be read for nothing, 0 to 1999."""
    holes: tuple[str, ...] = ()
    """Addresses that are never read, as `holding:100-110`, both ends included."""
    order: Order = "ABCD"
    """How the bytes of a value arrive, where a tag says nothing else."""
    string_order: StringOrder | None = None
    """How the bytes of a text arrive, where a tag says nothing else; left out, as `order` says."""
    base: Base = 0
    """What the device's manual calls the first address of a table: `table:offset` counts from here.

    Modicon notation counts from one in any case.
    """
    not_implemented: Mapping[str, int | str | tuple[int, ...]] = field(default_factory=dict)
    """Type -> raw values, such as 0x8000, by which the device says that it has no such value; `nan` for floats.

    A tag's own `not_implemented` goes before it.
    """
    functions_refused: tuple[int, ...] = ()
    """Function codes that the device does not have, 1 to 4: a tag that needs one is refused."""
    pause_after_connect: Seconds = Seconds(0.0)
    """How long to leave the device alone after connecting, up to 60s."""
    pause: Seconds = Seconds(0.0)
    """How long to leave the device alone between an answer and the next request, up to 60s."""
    setup: Mapping[str, int | bool] = field(default_factory=dict)
    """Address -> value: what the device has to be told whenever it returns; a coil's, or a holding register's."""

    def __post_init__(self) -> None:
        check_within("max_block", self.max_block, 1, 125)
        check_within("max_gap", self.max_gap, 0, 124)
        check_within("max_bits", self.max_bits, 1, 2000)
        check_within("max_bit_gap", self.max_bit_gap, 0, 1999)
        check_order(self.order)
        _check_string_order(self.string_order)
        check_within("base", self.base, 0, 1)
        _check_functions(self.functions_refused)
        _check_pause("pause_after_connect", self.pause_after_connect)
        _check_pause("pause", self.pause)
        for key, prepared in (("holes", "limits"), ("not_implemented", "sentinels"), ("setup", "setup_writes")):
            try:
                getattr(self, prepared)
            except ValueError as error:
                raise ValueError(f"{key}: {error}") from None

    @cached_property
    def limits(self) -> Limits:
        """What the plan of reading has to keep to."""
        holes = [self.placed(parse_range(hole)) for hole in self.holes]
        return Limits(self.max_block, self.max_gap, self.max_bits, self.max_bit_gap, holes, self.base)

    @cached_property
    def sentinels(self) -> Mapping[DataType, Sentinels]:
        """By type, the raw values of `not_implemented` as unsigned numbers."""
        return {_number_type(name): _raw_values(name, given) for name, given in self.not_implemented.items()}

    @cached_property
    def absent_nans(self) -> frozenset[DataType]:
        """The float types of which any NaN says that there is no such value."""
        return frozenset(_number_type(name) for name, given in self.not_implemented.items() if given == _NAN)

    @cached_property
    def setup_writes(self) -> Mapping[RegisterAddress, int | bool]:
        """What `setup` asks for, by its place on the wire."""
        return dict(self._setup_write(text, value) for text, value in self.setup.items())

    def placed(self, written: RegisterRange) -> RegisterRange:
        """Return where a range of the `table:offset` notation lies on the wire. Raises ValueError."""
        if not written.start >= self.base:
            raise ValueError(f"{written}: this device counts from {self.base}")
        return written._replace(start=written.start - self.base, end=written.end - self.base)

    def placed_address(self, text: str | int) -> RegisterAddress:
        """Return where an address of this device's configuration lies on the wire. Raises ValueError."""
        address = parse_address(text)
        if not (isinstance(text, str) and ":" in text):
            return address
        if not address.offset >= self.base:
            raise ValueError(f"{address}: this device counts from {self.base}")
        return address._replace(offset=address.offset - self.base)

    def _setup_write(self, text: str, value: float) -> tuple[RegisterAddress, int | bool]:
        address = self.placed_address(text)
        if address.bit is not None or address.table not in (Table.COIL, Table.HOLDING):
            raise ValueError(f"{text}: only a coil or a whole holding register is written")
        if isinstance(value, bool) is not (address.table is Table.COIL):
            wanted = "true or false" if address.table is Table.COIL else "a whole number"
            kind = "coil" if address.table is Table.COIL else "holding register"
            raise ValueError(f"{text}: a {kind} takes {wanted}, not {value}")
        if not -0x8000 <= value <= 0xFFFF:
            raise ValueError(f"{text}: {value} does not fit into one register")
        return address, value if isinstance(value, bool) else int(value)


def check_within(key: str, value: int, low: int, high: int) -> None:
    """Raise ValueError, naming the key, where the value is not within both ends."""
    if not low <= value <= high:
        raise ValueError(f"{key}: {value} is not within {low} and {high}")


def check_order(order: Order) -> None:
    """Raise ValueError where that is no order of bytes."""
    if order not in ORDERS:
        raise ValueError(f"order: {order!r} is none of {', '.join(ORDERS)}")


def _check_string_order(order: StringOrder | None) -> None:
    if order not in (None, "ABCD", "BADC"):
        raise ValueError(f"string_order: {order!r} is none of ABCD, BADC; a text is never reversed by registers")


def _check_functions(codes: tuple[int, ...]) -> None:
    for code in codes:
        if code not in _READ_FUNCTIONS:
            known = ", ".join(f"{known} ({what})" for known, what in _READ_FUNCTIONS.items())
            raise ValueError(f"functions_refused: {code} is no function that this driver asks for; there are {known}")


def _check_pause(key: str, pause: Seconds) -> None:
    if not 0 <= pause <= _LONGEST_PAUSE:
        raise ValueError(f"{key}: {pause:g} s is not within 0s and {_LONGEST_PAUSE:g}s")


def _number_type(name: str) -> DataType:
    known = {data_type.value: data_type for data_type in FORMATS}
    if name not in known:
        raise ValueError(f"{name!r} is no type of a number; there are {', '.join(known)}")
    return known[name]


def _raw_values(name: str, given: int | str | tuple[int, ...]) -> Sentinels:
    data_type = _number_type(name)
    if isinstance(given, str):
        if given != _NAN or not name.startswith("float"):
            raise ValueError(f"{name}: {given!r} is no raw value; write a number such as 0x8000, or nan for a float")
        return frozenset()
    try:
        return raw_values(data_type, (given,) if isinstance(given, int) else given)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def raw_values(data_type: DataType, given: tuple[int, ...]) -> Sentinels:
    """Return raw values as unsigned numbers; a negative one is meant as its bits. Raises ValueError."""
    bits = 16 * REGISTERS[data_type]
    unsigned = frozenset(raw + (1 << bits) if raw < 0 else raw for raw in given)
    for raw in sorted(unsigned):
        if not 0 <= raw < 1 << bits:
            raise ValueError(f"{raw} is no raw value of {bits} bits")
    return unsigned
