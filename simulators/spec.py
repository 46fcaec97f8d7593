"""What a simulated device offers its clients, and which signal of the plant is behind each point."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

Signal: TypeAlias = "bool | int | float | str"

Table: TypeAlias = Literal["coil", "discrete", "holding", "input"]
RegisterType: TypeAlias = Literal[
    "bool", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64", "string"
]
VariableType: TypeAlias = Literal["Boolean", "Int32", "UInt32", "Float", "Double", "String"]


class Plant(Protocol):
    """What is simulated: it is stepped, looked at and moved."""

    def step(self, dt: float) -> None:
        """Advance by so many seconds of plant time."""

    def signals(self) -> Mapping[str, Signal]:
        """Return everything that can be seen, by name."""

    def set(self, name: str, value: Signal) -> None:
        """Move an input. Raises KeyError for an unknown name, ValueError for a value that it does not take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointSpec:
    """One point of a device, whatever its protocol."""

    name: str
    signal: str
    """Its name in the plant; a writable point moves the plant's input of that name."""
    noise: float = 0.0
    """Standard deviation of what the transmitter adds by itself, in the signal's unit."""
    span: tuple[float, float] | None = None
    """Where the transmitter saturates."""
    writable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterSpec(PointSpec):
    """A point in a Modbus table, big-endian, the high word first."""

    table: Table
    offset: int
    """Zero-based, as on the wire."""
    type: RegisterType = "float32"
    length: int = 1
    """Registers of a string."""
    exponent: int = 0
    """The registers hold the signal divided by 10 to this power."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableSpec(PointSpec):
    """A variable of an OPC UA server."""

    node: str
    """Its string identifier."""
    type: VariableType = "Double"


@dataclass(frozen=True, slots=True)
class ModbusSpec:
    """A Modbus device."""

    name: str
    unit: int
    points: Sequence[RegisterSpec]
    blank: Sequence[tuple[Table, int, int]] = ()
    """Table, first and last place of stretches that are answered with 0 where no point is."""


@dataclass(frozen=True, slots=True)
class OpcUaSpec:
    """An OPC UA server."""

    name: str
    namespace: str
    points: Sequence[VariableSpec]
