"""Finding the answer in what a serial line brings, and accounting for the rest."""

import pytest

from drivers.modbus.frame import Frame
from drivers.modbus.register import parse_range
from drivers.modbus.request import read_request, rtu_checksum
from drivers.modbus.rtu_frame import Found, RtuStream
from drivers.modbus.settings import ModbusDevice

REQUEST = read_request(ModbusDevice("rtu:///dev/ttyS0", unit=17), parse_range("holding:107-109"))


def framed(text: str) -> bytes:
    raw = bytes.fromhex(text)
    return raw + rtu_checksum(raw)


# The example of Modbus Application Protocol V1.1b3, 6.3.
ANSWER = framed("11 03 06 022B 0000 0064")
FOUND = Found("reply", Frame(0, 17, 3, bytes.fromhex("06 022B 0000 0064")))
REFUSAL = framed("11 83 02")
OTHER = framed("12 03 02 0001")
OTHER_FOUND = Found("stray", Frame(0, 18, 3, bytes.fromhex("02 0001")))


def seeking() -> RtuStream:
    stream = RtuStream(rtu_checksum)
    stream.seek(REQUEST)
    return stream


def test_an_answer_is_found_whole_and_byte_by_byte() -> None:
    assert seeking().feed(ANSWER) == [FOUND]
    stream = seeking()
    for place in range(len(ANSWER) - 1):
        assert stream.feed(ANSWER[place : place + 1]) == []
        assert stream.unfinished == place + 1
    assert stream.feed(ANSWER[-1:]) == [FOUND]
    assert stream.flush() == []


def test_a_refusal_is_an_answer() -> None:
    assert seeking().feed(REFUSAL) == [Found("reply", Frame(0, 17, 0x83, b"\x02"))]


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"\x00\xff" + ANSWER, [Found("noise"), FOUND]),
        (b"\x11" + ANSWER, [Found("noise"), FOUND]),
        (b"\x11\x03" + ANSWER, [Found("noise"), FOUND]),
        (ANSWER[:3] + ANSWER, [Found("crc"), FOUND]),
        (ANSWER[:-1] + b"\x00" + ANSWER, [Found("crc"), FOUND]),
        (OTHER + ANSWER, [OTHER_FOUND, FOUND]),
        (OTHER + b"\x00" + ANSWER + OTHER, [OTHER_FOUND, Found("noise"), FOUND, OTHER_FOUND]),
        (ANSWER + ANSWER, [FOUND, Found("stray", FOUND.frame)]),
        (REQUEST.frame + ANSWER, [Found("echo"), FOUND]),
        (b"\x00" + REQUEST.frame + b"\x00" + ANSWER, [Found("noise"), Found("echo"), Found("noise"), FOUND]),
        (REQUEST.frame + REQUEST.frame + ANSWER, [Found("echo"), Found("stray"), FOUND]),
        (framed("11 04 06 022B 0000 0064") + ANSWER, [Found("stray", FOUND.frame._replace(function=4)), FOUND]),  # type: ignore[union-attr]  # there is one
        (framed("05 06 0001 0002") + ANSWER, [Found("stray"), FOUND]),
    ],
)
def test_everything_on_the_line_is_accounted_for(raw: bytes, found: list[Found]) -> None:
    assert seeking().feed(raw) == found
    stream = seeking()
    assert [each for byte in raw for each in stream.feed(bytes([byte]))] == found


def test_only_the_frame_of_another_unit_is_told_to_have_come_from_it() -> None:
    (stray,) = RtuStream(rtu_checksum).feed(framed("12 06 0001 0002"))
    assert stray == Found("stray")  # as much a request of another client as the answer to one
    (stray,) = RtuStream(rtu_checksum).feed(framed("12 86 02"))
    assert stray == Found("stray", Frame(0, 18, 0x86, b"\x02"))


def test_nothing_is_an_answer_where_none_is_sought() -> None:
    stream = RtuStream(rtu_checksum)
    assert stream.feed(ANSWER) == [Found("stray", FOUND.frame)]
    stream.seek(REQUEST)
    stream.flush()
    assert stream.feed(ANSWER) == [Found("stray", FOUND.frame)]


def test_the_rest_is_noise_once_it_is_flushed() -> None:
    stream = seeking()
    assert stream.feed(b"\x01\x02\x03") == []
    assert stream.flush() == [Found("noise")]
    assert stream.flush() == []
    stream.seek(REQUEST)
    assert stream.feed(ANSWER[:-1]) == []
    assert stream.flush() == [Found("crc")]


def test_an_answer_behind_a_beginning_that_never_ends_is_found_at_the_flush() -> None:
    stream = seeking()
    assert stream.feed(ANSWER[:3] + REFUSAL) == []
    assert stream.flush() == [Found("crc"), Found("reply", Frame(0, 17, 0x83, b"\x02"))]


def test_a_line_that_babbles_is_kept_within_bounds() -> None:
    stream = seeking()
    kinds: set[str] = set()
    for _ in range(1000):
        kinds |= {found.kind for found in stream.feed(b"\xff" * 100)}
        assert stream.unfinished <= 512
    assert kinds == {"noise"}
    assert stream.feed(ANSWER)[-1] == FOUND


def test_whether_an_adapter_echoes_is_learned_from_its_first_answer() -> None:
    plain, echoing = seeking(), seeking()
    learned = [plain.echoes]
    plain.feed(ANSWER)
    learned.append(plain.echoes)
    echoing.feed(REQUEST.frame)
    learned.append(echoing.echoes)
    echoing.feed(ANSWER)
    echoing.seek(REQUEST)
    echoing.feed(ANSWER)
    assert [*learned, echoing.echoes] == [None, False, True, True]


def test_a_request_that_could_be_its_own_answer_is_an_echo_unless_the_adapter_is_known_not_to_echo() -> None:
    # 20 coils from 0x03AA on: the answer is 3 bytes of values, and these may be AA 00 14.
    request = read_request(ModbusDevice("rtu:///dev/ttyS0", unit=17), parse_range(f"coil:{0x3AA}-{0x3AA + 19}"))
    answer = framed("11 01 03 AA 00 14")
    assert answer == request.frame
    unknown = RtuStream(rtu_checksum)
    unknown.seek(request)
    assert unknown.feed(answer) == [Found("echo")]
    assert unknown.feed(answer) == [Found("reply", Frame(0, 17, 1, b"\x03\xaa\x00\x14"))]
    plain = seeking()
    plain.feed(ANSWER)
    plain.seek(request)
    assert plain.feed(answer) == [Found("reply", Frame(0, 17, 1, b"\x03\xaa\x00\x14"))]
