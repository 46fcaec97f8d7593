"""The connection on which commands come in: opened once, and read a few at a time.

It is no part of the publishing link, so that a flood of commands holds up no value and no status. It is not paho's
either: paho keeps a message of any size, and reads as much in one turn of the loop as there is.
"""

import asyncio
from collections.abc import AsyncGenerator
from math import ceil, inf

from gateway.control.json_strict import MAX_BYTES
from gateway.errors import SettingsError
from gateway.northbound.faults import UNSUPPORTED_VERSION, ConnectRefused, LinkDown, explain
from gateway.northbound.greeting import (
    DISCONNECT,
    GOODBYE,
    PING,
    REFUSED,
    SUBACK,
    Answer,
    Version,
    clear_packet,
    connect_packet,
    puback_packet,
    read_connack,
    read_suback,
    subscribe_packet,
)
from gateway.northbound.packet_stream import PUBLISH, Malformed, Packet, PacketStream, Publish, decode_publish
from gateway.northbound.session import explain_connack
from gateway.northbound.settings import MqttSettings
from gateway.northbound.tls import tls_context
from gateway.northbound.wire import CONNECT_TIMEOUT

RECEIVE_MAXIMUM = 20
"""Commands at QoS 1 that the broker may send before the first is taken; the others wait with it. Nothing rests on it:
Mosquitto 2.0.11 sends 20 more for every one that is acknowledged."""
_READ = 8192
"""Bytes cut into packets in one turn of the loop: half a millisecond of it."""
_AHEAD = 524_288
"""Bytes that may be here and not cut yet; twice as many for moments."""
BEHIND = 1.0
"""Seconds for which there may always be more to read."""
_GOODBYE = 1.0


