"""Saying something to a broker and listening for what comes back, for the commands of the command line."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import cast

from gateway.northbound.connection import Connection
from gateway.northbound.faults import LinkDown
from gateway.northbound.packets import REFUSED, Ack, topic_head
from gateway.northbound.session import Received
from gateway.northbound.settings import MqttSettings

__all__ = ["Caller", "LinkDown", "Received", "Unheard", "calling"]

_RETAIN = False
_REASONS = {135: "not authorized", 144: "not a topic for it", 151: "quota exceeded"}
_NO_SUBSCRIBERS = 0x10
"""Reason code of MQTT 5: nobody at all has subscribed to the topic. Not every broker says it."""
_PACKET_ID = 65_535
"""Of the one publish that waits for its answer at a time; subscriptions count from 1."""


class Unheard(LinkDown):
    """The broker says that nobody got the message."""


class Caller:
    """A connection that is open."""

    def __init__(self, settings: MqttSettings) -> None:
        self._url = settings.address.url
        self._code: asyncio.Future[int] | None = None
        self._connection = Connection(settings, settings.client_id or "", acknowledged=self._acknowledge)

    async def open(self) -> None:
        """Connect. Raises LinkDown with one clear line."""
        await self._connection.open()

    def close(self) -> None:
        """Say goodbye."""
        self._connection.disconnect()

    async def subscribe(self, patterns: Sequence[str]) -> None:
        """Return once the broker has them. Raises LinkDown, also where it refuses one."""
        await self._connection.subscribe(patterns)

    async def receive(self) -> Received:
        """Return what comes in next. Raises LinkDown once the connection has ended."""
        async with aclosing(cast("AsyncGenerator[Received]", self._connection.received())) as messages:
            return await anext(messages)

    async def publish(self, topic: str, payload: bytes) -> None:
        """Return once the broker has the message. Whoever stops waiting must reckon with its having left.

        Raises:
            Unheard: the broker refuses it, or nobody listens.
            LinkDown: the connection has ended, and the message may have left.
        """
        code = self._code = asyncio.get_running_loop().create_future()
        lost = asyncio.create_task(self._connection.lost(), name="lost")
        try:
            self._connection.send(self._connection.encode(topic_head(topic), _PACKET_ID, payload, _RETAIN))
            await asyncio.wait((code, lost), return_when=asyncio.FIRST_COMPLETED)
            if not code.done():
                raise LinkDown(f"{self._url}: {await lost}")
        finally:
            lost.cancel()
        if code.result() >= REFUSED:
            why = f"{_REASONS.get(code.result(), 'reason')} ({code.result()})"
            raise Unheard(f"{self._url}: the broker does not pass on what is sent to {topic}: {why}")
        if code.result() == _NO_SUBSCRIBERS:
            raise Unheard(f"{self._url}: nobody listens at {topic}")

    def _acknowledge(self, acks: Sequence[Ack]) -> None:
        for packet_id, code in acks:
            if packet_id == _PACKET_ID and self._code is not None and not self._code.done():
                self._code.set_result(code)


@asynccontextmanager
async def calling(settings: MqttSettings) -> AsyncIterator[Caller]:
    """Connect for as long as it takes. Raises LinkDown where there is no connection."""
    caller = Caller(settings)
    try:
        await caller.open()
        yield caller
    finally:
        caller.close()
