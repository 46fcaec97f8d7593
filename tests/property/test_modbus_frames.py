"""Whatever arrives, in whatever pieces: the same frames come out, and only the right one is believed."""

import struct
from collections.abc import Callable
from itertools import pairwise
from typing import TypeVar

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from drivers.errors import DeviceFault
from drivers.modbus.frame import Frame, FrameStream, FramingError
from drivers.modbus.register import RegisterAddress, parse_address, parse_range
from drivers.modbus.request import check_reply, read_request, rtu_checksum
from drivers.modbus.rtu_frame import RtuStream
from drivers.modbus.settings import ModbusDevice

T = TypeVar("T")
REQUEST = read_request(ModbusDevice("tcp://127.0.0.1", unit=7), parse_range("holding:0-1"))
RIGHT = Frame(5, 7, 3, b"\x04abcd")

SERIAL_REQUEST = read_request(ModbusDevice("rtu:///dev/ttyS0", unit=7), parse_range("holding:0-1"))

frames = st.builds(Frame, st.integers(0, 65535), st.integers(0, 255), st.integers(0, 255), st.binary(max_size=252))
near_frames = st.builds(
    Frame,
    st.sampled_from([5, 0, 4, 6]),
    st.sampled_from([7, 0, 1]),
    st.sampled_from([3, 4, 0x83, 0x84]),
    st.sampled_from([b"", b"\x02", b"\x04abcd", b"\x04abc", b"\x04abcde", b"\x05abcd", b"\x06abcdef"]),
)


def attempt(call: Callable[[], T]) -> T | DeviceFault | ValueError:
    try:
        return call()
    except (DeviceFault, ValueError) as error:
        return error


def on_the_wire(frame: Frame) -> bytes:
    transaction, unit, function, data = frame
    return struct.pack(">HHHBB", transaction, 0, len(data) + 2, unit, function) + data


@settings(max_examples=150, deadline=None)
@given(st.lists(frames, max_size=5), st.lists(st.integers(0, 1400), max_size=12))
def test_the_frames_do_not_depend_on_the_pieces_in_which_they_arrive(sent: list[Frame], cuts: list[int]) -> None:
    raw = b"".join(map(on_the_wire, sent))
    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    stream = FrameStream()
    got = [frame for start, end in pairwise(edges) for frame in stream.feed(raw[start:end])]
    assert got == sent
    assert stream.unfinished == 0


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=600))
def test_any_bytes_are_frames_or_a_framing_error(raw: bytes) -> None:
    stream = FrameStream()
    try:
        got = stream.feed(raw)
    except FramingError:
        return
    assert sum(len(on_the_wire(frame)) for frame in got) + stream.unfinished == len(raw)


@settings(max_examples=400, deadline=None)
@example(RIGHT)
@given(st.one_of(frames, near_frames))
def test_only_the_right_frame_is_taken_for_the_answer(frame: Frame) -> None:
    outcome = attempt(lambda: check_reply(REQUEST, 5, frame))
    if isinstance(outcome, bytes):
        assert frame == Frame(5, 7, 3, b"\x04" + outcome)
        assert len(outcome) == 4
    else:
        assert isinstance(outcome, DeviceFault)
        assert frame != RIGHT
        exception = f"exception_{frame.data[0]}" if frame.function == 0x83 and frame.data else ""
        assert outcome.kind in ("bad_reply", exception)


def serial(unit: int, function: int, data: bytes) -> bytes:
    raw = bytes([unit, function]) + data
    return raw + rtu_checksum(raw)


SERIAL_RIGHT = serial(7, 3, b"\x04abcd")
near_noise = st.sampled_from(
    [SERIAL_RIGHT[:3], SERIAL_RIGHT[:-1], b"\x07", b"\x07\x03", b"\x07\x83", SERIAL_REQUEST.frame]
)
serial_strays = st.builds(
    serial, st.integers(0, 255).filter(lambda unit: unit != 7), st.sampled_from([1, 3, 4, 0x83]), st.just(b"\x02ab")
)
noise = st.lists(st.one_of(st.binary(max_size=40), near_noise, serial_strays), max_size=4).map(b"".join)


@settings(max_examples=400, deadline=None)
@example(b"", b"", [])
@example(SERIAL_RIGHT[:3], b"", [3])
@given(noise, noise, st.lists(st.integers(0, 400), max_size=8))
def test_noise_around_an_answer_on_a_serial_line_never_makes_a_wrong_one(
    before: bytes, after: bytes, cuts: list[int]
) -> None:
    raw = before + SERIAL_RIGHT + after
    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    stream = RtuStream(rtu_checksum)
    stream.seek(SERIAL_REQUEST)
    found = [each for start, end in pairwise(edges) for each in stream.feed(raw[start:end])] + stream.flush()
    replies = [each.frame for each in found if each.kind == "reply"]
    assert replies == [Frame(0, 7, 3, b"\x04abcd")]
    assert check_reply(SERIAL_REQUEST, 0, Frame(0, 7, 3, b"\x04abcd")) == b"abcd"


@settings(max_examples=300, deadline=None)
@given(noise, st.integers(0, 8 * len(SERIAL_RIGHT) - 1), st.lists(st.integers(0, 200), max_size=8))
def test_one_bit_that_is_wrong_leaves_no_answer_on_a_serial_line(noise: bytes, bit: int, cuts: list[int]) -> None:
    damaged = (int.from_bytes(SERIAL_RIGHT, "big") ^ 1 << bit).to_bytes(len(SERIAL_RIGHT), "big")
    raw = noise + damaged
    assume(SERIAL_RIGHT not in raw)  # what is right in every bit is no noise
    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    stream = RtuStream(rtu_checksum)
    stream.seek(SERIAL_REQUEST)
    found = [each for start, end in pairwise(edges) for each in stream.feed(raw[start:end])] + stream.flush()
    assert not [each for each in found if each.kind == "reply"]
    assert stream.unfinished == 0


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=12), st.integers(), st.from_regex(r"(holding|coil|4|0)?:?[0-9]{1,6}(\.[0-9]{1,2})?")))
def test_any_address_is_understood_or_refused_in_one_line(text: str | int) -> None:
    outcome = attempt(lambda: parse_address(text))
    if isinstance(outcome, RegisterAddress):
        assert parse_address(str(outcome)) == outcome
        assert 0 <= outcome.offset <= 65535
    else:
        assert isinstance(outcome, ValueError)
        assert "\n" not in str(outcome)
