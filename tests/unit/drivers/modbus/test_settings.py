"""The keys of the configuration: what they mean, and one clear line for each that is wrong."""

from collections.abc import Callable
from typing import Any

import pytest

from drivers.modbus.point import ModbusPoint
from drivers.modbus.profile import ModbusProfile
from drivers.modbus.settings import ModbusDevice
from drivers.values import DataType, Seconds


@pytest.mark.parametrize(
    ("url", "address", "endpoint"),
    [
        ("tcp://127.0.0.1:5020", ("127.0.0.1", 5020), "tcp://127.0.0.1:5020"),
        ("tcp://PLC.plant", ("plc.plant", 502), "tcp://plc.plant:502"),
        ("tcp://10.0.0.5/", ("10.0.0.5", 502), "tcp://10.0.0.5:502"),
        ("tcp://[::1]:5020", ("::1", 5020), "tcp://[::1]:5020"),
        ("tcp://[FE80::1]", ("fe80::1", 502), "tcp://[fe80::1]:502"),
    ],
)
def test_every_spelling_of_a_url_gives_one_endpoint(url: str, address: tuple[str, int], endpoint: str) -> None:
    device = ModbusDevice(url)
    assert device.address == address
    assert device.endpoint == endpoint


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
    assert ModbusPoint("input:0", DataType.INT16, not_implemented=-32768).sentinels == {0x8000}
    assert ModbusPoint("input:0", DataType.INT32, not_implemented=(-1, 0x80000000)).sentinels == {
        0xFFFFFFFF,
        0x80000000,
    }


def device(**keys: Any) -> Callable[[], ModbusDevice]:
    return lambda: ModbusDevice(**{"url": "tcp://127.0.0.1", **keys})


def profile(**keys: Any) -> Callable[[], ModbusProfile]:
    return lambda: ModbusProfile(**keys)


def point(address: str | int, **keys: Any) -> Callable[[], ModbusPoint]:
    return lambda: ModbusPoint(address, **keys)


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (device(url="rtu:///dev/ttyUSB0"), "url: rtu:// is not supported by this version; use tcp://HOST:PORT"),
        (device(url="tls://plc"), "url: tls:// is not supported by this version; use tcp://HOST:PORT"),
        (device(url="rtu+tcp://plc"), "url: rtu+tcp:// is not supported by this version; use tcp://HOST:PORT"),
        (device(url="plc:502"), "url: 'plc:502' is no address of a Modbus device; write tcp://HOST:PORT"),
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