class CommandLink:
    """One connection, from CONNECT to its end."""

    def __init__(self, settings: MqttSettings, client_id: str, pattern: str) -> None:
        """Pattern: what to subscribe to."""
        self._settings = settings
        self._address = settings.address
        self._client_id = client_id
        self._pattern = pattern
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None
        self._stream = PacketStream()
        self._early: list[Packet] = []
        self._patience: float | None = None
        self._behind_since = inf
        """Since when there has always been more to read, on the loop's clock."""
        self._ping: asyncio.TimerHandle | None = None
        self.version: Version = "5"
        self.subscribed = False
        """That commands come in, as far as the broker says."""
        self.flooded = False
        """That more came than could be read for a while. The connection is to be renewed: Mosquitto, once its row of
        packets is full, drops messages at QoS 1 too, and counts them as on their way for as long as the connection
        lasts; after RECEIVE_MAXIMUM of them no such command would come in any more."""

    async def open(self) -> None:
        """Connect with MQTT 5, with 3.1.1 where the broker knows nothing newer, and ask for commands.

        Raises LinkDown.
        """
        try:
            await self._open("5")
        except ConnectRefused as refusal:
            if refusal.code != UNSUPPORTED_VERSION:
                raise
            await self._open("3.1.1")

    async def received(self) -> AsyncGenerator[Publish, None]:
        """Yield the messages as they are asked for, until `flooded`. Raises LinkDown once the connection has ended."""
        has_properties, time = self.version == "5", asyncio.get_running_loop().time
        try:
            while not self.flooded:
                for packet in await self._read_some():
                    if packet.kind == PUBLISH:
                        began = time()
                        yield decode_publish(packet, has_properties=has_properties, longest=MAX_BYTES)
                        self._behind_since += time() - began  # what others take their time for is no flood
                    elif packet.kind == SUBACK:
                        self._note_subscription(packet)
                    elif packet.kind == DISCONNECT:
                        code = packet.body[0] if packet.body else 0
                        raise LinkDown(f"{self._address.url}: the broker ended the session (reason {code})")
        except Malformed as problem:
            raise LinkDown(self._no_mqtt(problem)) from problem

    def acknowledge(self, packet_id: int) -> None:
        """Tell the broker that a message was taken: it may send the next. Identifier 0, at QoS 0: nothing."""
        if packet_id:
            self._send(puback_packet(packet_id))

    def clear(self, topic: str) -> None:
        """Take a retained message from its topic."""
        self._send(clear_packet(self.version, topic))

    async def close(self) -> None:
        """Say goodbye where there is still somebody, and let go."""
        writer = self._writer
        try:
            if writer is not None and not writer.is_closing():
                self._send(GOODBYE)
                writer.close()
                async with asyncio.timeout(_GOODBYE):
                    await writer.wait_closed()
        except (OSError, TimeoutError):
            return
        finally:
            self._abort()

    async def _open(self, version: Version) -> None:
        self.version, url, answer = version, self._address.url, None
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await self._connect()
                answer = await self._greet()
        except TimeoutError:
            raise LinkDown(f"{url}: no answer to CONNECT within {CONNECT_TIMEOUT:g} s") from None
        except Malformed as problem:
            raise LinkDown(self._no_mqtt(problem)) from problem
        finally:
            if answer is None or answer.code:
                self._abort()
        if answer.code:
            raise ConnectRefused(self._address, explain_connack(answer.code), answer.code)
        self._send(subscribe_packet(version, self._pattern))
        self._keep_alive(answer.keep_alive or self._settings.keepalive)

    async def _connect(self) -> None:
        address = self._address
        try:
            context = await asyncio.to_thread(tls_context, self._settings.tls) if address.encrypted else None
            self._reader, self._writer = await asyncio.open_connection(
                address.host, address.port, ssl=context, limit=_AHEAD
            )
        except SettingsError as problem:  # a file that was there at the start
            raise LinkDown(str(problem)) from problem
        except UnicodeError as problem:
            raise LinkDown(f"{address.url}: the host name is none") from problem
        except OSError as fault:
            raise LinkDown(f"{address.url}: {explain(fault, address)}") from fault

    async def _greet(self) -> Answer:
        settings = self._settings
        login = None if settings.username is None else (settings.username, settings.password)
        self._stream = PacketStream()
        self._send(connect_packet(self.version, self._client_id, ceil(settings.keepalive), login, RECEIVE_MAXIMUM))
        packets: list[Packet] = []
        while not packets:
            packets = await self._read_some()
        first, *self._early = packets
        return read_connack(first)

    async def _read_some(self) -> list[Packet]:
        """Return what came, perhaps nothing. The patience counts only here: who is not read cannot be heard."""
        if self._early:
            early, self._early = self._early, []
            return early
        address = self._address
        await asyncio.sleep(0)  # what is here already would be read without giving the loop its turn
        try:
            async with asyncio.timeout(self._patience):
                if self._writer is not None:
                    await self._writer.drain()
                data = await self._reader.read(_READ)
        except TimeoutError:
            raise LinkDown(f"{address.url}: the broker stopped answering") from None
        except OSError as fault:
            raise LinkDown(f"{address.url}: {explain(fault, address)}") from fault
        if not data:
            raise LinkDown(f"{address.url}: the broker closed the connection")
        self.flooded = self._is_behind(len(data))
        return self._stream.feed(data)

    def _is_behind(self, length: int) -> bool:
        """Tell whether there was always more to read for longer than BEHIND, and now all of it has been read."""
        now = asyncio.get_running_loop().time()
        if length == _READ:
            self._behind_since = min(self._behind_since, now)
            return False
        since, self._behind_since = self._behind_since, inf
        return now - since > BEHIND

    def _note_subscription(self, packet: Packet) -> None:
        code = read_suback(packet, self.version)
        if code >= REFUSED:
            url = self._address.url
            raise LinkDown(f"{url}: the broker refuses to subscribe to {self._pattern} (reason {code})")
        self.subscribed = True

    def _keep_alive(self, seconds: float) -> None:
        """Ping twice in the time after which the broker would give us up; believe in it for two such times."""
        self._patience = 2 * seconds
        loop = asyncio.get_running_loop()

        def ping() -> None:
            self._send(PING)
            self._ping = loop.call_later(seconds / 2, ping)

        self._ping = loop.call_later(seconds / 2, ping)

    def _abort(self) -> None:
        if self._ping is not None:
            self._ping.cancel()
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None

    def _send(self, packet: bytes) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(packet)

    def _no_mqtt(self, problem: Malformed) -> str:
        return f"{self._address.url}: the broker sent what is no MQTT: {problem}"
