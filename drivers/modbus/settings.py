"""The keys of a Modbus device and of its tags in the configuration."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from drivers.modbus.codec import FORMATS, ORDERS, REGISTERS, TEXTS, Encoding, Order
from drivers.modbus.read_plan import Limits
from drivers.modbus.register import LAST_OFFSET, RegisterAddress, RegisterRange, parse_address, parse_range
from drivers.values import DataType, Seconds

DEFAULT_PORT = 502
_LATER = ("tls", "rtu", "rtu+tcp")
_READABLE = frozenset((DataType.BOOL, *FORMATS, *TEXTS))


@dataclass(frozen=True, slots=True)
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

    def __post_init__(self) -> None:
        _check_within("max_block", self.max_block, 1, 125)
        _check_within("max_gap", self.max_gap, 0, 124)
        _check_within("max_bits", self.max_bits, 1, 2000)
        _check_within("max_bit_gap", self.max_bit_gap, 0, 1999)
        _check_order(self.order)
        try:
            _ = self.limits
        except ValueError as error:
            raise ValueError(f"holes: {error}") from None

    @property
    def limits(self) -> Limits:
        """What the plan of reading has to keep to."""
        holes = [parse_range(hole) for hole in self.holes]
        return Limits(self.max_block, self.max_gap, self.max_bits, self.max_bit_gap, holes)


@dataclass(frozen=True, slots=True)
class ModbusDevice:
    """One unit behind a Modbus TCP endpoint."""

    url: str
    """`tcp://HOST[:PORT]`, port 502 where none is given."""
    unit: int = 1
    """0 to 255. Units at one URL share its connection."""
    timeout: Seconds = Seconds(1.0)
    """How long one request may take."""
    profile: ModbusProfile = field(default_factory=ModbusProfile)

    def __post_init__(self) -> None:
        _ = self.address
        _check_within("unit", self.unit, 0, 255)
        if not 0.01 <= self.timeout <= 60:
            raise ValueError(f"timeout: {self.timeout:g} s is not within 10ms and 60s")

    @property
    def address(self) -> tuple[str, int]:
        """The host and the port to connect to."""
        return _parse_url(self.url)

    @property
    def endpoint(self) -> str:
        """The same for every spelling of one address, so that its devices find each other."""
        host, port = self.address
        return f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"


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
            _check_order(self.order)
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


def _parse_url(url: str) -> tuple[str, int]:
    scheme, _, _ = url.partition("://")
    if scheme in _LATER:
        raise ValueError(f"url: {scheme}:// is not supported by this version; use tcp://HOST:PORT")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        (host or "").encode("idna")  # as the resolver does, which would raise in the middle of connecting
    except UnicodeError:
        raise ValueError(f"url: {url!r} names no host that can be looked up; write tcp://HOST:PORT") from None
    except ValueError as error:
        raise ValueError(f"url: {url!r}: {error}; write tcp://HOST:PORT") from None
    extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username or parts.password
    if parts.scheme != "tcp" or not host or extra or port == 0:
        raise ValueError(f"url: {url!r} is no address of a Modbus device; write tcp://HOST:PORT")
    return host, port or DEFAULT_PORT


def _check_within(key: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ValueError(f"{key}: {value} is not within {low} and {high}")


def _check_order(order: Order) -> None:
    if order not in ORDERS:
        raise ValueError(f"order: {order!r} is none of {', '.join(ORDERS)}")


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
    _check_within("length", length, 1, 125)


def _check_sentinels(sentinels: frozenset[int], data_type: DataType) -> None:
    if sentinels and data_type not in FORMATS:
        raise ValueError(f"not_implemented: only numbers have such values, not a {data_type.value}")
    for raw in sorted(sentinels):
        bits = 16 * REGISTERS[data_type]
        if not 0 <= raw < 1 << bits:
            raise ValueError(f"not_implemented: {raw} is no raw value of {bits} bits")
