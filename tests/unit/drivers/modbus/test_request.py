"""A request's bytes, and every way in which a frame can fail to be its answer."""

import struct

import pytest

from drivers.errors import DeviceFault
from drivers.modbus.frame import Frame, FrameStream, FramingError
from drivers.modbus.register import parse_range
from drivers.modbus.request import check_reply, is_from_unit, read_request, rtu_checksum
from drivers.modbus.settings import ModbusDevice

DEVICE = ModbusDevice("tcp://10.0.0.5", unit=17)
REQUEST = read_request(DEVICE, parse_range("holding:107-109"))


@pytest.mark.parametrize(
    ("asked", "message", "size"),
    [
        # The examples of Modbus Application Protocol V1.1b3, 6.1 to 6.4.
        ("coil:19-37", "01 0013 0013", 3),
        ("discrete:196-217", "02 00C4 0016", 3),
        ("holding:107-109", "03 006B 0003", 6),
        ("input:8", "04 0008 0001", 2),
    ],
)
def test_a_request_has_the_bytes_of_the_standard(asked: str, message: str, size: int) -> None:
    request = read_request(DEVICE, parse_range(asked))
    assert request.frame == bytes.fromhex("0000 0006 11" + message)
    assert request.size == size


@pytest.mark.parametrize("url", ["rtu:///dev/ttyS0", "rtu+tcp://10.0.0.5:4001"])
def test_a_request_on_a_serial_line_ends_in_its_checksum(url: str) -> None:
    request = read_request(ModbusDevice(url, unit=2), parse_range("discrete:0-7"))
    assert request.frame[:6] == bytes.fromhex("02 02 0000 0008")
    # Modbus over Serial Line V1.02, 6.2.2: the bytes 02 07 end in 41 12, the low one first.
    assert rtu_checksum(b"\x02\x07") == b"\x41\x12"
    assert request.frame[6:] == rtu_checksum(request.frame[:6])


@pytest.mark.parametrize(
    ("frame", "is_its_own"),
    [
        (Frame(5, 17, 3, b"\x02\x00\x0a"), True),
        (Frame(5, 17, 3, b"\x0a"), True),
        (Frame(5, 17, 0x83, b"\x02"), True),
        (Frame(5, 17, 0x83, b"\x0a"), False),
        (Frame(5, 17, 0x83, b"\x0b"), False),
        (Frame(5, 17, 0x83, b""), True),
    ],
)
def test_what_a_gateway_says_for_a_unit_does_not_come_from_it(frame: Frame, is_its_own: bool) -> None:  # noqa: FBT001  (a table)
    assert is_from_unit(frame) is is_its_own


def test_the_values_of_the_right_reply_are_returned() -> None:
    frame = Frame(5, 17, 3, bytes.fromhex("06 022B 0000 0064"))
    assert check_reply(REQUEST, 5, frame) == bytes.fromhex("022B 0000 0064")


@pytest.mark.parametrize(
    ("frame", "kind", "says"),
    [
        (Frame(0, 17, 3, bytes.fromhex("06 022B 0000 0064")), "bad_reply", "transaction id 0 instead of 5"),
        (Frame(6, 17, 3, bytes.fromhex("06 022B 0000 0064")), "bad_reply", "transaction id 6 instead of 5"),
        (Frame(5, 1, 3, bytes.fromhex("06 022B 0000 0064")), "bad_reply", "unit 1"),
        (Frame(5, 0, 3, bytes.fromhex("06 022B 0000 0064")), "bad_reply", "unit 0"),
        (Frame(5, 17, 4, bytes.fromhex("06 022B 0000 0064")), "bad_reply", "function code 4 instead of 3"),
        (Frame(5, 17, 0x63, b""), "bad_reply", "function code 99"),
        (Frame(5, 17, 3, bytes.fromhex("04 022B 0000")), "bad_reply", "4 bytes, announced as 4, instead of 6"),
        (Frame(5, 17, 3, bytes.fromhex("08 022B 0000 0064 0000")), "bad_reply", "8 bytes, announced as 8, instead"),
        (Frame(5, 17, 3, bytes.fromhex("06 022B 0000")), "bad_reply", "4 bytes, announced as 6"),
        (Frame(5, 17, 3, bytes.fromhex("08 022B 0000 0064")), "bad_reply", "6 bytes, announced as 8"),
        (Frame(5, 17, 3, bytes.fromhex("06 022B 0000 0064 00")), "bad_reply", "7 bytes, announced as 6"),
        (Frame(5, 17, 3, b""), "bad_reply", "0 bytes"),
        (Frame(5, 17, 0x83, b"\x02"), "exception_2", "exception 2, illegal data address"),
        (Frame(5, 17, 0x83, b"\x63"), "exception_99", "does not know"),
        (Frame(5, 17, 0x83, b""), "bad_reply", "function code 131"),
        (Frame(5, 17, 0x83, b"\x02\x00"), "bad_reply", "function code 131"),
        (Frame(5, 17, 0x84, b"\x02"), "bad_reply", "function code 132"),
    ],
)
def test_anything_else_is_a_fault(frame: Frame, kind: str, says: str) -> None:
    with pytest.raises(DeviceFault, match=says) as caught:
        check_reply(REQUEST, 5, frame)
    assert caught.value.kind == kind
    assert str(caught.value).startswith("holding:107..109 of unit 17 at tcp://10.0.0.5:502: ")


def test_frames_come_out_of_a_stream_in_pieces_and_in_heaps() -> None:
    stream = FrameStream()
    one, two = bytes.fromhex("0001 0000 0003 11 83 02"), bytes.fromhex("0002 0000 0005 11 03 02 000A")
    assert stream.feed(one[:5]) == []
    assert stream.unfinished == 5
    assert stream.feed(one[5:] + two + one[:1]) == [Frame(1, 17, 0x83, b"\x02"), Frame(2, 17, 3, b"\x02\x00\x0a")]
    assert stream.unfinished == 1


@pytest.mark.parametrize("size", [0, 252])
def test_the_shortest_and_the_longest_frame_are_taken(size: int) -> None:
    raw = struct.pack(">HHHBB", 1, 0, size + 2, 17, 3) + bytes(size)
    assert FrameStream().feed(raw) == [Frame(1, 17, 3, bytes(size))]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ("0001 0001 0003 11 83 02", "protocol id 1"),
        ("0001 0000 0001 11", "a frame of 1 bytes"),
        ("0001 0000 00FF", "a frame of 255 bytes"),
        ("0001 0000 0000", "a frame of 0 bytes"),
    ],
)
def test_an_unsound_header_is_told_at_once(raw: str, says: str) -> None:
    with pytest.raises(FramingError, match=says):
        FrameStream().feed(bytes.fromhex(raw))
