"""The keys of the configuration: what they mean, and one clear line for each that is wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drivers.modbus.pace import Pace
from drivers.modbus.point import ModbusPoint
from drivers.modbus.profile import ModbusProfile
from drivers.modbus.settings import ModbusDevice
from drivers.modbus.tls_settings import ModbusTls
from drivers.values import DataType, Seconds


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("tcp://127.0.0.1:5020", "tcp://127.0.0.1:5020"),
        ("tcp://PLC.plant", "tcp://plc.plant:502"),
        ("TCP://10.0.0.5/", "tcp://10.0.0.5:502"),
        ("tcp://[::1]:5020", "tcp://[::1]:5020"),
        ("tcp://[FE80::1]", "tcp://[fe80::1]:502"),
        ("rtu+tcp://Moxa:4001", "rtu+tcp://moxa:4001"),
        ("rtu:///dev/ttyUSB0", "rtu:///dev/ttyUSB0?baudrate=19200&parity=E&stopbits=1"),
        ("rtu:////dev//ttyS1?parity=n", "rtu:///dev/ttyS1?baudrate=19200&parity=N&stopbits=2"),
        ("rtu:///dev/ttyS1?stopbits=1&parity=N", "rtu:///dev/ttyS1?baudrate=19200&parity=N&stopbits=1"),
        ("rtu:///dev/ttyS1?baudrate=9600&parity=O", "rtu:///dev/ttyS1?baudrate=9600&parity=O&stopbits=1"),
        ("rtu:///dev/serial/by-id/usb%20x", "rtu:///dev/serial/by-id/usb x?baudrate=19200&parity=E&stopbits=1"),
    ],
)
def test_every_spelling_of_a_url_gives_one_endpoint(url: str, endpoint: str) -> None:
    assert ModbusDevice(url).endpoint == endpoint


def test_a_protected_address_has_a_port_of_its_own() -> None:
    protected = ModbusDevice("tls://PLC", tls=ModbusTls(Path("/etc/ca.pem"), server_name="plc-7"))
    assert str(protected.address) == "tls://plc:802"
    assert protected.endpoint == "tls://plc:802 (trusting /etc/ca.pem, to plc-7)"


@pytest.mark.parametrize(
    ("line", "character", "quiet"),
    [
        # Modbus over Serial Line V1.02, 2.5.1.1: 3.5 characters of 11 bits; above 19200 baud a fixed 1.75 ms.
        ("", 11 / 19200, 3.5 * 11 / 19200),
        ("?baudrate=9600&parity=N", 11 / 9600, 3.5 * 11 / 9600),
        ("?baudrate=1200&parity=N&stopbits=1", 10 / 1200, 3.5 * 10 / 1200),
        ("?baudrate=38400", 11 / 38400, 0.00175),
        ("?baudrate=115200&stopbits=2", 12 / 115200, 0.00175),
    ],
)
def test_the_silence_between_frames_is_that_of_the_standard(line: str, character: float, quiet: float) -> None:
    device = ModbusDevice(f"rtu:///dev/ttyS0{line}")
    assert device.address.character == pytest.approx(character)
    assert device.pace.silence == pytest.approx(quiet)


def test_the_pauses_of_a_unit_are_those_of_its_keys_and_of_its_make() -> None:
    profile = ModbusProfile(pause_after_connect=Seconds(2.0), pause=Seconds(0.1))
    url = "rtu:///dev/ttyS0"
    assert ModbusDevice(url, profile=profile, quiet=Seconds(0.01)).pace == Pace(2.0, 0.1, 0.01, 1.0)
    assert ModbusDevice(url, quiet=Seconds(0.01), delay=Seconds(0.5), timeout=Seconds(3)).pace == Pace(0, 0, 0.5, 3.0)
    assert ModbusDevice("tcp://plc").pace == Pace(0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("address", "data_type", "count"),
    [
        ("coil:0", DataType.BOOL, 1),
        ("discrete:0", DataType.BOOL, 1),
        ("holding:0.3", DataType.BOOL, 1),
        ("holding:0", DataType.UINT16, 1),
        (40001, DataType.UINT16, 1),
    ],
)
def test_the_type_that_is_left_out_follows_from_the_address(
    address: str | int, data_type: DataType, count: int
) -> None:
    point = ModbusPoint(address)
    assert point.data_type is data_type
    assert point.count == count


@pytest.mark.parametrize(
    ("kind", "count"), [("int16", 1), ("uint32", 2), ("float32", 2), ("int64", 4), ("uint64", 4), ("float64", 4)]
)
def test_a_number_takes_the_registers_of_its_type(kind: str, count: int) -> None:
    assert ModbusPoint("input:0", DataType(kind)).count == count


def test_raw_values_may_be_written_as_the_number_that_they_would_be() -> None:
    assert ModbusPoint("input:0", DataType.INT16, not_implemented=-32768).sentinels == frozenset({0x8000})
    assert ModbusPoint("input:0", DataType.INT32, not_implemented=(-1, 0x80000000)).sentinels == frozenset(
        {
            0xFFFFFFFF,
            0x80000000,
        }
    )


SERIAL = "rtu:///dev/ttyUSB0?baudrate=19200&parity=E&stopbits=1"
ANY = f"tcp://HOST:PORT, tls://HOST:PORT, rtu+tcp://HOST:PORT or {SERIAL}"


def device(**keys: Any) -> Callable[[], ModbusDevice]:
    return lambda: ModbusDevice(**{"url": "tcp://127.0.0.1", **keys})


def profile(**keys: Any) -> Callable[[], ModbusProfile]:
    return lambda: ModbusProfile(**keys)


def point(address: str | int, **keys: Any) -> Callable[[], ModbusPoint]:
    return lambda: ModbusPoint(address, **keys)


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (device(url="plc:502"), f"url: 'plc:502' is no address of a Modbus device; write {ANY}"),
        (device(url="udp://plc"), f"url: 'udp://plc' is no address of a Modbus device; write {ANY}"),
        (device(url="tls://plc/a"), "url: 'tls://plc/a' is no address of a Modbus device; write tls://HOST:PORT"),
        (
            device(url="rtu+tcp://plc"),
            "url: 'rtu+tcp://plc' names no port, and there is no usual one; write rtu+tcp://HOST:PORT",
        ),
        (device(url="rtu://ttyUSB0"), f"url: 'rtu://ttyUSB0' names no serial port; write {SERIAL}"),
        (device(url="rtu:///"), f"url: 'rtu:///' names no serial port; write {SERIAL}"),
        (device(url="rtu:///dev/tty#1"), f"url: 'rtu:///dev/tty#1' names no serial port; write {SERIAL}"),
        (device(url="rtu:///dev/a%00b"), f"url: 'rtu:///dev/a%00b' names no serial port; write {SERIAL}"),
        (device(url="rtu://["), f"url: 'rtu://[': Invalid IPv6 URL; write {SERIAL}"),
        (
            device(url="rtu:///dev/ttyS0?fast"),
            f"url: 'rtu:///dev/ttyS0?fast' has something else than KEY=VALUE after the ?; write {SERIAL}",
        ),
        (
            device(url="rtu:///dev/ttyS0?bytesize=7"),
            "url: bytesize is no setting of a serial line; there are baudrate, parity and stopbits",
        ),
        (
            device(url="rtu:///dev/ttyS0?parity=N&parity=E"),
            "url: 'rtu:///dev/ttyS0?parity=N&parity=E' sets something twice",
        ),
        (device(url="rtu:///dev/ttyS0?baudrate=fast"), "url: baudrate=fast is not within 300 and 4000000"),
        (device(url="rtu:///dev/ttyS0?baudrate=299"), "url: baudrate=299 is not within 300 and 4000000"),
        (device(url="rtu:///dev/ttyS0?baudrate=-9600"), "url: baudrate=-9600 is not within 300 and 4000000"),
        (device(url="rtu:///dev/ttyS0?parity=even"), "url: parity=EVEN is none of N, E and O"),
        (device(url="rtu:///dev/ttyS0?stopbits=1.5"), "url: stopbits=1.5 is neither 1 nor 2"),
        (
            device(url="tls://plc"),
            "tls: name the authority of the device's certificate, ca: FILE; nothing is trusted unsaid",
        ),
        (
            device(tls=ModbusTls(Path("ca.pem"))),
            "tls: tcp://127.0.0.1:502 is not encrypted; write tls://HOST:PORT as the url, or leave tls out",
        ),
        (
            lambda: ModbusTls(certificate=Path("a.pem")),
            "private_key: missing; certificate and private_key belong together",
        ),
        (
            lambda: ModbusTls(private_key=Path("a.key")),
            "certificate: missing; certificate and private_key belong together",
        ),
        (
            lambda: ModbusTls(server_name=""),
            "server_name: is empty; leave it out where the certificate names the host of the URL",
        ),
        (
            device(url="rtu:///dev/ttyS0", unit=0),
            "unit: 0 is everyone on a serial line, and nobody answers; 1 to 247",
        ),
        (device(quiet=Seconds(2)), "quiet: 2 s is not within 0s and 1s"),
        (device(quiet=Seconds(float("nan"))), "quiet: nan s is not within 0s and 1s"),
        (device(delay=Seconds(-1)), "delay: -1 s is not within 0s and 60s"),
        (device(url="tcp://"), "url: 'tcp://' is no address of a Modbus device; write tcp://HOST:PORT"),
        (device(url="tcp://plc:0"), "url: 'tcp://plc:0' is no address of a Modbus device; write tcp://HOST:PORT"),
        (device(url="tcp://plc/a"), "url: 'tcp://plc/a' is no address of a Modbus device; write tcp://HOST:PORT"),
        (device(url="tcp://plc:70000"), "url: 'tcp://plc:70000': Port out of range 0-65535; write tcp://HOST:PORT"),
        (device(url="tcp://a..b"), "url: 'tcp://a..b' names no host that can be looked up; write tcp://HOST:PORT"),
        (device(unit=256), "unit: 256 is not within 0 and 255"),
        (device(timeout=Seconds(0)), "timeout: 0 s is not within 10ms and 60s"),
        (device(timeout=Seconds(float("nan"))), "timeout: nan s is not within 10ms and 60s"),
        (profile(max_block=126), "max_block: 126 is not within 1 and 125"),
        (profile(max_gap=-1), "max_gap: -1 is not within 0 and 124"),
        (profile(max_bits=2001), "max_bits: 2001 is not within 1 and 2000"),
        (profile(max_bit_gap=2000), "max_bit_gap: 2000 is not within 0 and 1999"),
        (profile(order="ACBD"), "order: 'ACBD' is none of ABCD, CDAB, BADC, DCBA"),
        (profile(holes=("holding:9-3",)), "holes: 'holding:9-3' ends before it begins"),
        (point("coil:0", type=DataType.UINT16), "type: coil:0 is one bit, and so a bool, not uint16"),
        (point("holding:0.1", type=DataType.INT16), "type: holding:0.1 is one bit, and so a bool, not int16"),
        (
            point("holding:5", type=DataType.BOOL),
            "type: holding:5 is a whole register, and a bool one bit of it, such as holding:5.0",
        ),
        (point("holding:5", type=DataType.DATETIME), "type: datetime is not read from registers"),
        (
            point("holding:65535", type=DataType.FLOAT32),
            "address: holding:65535 with 2 registers passes the last one, 65535",
        ),
        (
            point("holding:0", type=DataType.STRING),
            "length: missing; say how many registers the string takes",
        ),
        (point("holding:0", type=DataType.STRING, length=0), "length: 0 is not within 1 and 125"),
        (point("holding:0", length=2), "length: a uint16 has its own; leave it out"),
        (point("holding:0", order="AB"), "order: 'AB' is none of ABCD, CDAB, BADC, DCBA"),
        (point("coil:0", not_implemented=1), "not_implemented: only numbers have such values, not a bool"),
        (point("holding:0", not_implemented=65536), "not_implemented: 65536 is no raw value of 16 bits"),
        (point("holding:0", not_implemented=(-65537,)), "not_implemented: -1 is no raw value of 16 bits"),
    ],
)
def test_a_wrong_key_is_told_in_one_line(make: Callable[[], object], line: str) -> None:
    with pytest.raises(ValueError, match=r".+") as caught:
        make()
    assert str(caught.value) == line


def test_a_wrong_address_names_its_key() -> None:
    with pytest.raises(ValueError, match=r"^address: 'pump:1' names no table"):
        ModbusPoint("pump:1")
