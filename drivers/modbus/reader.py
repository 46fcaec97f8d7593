"""The read half of one Modbus unit: its plan of requests, and what each brings."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from drivers.base import Block, Change, Listener, Plan, Surroundings
from drivers.errors import DeviceFault, LinkLost
from drivers.modbus.layout import Layout, Part
from drivers.modbus.lessons import Lessons
from drivers.modbus.parts import Parts
from drivers.modbus.point import ModbusPoint
from drivers.modbus.refusal import REFUSALS
from drivers.modbus.register import RegisterRange
from drivers.modbus.request import ReadRequest, read_request
from drivers.modbus.settings import ModbusDevice
from drivers.modbus.signs_of_life import SignsOfLife
from drivers.values import DataType, Seconds

Ask: TypeAlias = Callable[[ReadRequest, float], Awaitable[bytes]]
"""Sends a request and returns the values of its reply, within so many seconds; raises DeviceFault."""


class ModbusReader:
    """Reads the points of one unit, block by block."""

    def __init__(
        self,
        device: ModbusDevice,
        points: Sequence[ModbusPoint],
        ask: Ask,
        around: Surroundings | None = None,
        *,
        heard: Callable[[], float] | None = None,
    ) -> None:
        """Ask: the way onto the wire. Heard: when a frame of the unit last arrived, on the monotonic clock.

        Raises ValueError where a point can never be read.
        """
        around = around or Surroundings()
        self._device = device
        self._types = [point.value_type for point in points]
        self._ask = ask
        self._timeout = device.answer_within(around.patience)
        self._layout = Layout(device, points)
        self._parts = Parts(self._layout, Lessons(around.learned, device.profile, around.count), around.count)
        self._requests = {block: self._request(self._parts[block].range) for block in self._parts.blocks}
        self._signs = SignsOfLife(heard)
        self._forgotten: set[int] = set()

    async def prepare(self) -> Plan:
        return Plan(polled=self._parts.blocks)

    def data_type(self, point: int) -> DataType | None:
        return self._types[point]

    async def read(self, block: Block) -> Sequence[Change]:
        """Ask once for a block; a few times more, and shortly, where it is refused as a whole."""
        part = self._parts[block]
        try:
            raw = await self._ask(self._requests[block], self._timeout)
        except DeviceFault as fault:
            for exponent in part.exponents:
                self._layout.known.pop(exponent, None)
            if fault.kind == "timeout":
                self._signs.listen()
            if not (fault.kind in REFUSALS and await self._answers_in_part(block, fault.kind)):
                raise
            raw = await self._ask_again(block)
        self._signs.settle()
        self._parts.answered(block)
        changes = part.decoder.decode(raw)
        return self._remember(part, raw, changes) if self._forgotten else changes

    async def probe(self, within: Seconds) -> None:
        """Ask for one register, or one bit; not even that where the unit was heard since it was asked in vain."""
        if not self._requests or self._signs.heard():
            return
        self._signs.listen()
        first = self._parts[next(iter(self._requests))].range
        smallest = self._request(first._replace(end=first.start + 1))
        try:
            await self._ask(smallest, min(within, self._timeout))
        except LinkLost:
            raise
        except DeviceFault as fault:
            if not self._signs.in_fault(fault.kind):
                raise
        self._signs.settle()

    async def subscribe(self, listener: Listener) -> None:
        """Do nothing: a Modbus device reports nothing by itself, and the plan says so."""

    def forget(self, points: Sequence[int]) -> None:
        self._forgotten.update(points)

    def _remember(self, part: Part, raw: bytes, changes: Sequence[Change]) -> Sequence[Change]:
        """Add what was forgotten of a block to its changes. It follows a write, so it need not be cheap."""
        due = self._forgotten.intersection(part.block.points)
        if not due:
            return changes
        self._forgotten -= due
        due.difference_update(point for point, _ in changes)
        every = self._layout.part(part.spans).decoder.decode(raw)  # one that has told nothing yet
        return [*changes, *(change for change in every if change[0] in due)]

    async def _answers_in_part(self, block: Block, kind: str) -> bool:
        """Ask for spans of a refused block alone, until one of them is answered."""
        for span in self._parts.witnesses(block, kind):
            try:
                await self._ask(self._request(span), self._timeout)
            except LinkLost:
                raise
            except DeviceFault as alone:
                if alone.kind not in REFUSALS:
                    return False
                self._parts.witness_refused(block, span, alone.kind)
            else:
                return True
        self._parts.none_answered(block, kind)
        return False

    async def _ask_again(self, block: Block) -> bytes:
        """Ask for the whole of a block that answers in part: it may have come to life meanwhile. Raises Split."""
        try:
            return await self._ask(self._requests[block], self._timeout)
        except LinkLost:
            raise
        except DeviceFault as fault:
            if fault.kind not in REFUSALS:
                raise
            split = self._parts.split(block, fault)
        del self._requests[block]
        self._requests |= {each: self._request(self._parts[each].range) for each in split.blocks}
        raise split

    def _request(self, asked: RegisterRange) -> ReadRequest:
        return read_request(self._device, asked)


def check_points(device: ModbusDevice, points: Sequence[ModbusPoint]) -> None:
    """Raise ValueError where a point can never be read: it lies in a hole, or is longer than a request."""
    Layout(device, points)
