"""Modbus RTU, on a serial line or through a serial server: no frame says which request it answers.

So a unit whose answer did not come in time owes one, and is not asked again before it came or can come no more:
its late answer could be taken for the next one's. Other units are asked meanwhile, for frames bear their unit.
"""

import asyncio
from collections.abc import Callable

from drivers.errors import DeviceFault
from drivers.modbus.frame import Frame
from drivers.modbus.link import Count, Link
from drivers.modbus.pace import Pace
from drivers.modbus.request import ReadRequest, rtu_checksum
from drivers.modbus.rtu_frame import LONGEST, Found, RtuStream
from drivers.modbus.url import Address, SerialAddress

_AROUND = 5
"""Bytes of an answer around its values: unit, function, count, checksum."""


class _Debt:
    """An answer that a unit owes."""

    def __init__(self, until: float) -> None:
        self.until = until
        """When it can come no more."""
        self.paid = asyncio.Event()


class RtuLink(Link):
    """One serial line, or one connection to a serial server."""

    def __init__(self, on_lost: Callable[[str], None], count: Count, address: Address) -> None:
        super().__init__(on_lost, count)
        # A bus on which nobody answers is a bus all the same: opening the port anew would not help.
        self.ends_by_silence = not isinstance(address, SerialAddress)
        self._character = address.character
        self._longest = self._character * LONGEST
        self._stream = RtuStream(rtu_checksum)
        self._owing: dict[int, _Debt] = {}
        self._asked: ReadRequest | None = None
        self._wrong: Frame | None = None
        """What the unit sent instead of the answer."""
        self._is_damaged = False

    @property
    def echoes(self) -> bool | None:
        """Whether the adapter sends back what is sent through it; None as long as that is not known."""
        return self._stream.echoes

    def end(self, kind: str, cause: str) -> None:
        super().end(kind, cause)
        for debt in self._owing.values():
            debt.paid.set()

    def ready(self, unit: int, pace: Pace) -> float:
        ready, debt = super().ready(unit, pace), self._owing.get(unit)
        return ready if debt is None else max(ready, debt.until)

    async def rest(self, request: ReadRequest, seconds: float, pace: Pace) -> None:
        debt = self._owing.get(request.unit)
        if debt is not None:
            patience = min(debt.until, self.loop.time() + seconds + self._longest)
            try:
                async with asyncio.timeout_at(patience):
                    await debt.paid.wait()
            except TimeoutError:
                if patience < debt.until:
                    owed = "the answer to an earlier request may still come"
                    raise DeviceFault("timeout", f"{request.label}: not asked, for {owed}") from None
        await super().rest(request, seconds, pace)

    async def hush(self, request: ReadRequest, seconds: float, silence: float) -> None:
        # Twice round the loop: what has arrived by now is taken in before the request goes out, and not for its answer.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await super().hush(request, seconds, silence)

    def put(self, request: ReadRequest) -> None:
        self._settle_all(self._stream.flush())
        self._asked, self._wrong, self._is_damaged = request, None, False
        self._owing.pop(request.unit, None)
        self._stream.seek(request)
        self.traffic = self.loop.time() + self._character * len(request.frame)
        self.send(request.frame)

    def callback_data(self, data: bytes, addr: tuple[str, int] | None = None) -> int:  # noqa: ARG002  (the library's)
        """Take what arrived, all of it: an answer may come in pieces, with anything before and after."""
        self.sign_of_life()
        self._settle_all(self._stream.feed(data))
        return len(data)

    def air_time(self, request: ReadRequest) -> float:
        return self._character * (len(request.frame) + request.size + _AROUND)

    def expire(self, request: ReadRequest, seconds: float, pace: Pace) -> None:
        left = self._stream.unfinished
        self._settle_all(self._stream.flush())
        if self._waiting is None or self._waiting.done():
            return
        window = max(seconds, pace.late, self._longest)
        self._owing[request.unit] = _Debt(self.loop.time() + window)
        if self._wrong is not None:
            self.settle(self._wrong)
        elif self._is_damaged:
            self.settle(DeviceFault("bad_reply", f"{request.label}: the reply broke off, or its checksum is wrong"))
        else:
            noise = f", only {left} bytes of noise" if left else ""
            self.give_up(request, DeviceFault("timeout", f"{request.label}: no answer within {seconds:g} s{noise}"))

    def _settle_all(self, everything: list[Found]) -> None:
        for kind, frame in everything:
            if frame is not None:
                self.take_in(frame)
                if kind == "reply" and self.settle(frame):
                    continue
                self._note_stray(frame)
            self._is_damaged = self._is_damaged or kind == "crc"
            asked = self._asked.unit if self._asked is not None else 0
            self._count(asked if frame is None else frame.unit, "stray" if kind == "reply" else kind)

    def _note_stray(self, frame: Frame) -> None:
        waiting = self._waiting is not None and not self._waiting.done()
        if waiting and self._asked is not None and frame.unit == self._asked.unit:
            self._wrong = frame
        elif debt := self._owing.pop(frame.unit, None):
            debt.paid.set()
