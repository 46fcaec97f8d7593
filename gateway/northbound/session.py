"""aiomqtt on a wire of ours: the only file that knows aiomqtt and paho, and what they keep to themselves.

aiomqtt keeps the session: CONNECT, keep-alive, subscriptions, what comes in. `publish` is not to be used:
publishes go past it, over the wire.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from math import ceil
from typing import Any, NamedTuple

import aiomqtt
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.client import ConnectFlags, DisconnectFlags
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.northbound.address import BrokerAddress
from gateway.northbound.faults import LinkDown, explain
from gateway.northbound.settings import MqttSettings
from gateway.northbound.wire import CONNECT_TIMEOUT, Wire

_KEPT = 10_000
"""Messages that may wait to be read; what comes beyond is dropped."""
_VERSIONS = {"5": aiomqtt.ProtocolVersion.V5, "3.1.1": aiomqtt.ProtocolVersion.V311}

_silent = logging.getLogger("plantgate.northbound.aiomqtt")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False  # what matters is said once, by the link


class Will(NamedTuple):
    """What the broker publishes for us once we are gone without a word; QoS 1, retained."""

    topic: str
    payload: bytes


class Received(NamedTuple):
    """A message from the broker."""

    topic: str
    payload: bytes


class Session(aiomqtt.Client):
    """One session; it also tells what aiomqtt does not: the CONNACK, and why the session ended."""

    def __init__(
        self,
        wire: Wire,
        address: BrokerAddress,
        settings: MqttSettings,
        client_id: str,
        will: Will | None,
        version: str,
    ) -> None:
        super().__init__(
            address.host,
            address.port,
            username=settings.username,
            password=settings.password,
            identifier=client_id,
            protocol=_VERSIONS[version],
            clean_session=None if version == "5" else True,
            keepalive=ceil(settings.keepalive),
            will=None if will is None else aiomqtt.Will(will.topic, will.payload, qos=1, retain=True),
            max_queued_incoming_messages=_KEPT,
            timeout=CONNECT_TIMEOUT,
            logger=_silent,
        )
        self.wire = wire
        self.address = address
        self.answer: ReasonCode | None = None
        self.limits: Properties | None = None
        self.answered = asyncio.Event()
        """That CONNACK came, or the end before it."""
        self.ended = asyncio.Event()
        self.reason = ""
        """Why it ended, in a few words."""
        self._disconnected.add_done_callback(self._ended_by_aiomqtt)
        self._client.disable_logger()  # a log call per packet, even when nobody listens
        self._client._create_socket = lambda: wire  # type: ignore[method-assign]  # noqa: SLF001  (paho has no other way in)

    def greet(self) -> None:
        """Send CONNECT; then wait for `answered`."""
        # What `async with` does in a thread, because it would block; our socket is connected already.
        self._client_connect()

    def leave(self) -> None:
        """Say goodbye and close: the broker throws the will away."""
        self._client.disconnect()
        self._client.loop_write()
        self._forget()

    def break_off(self, reason: str) -> None:
        """Close without a word: the broker publishes the will. Harmless where it has ended already."""
        self.reason = self.reason or reason
        self.wire.break_off(reason)
        self._client.loop_read()
        self.wire.close()
        self._forget()

    async def listen_to(self, pattern: str) -> None:
        """Subscribe at QoS 1. Raises LinkDown, also where the broker refuses the pattern."""
        try:
            codes = await self.subscribe(pattern, qos=1)
        except aiomqtt.MqttError as problem:
            raise LinkDown(f"{self.address.url}: cannot subscribe to {pattern}: {problem}") from problem
        for code in codes:
            if (code.value if isinstance(code, ReasonCode) else code) >= 128:
                raise LinkDown(f"{self.address.url}: the broker refuses to subscribe to {pattern}: {code}")

    async def received(self) -> AsyncIterator[Received]:
        """Yield what comes in. Raises LinkDown once the session has ended."""
        try:
            async for message in self.messages:
                yield Received(message.topic.value, bytes(message.payload))
        except aiomqtt.MqttError:
            raise LinkDown(f"{self.address.url}: {self.reason}") from None

    def _forget(self) -> None:
        self._finish("closed")
        for future in (self._connected, self._disconnected):
            if future.done() and not future.cancelled():
                future.exception()  # seen; asyncio would complain about it later

    def _finish(self, reason: str) -> None:
        self.reason = self.reason or reason
        self.answered.set()
        self.ended.set()

    def _ended_by_aiomqtt(self, disconnected: "asyncio.Future[None]") -> None:
        if not disconnected.cancelled():
            self._finish(f"the session broke: {disconnected.exception()}")

    def _on_connect(
        self,
        client: PahoClient,
        userdata: Any,  # noqa: ANN401  (paho's)
        flags: ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        self.answer, self.limits = reason_code, properties
        self.answered.set()
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_disconnect(
        self,
        client: PahoClient,
        userdata: Any,  # noqa: ANN401  (paho's)
        flags: DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        super()._on_disconnect(client, userdata, flags, reason_code, properties)
        if flags.is_disconnect_packet_from_server:
            self._finish(f"the broker ended the session: {reason_code} ({reason_code.value})")
        elif self.wire.fault is not None:
            self._finish(explain(self.wire.fault, self.address))
        elif reason_code == "Keep alive timeout":
            self._finish("the broker stopped answering")
        else:
            self._finish("the broker closed the connection")

    def _on_socket_register_write(self, client: PahoClient, userdata: Any, sock: Any) -> None:  # noqa: ANN401, ARG002
        # The wire takes everything, so paho never has to wait for the socket.
        self._loop.call_soon(client.loop_write)

    def _on_socket_unregister_write(self, client: PahoClient, userdata: Any, sock: Any) -> None:  # noqa: ANN401
        """Nothing was registered."""


def explain_connack(code: int) -> str:
    """Return what a reason code of CONNACK means."""
    try:
        return str(ReasonCode(PacketTypes.CONNACK, identifier=code))
    except KeyError:
        return "a reason that MQTT does not know"
