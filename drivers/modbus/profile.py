"""What a make of Modbus device can take and how it lays out its values: the `profile` of a device."""

from dataclasses import dataclass

from drivers.modbus.codec import ORDERS, Order
from drivers.modbus.read_plan import Limits
from drivers.modbus.register import parse_range


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
        check_within("max_block", self.max_block, 1, 125)
        check_within("max_gap", self.max_gap, 0, 124)
        check_within("max_bits", self.max_bits, 1, 2000)
        check_within("max_bit_gap", self.max_bit_gap, 0, 1999)
        check_order(self.order)
        try:
            _ = self.limits
        except ValueError as error:
            raise ValueError(f"holes: {error}") from None

    @property
    def limits(self) -> Limits:
        """What the plan of reading has to keep to."""
        holes = [parse_range(hole) for hole in self.holes]
        return Limits(self.max_block, self.max_gap, self.max_bits, self.max_bit_gap, holes)


def check_within(key: str, value: int, low: int, high: int) -> None:
    """Raise ValueError, naming the key, where the value is not within both ends."""
    if not low <= value <= high:
        raise ValueError(f"{key}: {value} is not within {low} and {high}")


def check_order(order: Order) -> None:
    """Raise ValueError where that is no order of bytes."""
    if order not in ORDERS:
        raise ValueError(f"order: {order!r} is none of {', '.join(ORDERS)}")
