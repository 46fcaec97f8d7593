"""The wire to one Modbus endpoint: one request at a time, and what comes back for it.

Of the library only the transport's protocol is used. Its client retries, connects anew on its own, and takes a
reply with transaction id 0 or of the wrong length for a good one.
"""

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from typing import TypeAlias, cast

from pymodbus.transport import CommParams, CommType, ModbusProtocol

from drivers.errors import DeviceFault, LinkLost
from drivers.modbus.cause import broken
from drivers.modbus.frame import Frame
from drivers.modbus.liveness import NEVER, Liveness
from drivers.modbus.pace import Pace
from drivers.modbus.request import BUSY, ReadRequest, check_reply

BUSY_RETRIES = 2
"""How often a unit is asked again that is too busy to answer, if its timeout leaves the time."""
BUSY_PAUSE = 0.1
"""Seconds before that."""
CLOSE_WITHIN = 1.0
"""Seconds in which a transport has to let go by itself."""
_ONE_READ = 4096
"""Bytes that are taken from the socket at once: several of the longest frames."""
_AT_ONCE = Pace()

Outcome: TypeAlias = Frame | DeviceFault
Count: TypeAlias = Callable[[int, str], None]
"""Counts an event of a kind that has to do with a unit: stray, noise, echo, crc, busy."""


