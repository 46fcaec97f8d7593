"""Values as they stand on the wire, byte for byte (OPC 10000-6, 5.2.2)."""

import struct

import pytest

from drivers.opcua.binary import SHORT, BadEncoding
from drivers.opcua.data_value import read_data_value
from drivers.opcua.notification import MAX_BYTES, read_changes, read_publication, read_results
from drivers.opcua.variant import MAX_ELEMENTS
from drivers.values import Quality, Sample, Value, bad

DOUBLE = b"\x0b" + struct.pack("<d", 1.5)
TICKS_1970 = struct.pack("<q", 116_444_736_000_000_000)


def read(data: bytes) -> Sample:
    sample, end = read_data_value(data, 0)
    assert end == len(data)
    return sample


@pytest.mark.parametrize(
    ("data", "sample"),
    [
        (b"\x00", bad("null")),
        (b"\x01" + DOUBLE, Sample(1.5)),
        (b"\x05" + DOUBLE + TICKS_1970, Sample(1.5, source_time=0.0)),
        (b"\x03" + DOUBLE + b"\x00\x00\x90\x40", Sample(1.5, Quality.UNCERTAIN, "last_usable_value")),
        (b"\x02\x00\x00\x34\x80", bad("node_unknown")),
        (b"\x03" + DOUBLE + b"\x00\x00\x05\x80", bad("communication_error")),
        (b"\x01\x00", bad("null")),
        # all fields: value, status, source time, source picoseconds, server time, server picoseconds
        (b"\x3f" + DOUBLE + bytes(4) + TICKS_1970 + b"\x01\x02" + bytes(8) + b"\x03\x04", Sample(1.5, source_time=0.0)),
    ],
)
def test_the_mask_says_what_is_there(data: bytes, sample: Sample) -> None:
    assert read(data) == sample


@pytest.mark.parametrize(
    ("variant", "value"),
    [
        (b"\x81" + struct.pack("<i", 2) + b"\x01\x00", (True, False)),
        (b"\xc6" + struct.pack("<6i", 4, 1, 2, 3, 4, 2) + struct.pack("<2i", 2, 2), ((1, 2), (3, 4))),
        (b"\x8c" + struct.pack("<i", 2) + struct.pack("<i", 1) + b"a" + struct.pack("<i", -1), ("a", None)),
        (b"\x0c" + struct.pack("<i", 0), ""),
        (b"\x0f" + struct.pack("<i", 1) + b"\xff", b"\xff"),
        (b"\x15\x03" + struct.pack("<i", 2) + b"de" + struct.pack("<i", 3) + b"Heu", "Heu"),
        (b"\x13" + struct.pack("<I", 0x80340000), 0x80340000),
        (b"\x11\x00\x55", "i=85"),
        (b"\x11\x01\x02\x55\x00", "ns=2;i=85"),
        (b"\x11\x03\x02\x00" + struct.pack("<i", 5) + b"Speed", "ns=2;s=Speed"),
        (b"\x11\x04\x01\x00" + bytes(range(16)), "ns=1;g=03020100-0504-0706-0809-0a0b0c0d0e0f"),
        (b"\x11\x05\x01\x00" + struct.pack("<i", 1) + b"\xff", "ns=1;b=/w=="),
        (b"\x12\xc1\x00\x55\x00" + struct.pack("<i", 1) + b"u" + bytes(4), "nsu=u;i=85"),
        (b"\x14\x00\x00" + struct.pack("<i", 1) + b"q", "q"),
        (b"\x14\x02\x00" + struct.pack("<i", 1) + b"q", "2:q"),
        (b"\x0e" + bytes(range(16)), "03020100-0504-0706-0809-0a0b0c0d0e0f"),
    ],
)
def test_values_of_every_shape(variant: bytes, value: Value) -> None:
    assert read(b"\x01" + variant) == Sample(value)


@pytest.mark.parametrize(
    ("variant", "reason"),
    [
        (b"\x8b" + struct.pack("<i", -1), "null"),
        (b"\x0c" + struct.pack("<i", -1), "null"),
        (b"\x0c" + struct.pack("<i", 1) + b"\xff", "bad_text"),
        (b"\x16\x01\x00\x55\x00\x01" + struct.pack("<i", 3) + b"abc", "unsupported_type"),
        (b"\x16\x00\x00\x00", "null"),
        (b"\x16\x00\x07\x00", "unsupported_type"),
        (b"\x17\x01" + DOUBLE, "unsupported_type"),
        (b"\x98" + struct.pack("<i", 2) + DOUBLE + DOUBLE, "unsupported_type"),
        (b"\x19\x7f" + bytes(16) + struct.pack("<i", 0) + bytes(4) + b"\x00", "unsupported_type"),
        (b"\x83" + struct.pack("<i", MAX_ELEMENTS + 1) + bytes(MAX_ELEMENTS + 1), "too_large"),
    ],
)
def test_what_no_tag_can_hold_is_bad_and_passed_over(variant: bytes, reason: str) -> None:
    assert read(b"\x01" + variant) == bad(reason)


@pytest.mark.parametrize(
    "variant",
    [
        b"\x20",  # no such type
        b"\x3f",
        b"\x4b" + bytes(8),  # dimensions of a scalar
        b"\x8b" + struct.pack("<i", 2**31 - 1),
        b"\x8b" + struct.pack("<i", -2),
        b"\x80" + struct.pack("<i", 5) + bytes(5),
        b"\x8c" + struct.pack("<i", MAX_ELEMENTS + 1) + bytes(4 * MAX_ELEMENTS + 4),
        b"\xc3" + struct.pack("<i", 2) + bytes(2) + struct.pack("<2i", 1, 3),
        b"\xc3" + struct.pack("<i", 2) + bytes(2) + struct.pack("<3i", 2, -1, -2),
        b"\x0c" + struct.pack("<i", 100) + b"short",
        b"\x11\x09",
        b"\x98" + struct.pack("<i", 1) + (b"\x98" + struct.pack("<i", 1)) * 50 + DOUBLE,
        b"\x19" + b"\x40" * 50 + b"\x00",
        DOUBLE[:-1],
    ],
)
def test_what_breaks_the_rules_is_no_value(variant: bytes) -> None:
    with pytest.raises((BadEncoding, *SHORT)):
        read_data_value(b"\x01" + variant, 0)


def test_messages_that_are_cut_off_are_bad_at_every_length() -> None:
    change = struct.pack("<I", 7) + b"\x05" + DOUBLE + TICKS_1970
    assert read_changes(change, 0, 1) == ([(7, Sample(1.5, source_time=0.0))], len(change))
    for length in range(len(change)):
        with pytest.raises(BadEncoding):
            read_changes(change[:length], 0, 1)
    for read_message in (read_publication, read_results):
        for length in range(30):
            with pytest.raises(BadEncoding):
                read_message(b"\x01\x00\x7a\x02" + bytes(length)[: max(0, length - 4)])


def test_long_values_are_read_in_smaller_slices_but_one_at_least() -> None:
    text = b"\x01\x0c" + struct.pack("<i", MAX_BYTES) + bytes(MAX_BYTES)
    change = struct.pack("<I", 7) + text
    changes, at = read_changes(change * 3, 0, 3)
    assert (len(changes), at) == (1, len(change))
