"""A DataValue as it comes over the wire to a Sample, with no object of the library in between. Pure.

The library's own decoding costs ten times as much, and gives up a whole message for one odd value.
"""

from drivers.opcua.binary import unpack_i64, unpack_u32
from drivers.opcua.quality import judge_status
from drivers.opcua.variant import FIXED, Raw, Spoiled, Structured, read_variant
from drivers.values import Quality, Sample, bad

_EPOCH = 116_444_736_000_000_000
"""1970 in ticks of 100 ns since 1601, as OPC UA counts time."""
_TICKS = 10_000_000


def read_data_value(data: bytes, at: int, structures: Structured | None = None) -> tuple[Sample, int]:
    """Read one DataValue. Raises BadEncoding, or what SHORT names."""
    mask = data[at]
    at += 1
    value: Raw = None
    if mask & 0x01:
        fixed = FIXED.get(data[at])
        if fixed is None:
            value, at = read_variant(data, at, structures)
        else:
            (value,) = fixed[0](data, at + 1)
            at += 1 + fixed[1]
    status = 0
    if mask & 0x02:
        (status,) = unpack_u32(data, at)
        at += 4
    source_time = None
    if mask & 0x04:
        source_time = (unpack_i64(data, at)[0] - _EPOCH) / _TICKS
        at += 8
    if mask & 0x38:
        at += 2 * (mask >> 4 & 1) + 8 * (mask >> 3 & 1) + 2 * (mask >> 5 & 1)
    if status == 0 and value is not None and not isinstance(value, Spoiled):
        return Sample(value, Quality.GOOD, "", source_time), at
    return _doubt(value, status, source_time), at


def variant_type(data: bytes, at: int) -> int:
    """Return the number of the built-in type of the DataValue that begins here, 0 for none."""
    return data[at + 1] & 0x3F if data[at] & 0x01 else 0


def _doubt(value: Raw, status: int, source_time: float | None) -> Sample:
    quality, reason = judge_status(status)
    if quality is Quality.BAD:
        return bad(reason, source_time)
    if isinstance(value, Spoiled):
        return bad(value.reason, source_time)
    if value is None:
        return bad("null", source_time)
    return Sample(value, quality, reason, source_time)