class Link(ModbusProtocol, asyncio.BufferedProtocol):
    """What all wires have in common. Made inside the running loop; of no more use once it is lost."""

    ends_by_silence = True
    """Whether nothing at all can mean that the connection is gone, and not only the units."""

    is_encrypted = False

    def __init__(self, on_lost: Callable[[str], None], count: Count) -> None:
        """On_lost: called once, with the cause in a few words."""
        super().__init__(CommParams(comm_type=CommType.TCP, reconnect_delay=0.0), is_server=False)
        self.max_buffer_size = 2 * _ONE_READ  # the library drops what is longer than this
        self._buffer = memoryview(bytearray(_ONE_READ))
        self.transaction = 0
        """Of the last request; always 0 where frames have none."""
        self.traffic = NEVER
        """When the wire was last busy, as the loop's time."""
        self._on_lost = on_lost
        self._count = count
        self._loss = ("disconnected", "not connected")
        self._over, self._closed = asyncio.Event(), asyncio.Event()
        self._ended_transport: asyncio.BaseTransport | None = None
        self._opened = NEVER
        self._ended: dict[int, float] = {}
        self._turn = asyncio.Lock()
        self._liveness = Liveness()
        self._waiting: asyncio.Future[Outcome] | None = None

    async def ask(self, request: ReadRequest, seconds: float, pace: Pace = _AT_ONCE) -> bytes:
        """Send one request and return the values of its reply. Raises DeviceFault, LinkLost.

        Seconds: how long the reply may take, once the request is sent; requests before it are ended first. A unit
        that is busy is asked again within that time, which is for reading alone: a write is never repeated.
        """
        for _ in range(BUSY_RETRIES):
            started = self.loop.time()
            try:
                return await self._ask_once(request, seconds, pace)
            except DeviceFault as fault:
                seconds -= self.loop.time() - started + BUSY_PAUSE
                if fault.kind not in BUSY or not seconds > 0:
                    raise
            self._count(request.unit, "busy")
            await asyncio.sleep(BUSY_PAUSE)
        return await self._ask_once(request, seconds, pace)

    def heard(self, unit: int) -> float:
        """Return when the last frame came from that unit, whatever it was, as the loop's time; -inf if none did."""
        return self._liveness.heard(unit)

    def end(self, kind: str, cause: str) -> None:
        """Let go of the transport and tell whoever waits why; later calls change nothing."""
        if self._over.is_set():
            return
        self._over.set()
        self._loss = (kind, cause)
        self._ended_transport = self.transport
        self.close()
        self.settle(LinkLost(kind, cause))
        # One turn later, so that the request which found it out tells its own, more exact fault first.
        self.loop.call_soon(self._on_lost, cause)

    async def closed(self) -> None:
        """Wait until the transport has let go; one that takes too long is torn off."""
        try:
            async with asyncio.timeout(CLOSE_WITHIN):
                await self._closed.wait()
        except TimeoutError:
            cast("asyncio.Transport", self._ended_transport).abort()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  (the loop's)
        # Without it the loop allocates 256 KiB for each read, which can cost more than all the rest of a request.
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(self._buffer[:nbytes]))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._closed.set()

    def callback_connected(self) -> None:
        """Note when: whoever opens the link waits for it."""
        self._opened = self.loop.time()

    def callback_new_connection(self) -> ModbusProtocol:
        """Refuse to listen: a client takes no connections."""
        raise RuntimeError("a link is a client, and was asked to listen")

    def callback_disconnected(self, exc: Exception | None) -> None:
        """Note that the far side is gone."""
        self.end(*broken(exc, began_tls=self.is_encrypted and not self._liveness.has_heard))

    @abstractmethod
    def put(self, request: ReadRequest) -> None:
        """Send the request."""

    @abstractmethod
    def expire(self, request: ReadRequest, seconds: float, pace: Pace) -> None:
        """Settle what was not answered in time."""

    def air_time(self, request: ReadRequest) -> float:  # noqa: ARG002  (for links that need it)
        """Return how long request and reply are on the way."""
        return 0.0

    def ready(self, unit: int, pace: Pace) -> float:
        """Return when this unit may be asked again, whatever happens on the wire."""
        ended = self._ended.get(unit, NEVER) + pace.between if pace.between else NEVER
        return max(self._opened + pace.after_connect, ended)

    async def rest(self, request: ReadRequest, seconds: float, pace: Pace) -> None:  # noqa: ARG002  (for links that need it)
        """Leave the unit alone as long as it wants."""
        await self._sleep_until(self.ready(request.unit, pace))

    async def hush(self, request: ReadRequest, seconds: float, silence: float) -> None:
        """Wait until nothing was on the wire for so long. Raises DeviceFault where it never falls silent."""
        patience = self.loop.time() + silence + seconds
        while (now := self.loop.time()) < self.traffic + silence:
            if not now < patience:
                raise DeviceFault("noise", f"{request.label}: the line is never silent for {1000 * silence:.3g} ms")
            await self._sleep_until(self.traffic + silence)
            if self._over.is_set():
                return

    def settle(self, outcome: Outcome) -> bool:
        """End the request that waits; return whether one did."""
        waiting = self._waiting
        if waiting is None or waiting.done():
            return False
        waiting.set_result(outcome)
        return True

    def take_in(self, frame: Frame) -> None:
        """Note that a unit sent something."""
        self._liveness.note_frame(frame, self.loop.time())

    def sign_of_life(self) -> None:
        """Note that the link itself brought something."""
        self.traffic = self.loop.time()
        self._liveness.note_bytes()

    def give_up(self, request: ReadRequest, fault: DeviceFault) -> None:
        """Settle a request that nothing came for, or the link with it."""
        if self._liveness.note_silence(request.unit) and self.ends_by_silence:
            self.end("timeout", f"no answer to {self._liveness.unanswered} requests in a row")
        else:
            self.settle(fault)

    async def _ask_once(self, request: ReadRequest, seconds: float, pace: Pace) -> bytes:
        while True:
            await self.rest(request, seconds, pace)
            async with self._turn:
                if self.ready(request.unit, pace) > self.loop.time() and not self._over.is_set():
                    continue  # what was before it in the queue was for the same unit
                await self.hush(request, seconds, pace.silence)
                if not self.is_active():
                    raise self._lost(request)
                return await self._exchange(request, seconds, pace)

    async def _exchange(self, request: ReadRequest, seconds: float, pace: Pace) -> bytes:
        waiting: asyncio.Future[Outcome] = self.loop.create_future()
        self._waiting = waiting
        timer = self.loop.call_later(seconds + self.air_time(request), self.expire, request, seconds, pace)
        try:
            self.put(request)
            outcome = await waiting
        finally:
            timer.cancel()
            self._waiting = None
            self._ended[request.unit] = self.loop.time()
        if isinstance(outcome, LinkLost):
            raise self._lost(request)
        if isinstance(outcome, DeviceFault):
            raise outcome
        self._liveness.note_answer(request.unit)
        return check_reply(request, self.transaction, outcome)

    async def _sleep_until(self, when: float) -> None:
        """Sleep, but not longer than the link lives."""
        if when > self.loop.time() and not self._over.is_set():
            try:
                async with asyncio.timeout_at(when):
                    await self._over.wait()
            except TimeoutError:
                pass

    def _lost(self, request: ReadRequest) -> LinkLost:
        kind, cause = self._loss
        return LinkLost(kind, f"{request.label}: {cause}")
