"""What is asked of a unit in one request, and whether a frame is the answer to it.

Every reply is held against its request in full: a device, or a gateway before it, that mixes up its
clients must not be believed.
"""

from dataclasses import dataclass
from typing import NoReturn

from pymodbus.framer import FramerBase, FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from drivers.errors import DeviceFault
from drivers.modbus.frame import Frame
from drivers.modbus.register import RegisterRange, Table
from drivers.modbus.settings import ModbusDevice

_IS_EXCEPTION = 0x80
BUSY = frozenset({"exception_5", "exception_6"})
"""What a unit says that only needs more time."""
_OF_A_GATEWAY = {10, 11}
_MESSAGES: dict[Table, type[ModbusPDU]] = {
    Table.COIL: ReadCoilsRequest,
    Table.DISCRETE: ReadDiscreteInputsRequest,
    Table.INPUT: ReadInputRegistersRequest,
    Table.HOLDING: ReadHoldingRegistersRequest,
}
_EXCEPTIONS = {
    1: "illegal function: the device has no such table",
    2: "illegal data address: some of these addresses do not exist there",
    3: "illegal data value: it takes no request of this length",
    4: "device failure",
    5: "acknowledged, and not done yet",
    6: "device busy",
    8: "memory parity error",
    10: "the gateway has no path to the unit",
    11: "the unit behind the gateway does not respond",
}


@dataclass(frozen=True, slots=True, eq=False)
class ReadRequest:
    """One request, ready to be sent."""

    label: str
    """What is asked of whom, for messages."""
    unit: int
    function: int
    size: int
    """Bytes of values that the answer must bring, no more and no fewer."""
    frame: bytes
    """As it goes out; in Modbus TCP there is a transaction id before it."""


def read_request(device: ModbusDevice, wanted: RegisterRange) -> ReadRequest:
    """Return the request for a range of one unit."""
    count = wanted.end - wanted.start
    message = _MESSAGES[wanted.table](dev_id=device.unit, address=wanted.start, count=count)
    address = device.address
    return ReadRequest(
        label=f"{wanted} of unit {device.unit} at {address}",
        unit=device.unit,
        function=message.function_code,
        size=(count + 7) // 8 if wanted.table.holds_bits else 2 * count,
        frame=_framed(message, is_rtu=address.is_rtu),
    )


def is_from_unit(frame: Frame) -> bool:
    """Return whether the unit itself sent it, and not a gateway that cannot reach it."""
    return not (frame.function & _IS_EXCEPTION and frame.data[:1] and frame.data[0] in _OF_A_GATEWAY)


def rtu_checksum(raw: bytes) -> bytes:
    """Return the two bytes that end an RTU frame, in the order of the wire."""
    return FramerRTU.compute_CRC(raw).to_bytes(2, "big")


def check_reply(request: ReadRequest, transaction: int, frame: Frame) -> bytes:
    """Return the values that a frame brings. Raises DeviceFault: an exception, or not the answer."""
    size = request.size
    if frame.transaction != transaction:
        _refuse(request, f"transaction id {frame.transaction} instead of {transaction}")
    if frame.unit != request.unit:
        _refuse(request, f"unit {frame.unit}")
    if frame.function == request.function | _IS_EXCEPTION and len(frame.data) == 1:
        code = frame.data[0]
        meaning = _EXCEPTIONS.get(code, "a code that the standard does not know")
        raise DeviceFault(f"exception_{code}", f"{request.label}: exception {code}, {meaning}")
    if frame.function != request.function:
        _refuse(request, f"function code {frame.function} instead of {request.function}")
    if not frame.data or frame.data[0] != size or len(frame.data) != size + 1:
        announced = frame.data[0] if frame.data else 0
        _refuse(request, f"{max(len(frame.data) - 1, 0)} bytes, announced as {announced}, instead of {size}")
    return frame.data[1:]


def _framed(message: ModbusPDU, *, is_rtu: bool) -> bytes:
    framer: FramerBase = (FramerRTU if is_rtu else FramerSocket)(DecodePDU(is_server=False))
    raw = framer.buildFrame(message)
    return raw if is_rtu else raw[2:]


def _refuse(request: ReadRequest, what: str) -> NoReturn:
    raise DeviceFault("bad_reply", f"{request.label}: the reply has {what}")
