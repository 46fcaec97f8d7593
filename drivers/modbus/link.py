"""The wire to one Modbus TCP endpoint: one request at a time, and what comes back for it.

Of the library only the transport is used. Its client retries, connects anew on its own, and takes a reply
with transaction id 0 or of the wrong length for a good one.
"""

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from pymodbus.transport import CommParams, CommType, ModbusProtocol

from drivers.errors import DeviceFault, LinkLost
from drivers.modbus.frame import Frame, FrameStream, FramingError
from drivers.modbus.request import ReadRequest, check_reply

SILENT_REQUESTS = 3
"""Requests in a row without one byte from the device, after which the link is taken for half-open."""
_MOST_BYTES = 1 << 20
"""More than one read of the socket can bring: the library drops what is longer than this."""
_LAST_TRANSACTION = 65535

_Outcome: TypeAlias = Frame | DeviceFault


class Link(ModbusProtocol):
    """One TCP connection. Made inside the running loop; of no more use once it is lost."""

    def __init__(self, host: str, port: int, on_lost: Callable[[str], None]) -> None:
        """On_lost: called once, with the cause in a few words."""
        super().__init__(CommParams(comm_type=CommType.TCP, host=host, port=port, reconnect_delay=0.0), is_server=False)
        self.max_buffer_size = _MOST_BYTES
        self.strays = 0
        """Frames that answered nothing that was still waited for, and were dropped."""
        self._on_lost = on_lost
        self._loss = ("disconnected", "not connected")
        self._is_lost = False
        self._stream = FrameStream()
        self._turn = asyncio.Lock()
        self._transaction = 0
        self._living: set[int] = set()
        """Units that have answered on this link."""
        self._silent: set[int] = set()
        """Units that were asked in vain since the last byte came."""
        self._unanswered = 0
        self._waiting: asyncio.Future[_Outcome] | None = None

    async def ask(self, request: ReadRequest, seconds: float) -> bytes:
        """Send one request and return the values of its reply. Raises DeviceFault, LinkLost.

        Seconds: how long the reply may take, once the request is sent; requests before it are ended first.
        """
        async with self._turn:
            if not self.is_active():
                raise self._lost(request)
            self._transaction = transaction = self._transaction % _LAST_TRANSACTION + 1
            outcome = await self._exchange(transaction, request, seconds)
        if isinstance(outcome, LinkLost):
            raise self._lost(request)
        if isinstance(outcome, DeviceFault):
            raise outcome
        self._living.add(request.unit)
        return check_reply(request, transaction, outcome)

    def end(self, kind: str, cause: str) -> None:
        """Let go of the transport and tell whoever waits why; later calls change nothing."""
        if self._is_lost:
            return
        self._is_lost = True
        self._loss = (kind, cause)
        self.close()
        self._settle(LinkLost(kind, cause))
        # One turn later, so that the request which found it out tells its own, more exact fault first.
        self.loop.call_soon(self._on_lost, cause)

    def callback_data(self, data: bytes, addr: tuple[str, int] | None = None) -> int:  # noqa: ARG002  (the library's)
        """Take what arrived, all of it: a reply may come in pieces, and late ones may come with it."""
        self._silent.clear()
        self._unanswered = 0
        try:
            frames = self._stream.feed(data)
        except FramingError as error:
            self.end("bad_reply", f"what arrived is no Modbus TCP: {error}")
            return len(data)
        for frame in frames:
            is_late = 0 < frame.transaction < self._transaction
            if is_late or not self._settle(frame):
                self.strays += 1
        return len(data)

    def callback_connected(self) -> None:
        """Do nothing: whoever opens the link waits for it."""

    def callback_new_connection(self) -> ModbusProtocol:
        """Refuse to listen: a client takes no connections."""
        raise RuntimeError("a link is a client, and was asked to listen")

    def callback_disconnected(self, exc: Exception | None) -> None:
        """Note that the far side is gone."""
        self.end("disconnected", f"the connection broke: {exc}" if exc else "the device closed the connection")

    async def _exchange(self, transaction: int, request: ReadRequest, seconds: float) -> _Outcome:
        waiting: asyncio.Future[_Outcome] = self.loop.create_future()
        self._waiting = waiting
        timer = self.loop.call_later(seconds, self._expire, request, seconds)
        try:
            self.send(transaction.to_bytes(2, "big") + request.frame)
            return await waiting
        finally:
            timer.cancel()
            self._waiting = None

    def _expire(self, request: ReadRequest, seconds: float) -> None:
        if self._stream.unfinished:
            self.end("bad_reply", f"a reply broke off after {self._stream.unfinished} bytes")
            return
        self._silent.add(request.unit)
        self._unanswered += 1
        # A dead unit behind a living gateway is silent alone; a dead link silences those that have answered.
        if self._unanswered >= SILENT_REQUESTS and self._living <= self._silent:
            self.end("timeout", f"no answer to {self._unanswered} requests in a row")
        else:
            self._settle(DeviceFault("timeout", f"{request.label}: no answer within {seconds:g} s"))

    def _settle(self, outcome: _Outcome) -> bool:
        waiting = self._waiting
        if waiting is None or waiting.done():
            return False
        waiting.set_result(outcome)
        return True

    def _lost(self, request: ReadRequest) -> LinkLost:
        kind, cause = self._loss
        return LinkLost(kind, f"{request.label}: {cause}")
