"""The write half of one Modbus unit: one frame a write, and its answer held against it."""

import struct
from collections.abc import Mapping, Sequence

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import WriteMultipleCoilsRequest, WriteSingleCoilRequest
from pymodbus.pdu.register_message import (
    MaskWriteRegisterRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from drivers.base import Change, Surroundings
from drivers.errors import DeviceFault, LinkLost
from drivers.modbus.connection import ModbusConnection
from drivers.modbus.encoding import Encoded, decode, encode, is_whole
from drivers.modbus.layout import cell_of, exponent_cell
from drivers.modbus.link import Link
from drivers.modbus.placement import Place, place
from drivers.modbus.point import ModbusPoint
from drivers.modbus.register import RegisterRange
from drivers.modbus.request import framed, read_request
from drivers.modbus.settings import ModbusDevice
from drivers.modbus.write_request import MASKED, NOT_DONE, WriteRequest, function_for
from drivers.values import Sample, Value, bad
from drivers.writing import NotSent, OneFrame, Raw, WritePermit, WriterOf, generation_of

_NOT_READ = bad("not_read")
_LONGEST_MESSAGE = 200


class ModbusWriter:
    """Writes the points of one unit."""

    def __init__(
        self,
        name: str,
        connection: ModbusConnection,
        device: ModbusDevice,
        points: Mapping[int, ModbusPoint],
        around: Surroundings | None = None,
    ) -> None:
        """Raises ValueError where a point can never be read back."""
        self.generation = generation_of(connection)
        self._name = name
        self._connection = connection
        self._device = device
        self._points = dict(points)
        self._pace = device.pace
        self._read_timeout = device.answer_within(None if around is None else around.patience)
        # Given up sooner for the sake of neighbours, a write would only end in doubt.
        self._timeout = device.answer_within(None)
        self._places = dict(zip(points, place(device.profile, list(points.values())), strict=True))
        self._cells = {
            point: cell_of(device.profile, self._points[point], where.bit) for point, where in self._places.items()
        }
        self._exponents: dict[RegisterRange, Sample] = {}

    async def prepare(self) -> None:
        """Read the registers that scale others; one that is refused leaves its values without an encoding."""
        for exponent in {where.exponent for where in self._places.values() if where.exponent is not None}:
            try:
                await self._read_exponent(exponent)
            except DeviceFault as fault:
                if not fault.kind.startswith("exception_"):
                    raise

    def encode(self, point: int, value: Value) -> Encoded:
        function_for(self._device.profile, self._points[point])
        try:
            return encode(self._cells[point], value, self._exponent_of(point))
        except ValueError as error:
            raise ValueError(f"{self._points[point].address}: {_shortened(str(error))}") from None

    def decode(self, point: int, raw: Raw) -> Sample:
        return decode(self._cells[point], raw, self._exponent_of(point))

    async def write(self, point: int, tag: str, raw: Raw, permit: WritePermit) -> None:
        """Send it once. Before that the wire's echo, and the point's exponent, have to be known beyond doubt."""
        request = self._request(point, raw)
        frame = OneFrame(permit, self._name, tag, raw, self.generation)
        try:
            await self._make_sure(point, request)
            await self._link(request.label).ask_once(request, self._timeout, self._pace, frame)
        except DeviceFault as fault:
            if frame.has_left and fault.kind in NOT_DONE:
                raise
            raise frame.outcome(fault.kind, str(fault)) from None

    async def read_back(self, points: Sequence[int]) -> Sequence[Change]:
        """Ask for exactly the registers of these points, those of each once."""
        brought: dict[RegisterRange, bytes] = {}
        for point in points:
            where = self._places[point]
            if where.exponent is not None:
                await self._read_exponent(where.exponent)
            if where.range not in brought:
                brought[where.range] = await self._read(where.range)
        return [(point, self._sample(point, brought[self._places[point].range])) for point in points]

    def _sample(self, point: int, raw: bytes) -> Sample:
        where, cell = self._places[point], self._cells[point]
        if where.range.table.holds_bits:
            return decode(cell, bool(raw[0] & 1))
        words = struct.unpack(f">{len(raw) // 2}H", raw)
        return decode(cell, words if where.bit is None else bool(words[0] >> where.bit & 1), self._exponent_of(point))

    async def _make_sure(self, point: int, request: WriteRequest) -> None:
        """Raise NotSent where the answer could not be told from an echo, or the value is another by now."""
        where, link = self._places[point], self._link(request.label)
        if link.echoes is None:
            await self._learn_echo(where.range)
        if link.echoes is None:
            raise NotSent("echo_unknown", f"{request.label}: whether the adapter sends back what is sent is not known")
        if where.exponent is not None:
            encoded_with = self._exponents.get(where.exponent)
            await self._read_exponent(where.exponent)
            if self._exponents.get(where.exponent) != encoded_with:
                raise NotSent("exponent_changed", f"{request.label}: {where.exponent}, which scales it, has changed")

    def _exponent_of(self, point: int) -> Sample | None:
        where = self._places[point].exponent
        return None if where is None else self._exponents.get(where, _NOT_READ)

    async def _learn_echo(self, where: RegisterRange) -> None:
        """Ask for one register, or coil: of an answer to that, and of a refusal too, an echo can be told."""
        try:
            await self._read(where._replace(end=where.start + 1))
        except LinkLost:
            raise
        except DeviceFault:
            return

    async def _read_exponent(self, where: RegisterRange) -> None:
        self._exponents.pop(where, None)
        words = struct.unpack(">H", await self._read(where))
        self._exponents[where] = decode(exponent_cell(self._device.profile), words)

    async def _read(self, wanted: RegisterRange) -> bytes:
        request = read_request(self._device, wanted)
        return await self._link(request.label).ask(request, self._read_timeout, self._pace)

    def _link(self, label: str) -> Link:
        link = self._connection.link
        if link is None:
            raise LinkLost("disconnected", f"{label}: not connected")
        return link

    def _request(self, point: int, raw: Raw) -> WriteRequest:
        where, cell, device = self._places[point], self._cells[point], self._device
        if not is_whole(cell, raw):
            raise NotSent("bad_value", f"{where.range}: {raw!r} is not what its encoding gives")
        function = function_for(device.profile, self._points[point])
        message = _message(function, where, raw, device.unit)
        pdu = message.encode()
        bit = "" if where.bit is None else f".{where.bit}"
        return WriteRequest(
            label=f"writing {where.range}{bit} of unit {device.unit} at {device.address}",
            unit=device.unit,
            function=function,
            frame=framed(message, is_rtu=device.address.is_rtu),
            echo=pdu[: 6 if function == MASKED else 4],  # address and masks; address, and a value or a count
        )


def _message(function: int, where: Place, raw: Encoded, unit: int) -> ModbusPDU:
    start = where.range.start
    if isinstance(raw, bool):
        if where.bit is not None:
            mask = 1 << where.bit
            return MaskWriteRegisterRequest(start, 0xFFFF ^ mask, mask if raw else 0, dev_id=unit)
        single = function == WriteSingleCoilRequest.function_code
        return (WriteSingleCoilRequest if single else WriteMultipleCoilsRequest)(address=start, bits=[raw], dev_id=unit)
    single = function == WriteSingleRegisterRequest.function_code
    registers = WriteSingleRegisterRequest if single else WriteMultipleRegistersRequest
    return registers(address=start, registers=list(raw), dev_id=unit)


def _shortened(text: str) -> str:
    # A value that somebody sends may be of any length, and need not all stand in the log.
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]}..."


WRITER: WriterOf = ModbusWriter
