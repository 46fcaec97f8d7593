"""The vocabulary that drivers and gateway share: what a value from the field is.

It depends on nothing, and everything may import it.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum, IntEnum
from typing import NamedTuple, NewType, TypeAlias

Value: TypeAlias = "bool | int | float | str | bytes | datetime | tuple[Value, ...] | Mapping[str, Value] | None"
"""What a tag can hold: an array is a tuple, a structure a mapping, and None in one of these a part that is not there.

None alone only where the quality is BAD and there is no value.
"""

Seconds = NewType("Seconds", float)
"""A duration in seconds. The configuration writes it as `250ms`, `2s`, `5m`."""

Secret = NewType("Secret", str)
"""A text that never appears in logs, messages or dumps of the configuration."""


class Quality(IntEnum):
    """How far a value may be believed; ordered, so that min() gives the worst."""

    BAD = 0
    UNCERTAIN = 1
    GOOD = 2

    @property
    def word(self) -> str:
        """The word used in payloads and metrics: bad, uncertain or good."""
        return self.name.lower()


class DataType(Enum):
    """The type of a tag's value before scaling, named as the configuration names it."""

    BOOL = "bool"
    INT8 = "int8"
    UINT8 = "uint8"
    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    STRING = "string"
    BYTES = "bytes"
    DATETIME = "datetime"
    STRUCTURE = "structure"


class Sample(NamedTuple):
    """One value as a device gave it: the value, how good it is, and when the source says it was."""

    value: Value
    quality: Quality = Quality.GOOD
    reason: str = ""
    """One lower-case word for a quality that is not GOOD, such as `timeout` or `out_of_range`."""
    source_time: float | None = None
    """Stamped by the device, seconds since 1970 UTC; None where the protocol has none (Modbus)."""


def bad(reason: str, source_time: float | None = None) -> Sample:
    """Return a sample without a value that says why there is none."""
    return Sample(None, Quality.BAD, reason, source_time)
