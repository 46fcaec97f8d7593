"""amqtt as the embedded broker, with two of its faults kept from clients: the only file that knows amqtt.

It runs in a process of its own, started by `embedded`.
"""

import asyncio
import contextlib
import logging
import os
import sys
from typing import Any

from amqtt.adapters import ReaderAdapter, StreamWriterAdapter  # type: ignore[import-untyped]
from amqtt.broker import Broker  # type: ignore[import-untyped]

from gateway.northbound.embedded import READY

LAST_WORDS = 0.5
"""Seconds for which what was acknowledged is still passed on, once the gateway has gone."""
_LISTENER = "default"
_MQTT_3_1_1 = 4
_REFUSE_VERSION = b"\x20\x02\x00\x01"
"""CONNACK: unacceptable protocol version (MQTT 3.1.1, 3.2.2.3)."""
_LONGEST_CONNECT = 65_536
_PATIENCE = 10.0


async def serve(host: str, port: int) -> None:
    """Serve until standard input ends; the first line on standard output says `ready`, or why not."""
    logging.disable(logging.CRITICAL)  # amqtt warns of every client that leaves
    broker = _Broker(
        {
            "listeners": {_LISTENER: {"type": "external", "bind": "ours"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await broker.start()
    try:
        server = await asyncio.start_server(broker.welcome, host, port)
    except OSError as fault:
        _say(f"cannot listen at {host}:{port}: {os.strerror(fault.errno or 0)}")
        return
    _say(READY)
    async with server:
        await _end_of_input()
        # amqtt acknowledges a message before it passes it on: the gateway's last one is still on its way.
        await asyncio.sleep(LAST_WORDS)


class _Broker(Broker):  # type: ignore[misc]  # amqtt has no types
    async def welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let in who speaks MQTT 3.1.1, and tell others that it is spoken here.

        amqtt would read the CONNECT of MQTT 5 as one of 3.1.1: with a will or a login it waits for ever.
        """
        try:
            async with asyncio.timeout(_PATIENCE):
                connect, version = await _read_connect(reader)
        except (TimeoutError, EOFError, OSError, ValueError):
            writer.close()
            return
        if version == _MQTT_3_1_1:
            await self.external_connected(_Replayed(connect, reader), StreamWriterAdapter(writer), _LISTENER)
            return
        writer.write(_REFUSE_VERSION)
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()

    async def _publish_retained_messages_for_subscription(self, subscription: tuple[str, int], session: Any) -> None:  # noqa: ANN401  (amqtt's)
        # amqtt also hands every new client what others have subscribed to.
        held = self._subscriptions.get(subscription[0], ())
        if any(holder.client_id == session.client_id for holder, _ in held):
            await super()._publish_retained_messages_for_subscription(subscription, session)


class _Replayed(ReaderAdapter):  # type: ignore[misc]  # amqtt has no types
    """A connection whose first packet was read already."""

    def __init__(self, first: bytes, reader: asyncio.StreamReader) -> None:
        self._first = first
        self._reader = reader

    async def read(self, n: int = -1) -> bytes:
        if self._first:
            piece, self._first = self._first[:n], self._first[n:]
            return piece
        return await self._reader.readexactly(n)

    def feed_eof(self) -> None:
        self._reader.feed_eof()


async def _read_connect(reader: asyncio.StreamReader) -> tuple[bytes, int]:
    """Return the CONNECT packet and the protocol's version in it. Raises ValueError where it is none."""
    packet = bytearray(await reader.readexactly(2))
    length, place = packet[1] & 0x7F, 7
    while packet[-1] & 0x80:
        packet += await reader.readexactly(1)
        length |= (packet[-1] & 0x7F) << place
        place += 7
        if place > 28:
            raise ValueError("no MQTT")
    if packet[0] != 0x10 or not 10 <= length <= _LONGEST_CONNECT:
        raise ValueError("no CONNECT")
    body = await reader.readexactly(length)
    if not body.startswith(b"\0\4MQTT"):
        raise ValueError("no MQTT that we know")
    return bytes(packet) + body, body[6]


async def _end_of_input() -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), lambda: None if os.read(sys.stdin.fileno(), 4096) else ended.set())
    await ended.wait()
    loop.remove_reader(sys.stdin.fileno())


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
