"""Modbus TCP, with TLS around it or without: every frame bears the number of its request."""

from collections.abc import Callable

from drivers.errors import DeviceFault
from drivers.modbus.frame import Frame, FrameStream, FramingError
from drivers.modbus.link import Count, Link
from drivers.modbus.pace import Pace
from drivers.modbus.request import ReadRequest

_LAST_TRANSACTION = 65535


class TcpLink(Link):
    """One connection that carries Modbus TCP."""

    def __init__(self, on_lost: Callable[[str], None], count: Count, *, is_encrypted: bool = False) -> None:
        super().__init__(on_lost, count)
        self.is_encrypted = is_encrypted
        self._stream = FrameStream()

    def put(self, request: ReadRequest) -> None:
        self.transaction = self.transaction % _LAST_TRANSACTION + 1
        self.traffic = self.loop.time()
        self.send(self.transaction.to_bytes(2, "big") + request.frame)

    def callback_data(self, data: bytes, addr: tuple[str, int] | None = None) -> int:  # noqa: ARG002  (the library's)
        """Take what arrived, all of it: a reply may come in pieces, and late ones may come with it."""
        self.sign_of_life()
        try:
            frames = self._stream.feed(data)
        except FramingError as error:
            self.end("bad_reply", f"what arrived is no Modbus TCP: {error}")
            return len(data)
        for frame in frames:
            self._take(frame)
        return len(data)

    def expire(self, request: ReadRequest, seconds: float, pace: Pace) -> None:  # noqa: ARG002  (a late answer shows its number)
        if self._stream.unfinished:
            self.end("bad_reply", f"a reply broke off after {self._stream.unfinished} bytes")
        else:
            self.give_up(request, DeviceFault("timeout", f"{request.label}: no answer within {seconds:g} s"))

    def _take(self, frame: Frame) -> None:
        self.take_in(frame)
        is_late = 0 < frame.transaction < self.transaction
        if is_late or not self.settle(frame):
            self._count(frame.unit, "stray")
