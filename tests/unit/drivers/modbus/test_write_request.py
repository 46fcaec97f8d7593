"""By which function a point is written, and which points can never be."""

from typing import Any

import pytest

from drivers.modbus import DRIVER
from drivers.modbus.point import ModbusPoint
from drivers.modbus.profile import ModbusProfile
from drivers.modbus.settings import ModbusDevice
from drivers.modbus.write_request import function_for
from drivers.values import DataType

URL = "tcp://127.0.0.1"


@pytest.mark.parametrize(
    ("address", "keys", "refused", "function"),
    [
        ("coil:3", {}, (), 5),
        ("coil:3", {}, (5,), 15),
        ("coil:3", {}, (15,), 5),
        ("holding:3", {}, (), 6),
        ("holding:3", {}, (6,), 16),
        ("40004", {"type": DataType.INT16}, (16,), 6),
        ("holding:3", {"type": DataType.FLOAT32}, (), 16),
        ("holding:3", {"type": DataType.STRING, "length": 1}, (), 6),
        ("holding:3", {"type": DataType.BYTES, "length": 123}, (6,), 16),
        ("holding:3.4", {}, (), 22),
        ("holding:3.4", {}, (5, 6, 15, 16), 22),
    ],
)
def test_a_point_is_written_by_the_shortest_function_that_the_device_has(
    address: str, keys: dict[str, Any], refused: tuple[int, ...], function: int
) -> None:
    profile = ModbusProfile(functions_refused=refused)
    assert function_for(profile, ModbusPoint(address, **keys)) == function


@pytest.mark.parametrize(
    ("address", "keys", "refused", "message"),
    [
        ("input:3", {}, (), "input:3 cannot be written: only coils and holding registers can; leave writable out"),
        ("discrete:3", {}, (), "discrete:3 cannot be written: only coils and holding registers can"),
        ("30004", {}, (), "30004 cannot be written"),
        ("coil:3", {}, (5, 15), "coil:3 is written by function 5 or 15, and functions_refused says"),
        ("holding:3", {}, (6, 16), "holding:3 is written by function 6 or 16, and functions_refused says"),
        ("holding:3", {"type": DataType.INT32}, (16,), "holding:3 is written by function 16, and"),
        ("holding:3", {"type": DataType.BYTES, "length": 124}, (), "takes 124 registers, and one write carries 123"),
        ("holding:3.4", {}, (22,), r"function 22, .* has none \(the register as a whole is never written for one bit"),
        ("holding:0", {"base": 1}, (), "this device counts from 1"),
    ],
)  # fmt: skip
def test_what_can_never_be_written_is_said_when_the_configuration_is_checked(
    address: str, keys: dict[str, Any], refused: tuple[int, ...], message: str
) -> None:
    base = keys.pop("base", 0)
    device = ModbusDevice(URL, profile=ModbusProfile(functions_refused=refused, base=base))
    with pytest.raises(ValueError, match=message):
        DRIVER.check_writable(device, ModbusPoint(address, **keys))


def test_a_point_that_can_be_written_passes_the_check() -> None:
    DRIVER.check_writable(ModbusDevice(URL), ModbusPoint("holding:3.4"))
