"""One connection to the broker, opened once and never again; MQTT 5, or 3.1.1 where that is all there is."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from gateway.errors import SettingsError
from gateway.northbound.faults import UNSUPPORTED_VERSION, ConnectRefused, LinkDown, explain
from gateway.northbound.packets import Ack, Encoder, encode_v5, encode_v311
from gateway.northbound.session import Received, Session, Will
from gateway.northbound.settings import MqttSettings
from gateway.northbound.tls import tls_context
from gateway.northbound.wire import CONNECT_TIMEOUT, Wire, open_socket


class Connection:
    """A session with the broker, from CONNECT to its end."""

    def __init__(
        self,
        settings: MqttSettings,
        client_id: str,
        will: Will | None = None,
        acknowledged: Callable[[Sequence[Ack]], None] = lambda _: None,
    ) -> None:
        """`acknowledged` is told every PUBACK, in the order in which they come."""
        self._settings = settings
        self._address = settings.address
        self._client_id = client_id
        self._will = will
        self._acknowledged = acknowledged
        self._session: Session | None = None
        self.version = ""
        """5 or 3.1.1, once it is open."""
        self.encode: Encoder = encode_v5
        self.receive_maximum = 65_535
        """How many publishes the broker wants unacknowledged at most."""
        self.maximum_packet = 268_435_455
        """The longest packet that the broker takes, in bytes."""

    async def open(self) -> None:
        """Connect with MQTT 5, with 3.1.1 where the broker knows nothing newer. Raises LinkDown."""
        try:
            await self._open("5")
        except ConnectRefused as refusal:
            if refusal.code != UNSUPPORTED_VERSION:
                raise
            await self._open("3.1.1")

    async def lost(self) -> str:
        """Wait until the connection has ended, and return why in a few words."""
        session = self._opened()
        await session.ended.wait()
        return session.reason

    def send(self, data: bytes) -> None:
        """Send whole packets; they leave in this order, after what was sent before."""
        self._opened().wire.send(data)

    async def subscribe(self, patterns: Sequence[str]) -> None:
        """Subscribe at QoS 1. Raises LinkDown, also where the broker refuses a pattern."""
        for pattern in patterns:
            await self._opened().listen_to(pattern)

    def received(self) -> AsyncIterator[Received]:
        """Yield what comes in. Raises LinkDown once the connection has ended."""
        return self._opened().received()

    def disconnect(self) -> None:
        """Say goodbye and close: the broker throws the will away."""
        if self._session is not None:
            self._session.leave()

    def abort(self, reason: str) -> None:
        """Close without a word: the broker publishes the will. Harmless where it is closed already."""
        if self._session is not None:
            self._session.break_off(reason)

    def _opened(self) -> Session:
        assert self._session is not None, "open() comes first"
        return self._session

    async def _open(self, version: str) -> None:
        address = self._address
        try:
            wire = await self._connect_wire()
        except SettingsError as problem:  # a file that was there at the start
            raise LinkDown(str(problem)) from problem
        except UnicodeError as problem:
            raise LinkDown(f"{address.url}: the host name is none") from problem
        except OSError as fault:
            raise LinkDown(f"{address.url}: {explain(fault, address)}") from fault
        self._session = session = Session(wire, address, self._settings, self._client_id, self._will, version)
        await self._greet(session)
        self.version, self.encode = version, encode_v5 if version == "5" else encode_v311
        self.receive_maximum = getattr(session.limits, "ReceiveMaximum", 0) or 65_535
        self.maximum_packet = getattr(session.limits, "MaximumPacketSize", 0) or 268_435_455

    async def _connect_wire(self) -> Wire:
        address = self._address
        context = await asyncio.to_thread(tls_context, self._settings.tls) if address.encrypted else None
        loop = asyncio.get_running_loop()
        opening = loop.run_in_executor(None, open_socket, address.host, address.port, context)
        try:
            connected = await asyncio.shield(opening)
        except asyncio.CancelledError:
            # The thread cannot be stopped; what it opens is closed when it comes.
            opening.add_done_callback(_close_result)
            raise
        return Wire(connected, self._acknowledged)

    async def _greet(self, session: Session) -> None:
        url = self._address.url
        try:
            session.greet()
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await asyncio.sleep(0)  # aiomqtt registers the socket in the loop's next turn
                await session.answered.wait()
        except TimeoutError:
            session.break_off("timeout")
            raise LinkDown(f"{url}: no answer to CONNECT within {CONNECT_TIMEOUT:g} s") from None
        except BaseException:
            session.break_off("given up")
            raise
        answer = session.answer
        if answer is None:
            raise LinkDown(f"{url}: {session.reason}, before it answered CONNECT")
        if answer.is_failure:
            session.break_off("refused")
            raise ConnectRefused(self._address, str(answer), answer.value)


def _close_result(opening: "asyncio.Future[Any]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
