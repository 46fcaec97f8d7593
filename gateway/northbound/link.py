"""The link to the broker: keeps one connection, hands bursts over, and counts what the broker says of them.

It retries connections, never messages: whoever handed a message over is told where it was not acknowledged.
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from typing import Protocol

from gateway.clock import Clock
from gateway.counters import MqttCounters
from gateway.northbound.connection import Connection
from gateway.northbound.faults import LinkDown
from gateway.northbound.names import Names
from gateway.northbound.packets import REFUSED, Ack
from gateway.northbound.session import Will
from gateway.northbound.settings import MqttSettings
from gateway.northbound.sources import Source, offline_payload
from gateway.northbound.tls import tls_context
from gateway.northbound.window import Window

FIRST_PAUSE = 1.0
"""Seconds before the second attempt to connect, at least."""
STABLE = 10.0
"""A connection that lasted so many seconds was a good one: the next pause is the first again."""
_CHECK = 1.0

_log = logging.getLogger("plantgate.northbound")


class LinkListener(Protocol):
    """Who publishes over the link. Calls come from the loop, return at once and never raise."""

    def connected(self) -> None:
        """A new connection stands: the broker knows nothing of what was handed over before."""

    def room(self) -> None:
        """There is room again; called once for all acknowledgements of one read."""

    def refused(self, source: Source) -> None:
        """The broker did not take a source's message: clients do not know it."""

    def lost(self, unacknowledged: Sequence[Source]) -> None:
        """The connection is gone, and these sources, in their order, may or may not have arrived."""


class Link:
    """One connection to the broker at a time, renewed for ever."""

    def __init__(
        self,
        settings: MqttSettings,
        gateway_id: str,
        clock: Clock,
        rng: random.Random,
        counters: MqttCounters,
    ) -> None:
        """Raises SettingsError where a TLS file cannot be read."""
        self._settings = settings
        self._url = settings.address.url
        self._client_id = settings.client_id or f"plantgate-{gateway_id}"
        self._status_topic = Names(settings.root, gateway_id).status.text
        self._clock = clock
        self._rng = rng
        self._counters = counters
        self._listener: LinkListener | None = None
        self._connection: Connection | None = None
        self._window: Window[Source] = Window()
        self._burst: list[bytes] = []
        self._silence = 2 * settings.keepalive
        self._complaints: set[str] = set()
        self._closing = asyncio.Event()
        self.settled = asyncio.Event()
        """That nothing is on its way."""
        self.settled.set()
        if settings.address.encrypted:
            tls_context(settings.tls)

    @property
    def up(self) -> bool:
        """That a connection stands, as far as anybody knows."""
        return self._connection is not None

    @property
    def version(self) -> str:
        """The protocol's version, 5 or 3.1.1; empty while there is no connection."""
        return self._connection.version if self._connection is not None else ""

    @property
    def on_its_way(self) -> int:
        """How many messages are not acknowledged yet."""
        return len(self._window)

    @property
    def oldest(self) -> float | None:
        """When the oldest of them was handed over, monotonic."""
        return self._window.oldest

    def attend(self, listener: LinkListener) -> None:
        """Name the one who publishes; to be called before `run`."""
        self._listener = listener

    def has_room(self) -> bool:
        """Return whether `hand_over` may be called now."""
        return self._connection is not None and self._window.has_room

    def hand_over(self, source: Source, payload: bytes, now: float) -> None:
        """Take a source's payload on its way, at QoS 1; it leaves at the next `flush`. `now` is monotonic."""
        connection = self._connection
        assert connection is not None, "ask has_room() first"
        topic = source.topic
        if len(payload) + len(topic.head) + 16 > connection.maximum_packet:
            self._count_refusal(source, f"longer than the {connection.maximum_packet} bytes that the broker takes")
            return
        packet_id = self._window.add(source, len(payload), now)
        self._burst.append(connection.encode(topic.head, packet_id, payload, source.retain))

    def flush(self) -> None:
        """Send what was handed over since the last flush, in one go."""
        burst = self._burst
        if burst and self._connection is not None:
            self.settled.clear()
            self._connection.send(b"".join(burst))
            burst.clear()

    async def run(self) -> None:
        """Connect, and connect again, until `close`."""
        pause = FIRST_PAUSE
        while not self._closing.is_set():
            try:
                lasted = await self._keep_one_connection()
            except LinkDown as problem:
                self._complain(str(problem))
            else:
                pause = FIRST_PAUSE if lasted >= STABLE else pause
            pause = next_pause(pause, self._settings.reconnect_max, self._rng)
            await self._sleep(pause)

    def close(self) -> None:
        """Say goodbye to the broker and let `run` end."""
        self._closing.set()
        if self._connection is not None:
            self._connection.disconnect()

    async def _keep_one_connection(self) -> float:
        """Return how many seconds it lasted."""
        will = Will(self._status_topic, offline_payload(self._clock.wall(), "connection_lost"))
        connection = Connection(self._settings, self._client_id, will, self._acknowledged)
        await connection.open()
        began = self._clock.monotonic()
        self._begin(connection)
        try:
            reason = await self._wait_for_end(connection)
        finally:
            self._end(connection)
        if not self._closing.is_set():
            _log.warning("broker_lost", extra={"broker": self._url, "why": reason})
        return self._clock.monotonic() - began

    async def _wait_for_end(self, connection: Connection) -> str:
        while not self._closing.is_set():
            try:
                async with asyncio.timeout(_CHECK):
                    return await connection.lost()
            except TimeoutError:
                oldest = self._window.oldest
                if oldest is not None and self._clock.monotonic() - oldest > self._silence:
                    return f"a publish was not acknowledged within {self._silence:g} s"
        connection.disconnect()
        return "closed"

    def _begin(self, connection: Connection) -> None:
        self._window.open(connection.receive_maximum)
        self._connection = connection
        self._complaints.clear()
        self._counters.connected = True
        self._counters.connects += 1
        _log.info("broker_connected", extra={"broker": self._url, "mqtt": connection.version})
        if self._listener is not None:
            self._listener.connected()

    def _end(self, connection: Connection) -> None:
        connection.abort("let go")
        self._connection = None
        self._counters.connected = False
        self._burst.clear()
        left = self._window.open(0)
        self.settled.set()
        if self._listener is not None:
            self._listener.lost(left)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return

    def _acknowledged(self, acks: Sequence[Ack]) -> None:
        window, counters = self._window, self._counters
        for packet_id, code in acks:
            source = window.acknowledge(packet_id)
            if source is None:
                continue
            if code < REFUSED:
                counters.published += 1
            else:
                self._count_refusal(source, f"the broker refused it (reason {code}); check its access rules")
        if not len(window):
            self.settled.set()
        if self._listener is not None:
            self._listener.room()

    def _count_refusal(self, source: Source, why: str) -> None:
        topic = source.topic
        self._counters.refused += 1
        if self._listener is not None:
            self._listener.refused(source)
        if topic.kind not in self._complaints:
            self._complaints.add(topic.kind)
            _log.error("publish_refused", extra={"topic": topic.text, "why": why, "further": "only counted"})

    def _complain(self, problem: str) -> None:
        if problem not in self._complaints:
            self._complaints.add(problem)
            _log.warning("broker_connect_failed", extra={"why": problem, "then": "trying on"})


def next_pause(pause: float, longest: float, rng: random.Random) -> float:
    """Return the pause after this one: longer on average, and different in each of many gateways."""
    return min(longest, rng.uniform(FIRST_PAUSE, 3 * pause))
