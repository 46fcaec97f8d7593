"""CONNECT and SUBSCRIBE for commands, and what the broker answers. Pure.

OASIS MQTT 5.0 and 3.1.1, sections 3.1 (CONNECT), 3.2 (CONNACK), 3.8 (SUBSCRIBE) and 3.9 (SUBACK).
"""

from struct import Struct
from typing import Literal, NamedTuple, TypeAlias

from gateway.northbound.packet_stream import Malformed, Packet, read_length, read_word
from gateway.northbound.packets import remaining_length, topic_head

Version: TypeAlias = Literal["5", "3.1.1"]

CONNACK, SUBACK, DISCONNECT = 2, 9, 14
REFUSED = 128
"""The first reason code that is a failure."""
PING = b"\xc0\x00"
GOODBYE = b"\xe0\x00"
SUBSCRIPTION = 1
"""The packet identifier of the one subscription."""

_LEVEL = {"5": 5, "3.1.1": 4}
_CLEAN_START, _PASSWORD, _USER_NAME = 0x02, 0x40, 0x80
_NO_SESSION_LEFT = b"\x11\x00\x00\x00\x00"
"""Session expiry 0: what is sent while we are away is lost."""
_RECEIVE_MAXIMUM = Struct("!BH")
_AT_LEAST_ONCE, _RETAIN_AS_PUBLISHED = 0x01, 0x08
_OLD_CODES = {1: 132, 2: 133, 3: 136, 4: 134, 5: 135}
"""Return codes of 3.1.1 as reason codes of 5."""
_SERVER_KEEP_ALIVE = 0x13
_WIDTHS = {0x11: 4, 0x13: 2, 0x21: 2, 0x22: 2, 0x24: 1, 0x25: 1, 0x27: 4, 0x28: 1, 0x29: 1, 0x2A: 1}
_TEXTS = {0x12: 1, 0x15: 1, 0x16: 1, 0x1A: 1, 0x1C: 1, 0x1F: 1, 0x26: 2}
"""How many strings make up the property."""


class Answer(NamedTuple):
    """A CONNACK."""

    code: int
    """A reason code of MQTT 5, also where the broker speaks 3.1.1."""
    keep_alive: int | None = None
    """Seconds, where the broker wants others than we asked for."""


def connect_packet(
    version: Version,
    client_id: str,
    keep_alive: int,
    login: tuple[str, str | None] | None,
    receive_maximum: int,
) -> bytes:
    """Return a CONNECT that leaves nothing behind. Login: user name and password. Keep alive: seconds."""
    flags, texts = _CLEAN_START, [client_id]
    if login is not None:
        name, password = login
        flags |= _USER_NAME if password is None else _USER_NAME | _PASSWORD
        texts += [name] if password is None else [name, password]
    head = topic_head("MQTT") + bytes((_LEVEL[version], flags)) + keep_alive.to_bytes(2)
    if version == "5":
        properties = _NO_SESSION_LEFT + _RECEIVE_MAXIMUM.pack(0x21, receive_maximum)
        head += remaining_length(len(properties)) + properties
    return _packet(0x10, head + b"".join(map(topic_head, texts)))


def subscribe_packet(version: Version, pattern: str) -> bytes:
    """Return a SUBSCRIBE at QoS 1; in MQTT 5 the messages keep their retain flag."""
    options = _AT_LEAST_ONCE | _RETAIN_AS_PUBLISHED if version == "5" else _AT_LEAST_ONCE
    no_properties = b"\x00" if version == "5" else b""
    return _packet(0x82, SUBSCRIPTION.to_bytes(2) + no_properties + topic_head(pattern) + bytes((options,)))


def puback_packet(packet_id: int) -> bytes:
    """Return the PUBACK that says that a message was taken."""
    return b"\x40\x02" + packet_id.to_bytes(2)


def clear_packet(version: Version, topic: str) -> bytes:
    """Return a PUBLISH at QoS 0 that takes a retained message from its topic."""
    return _packet(0x31, topic_head(topic) + (b"\x00" if version == "5" else b""))


def read_connack(packet: Packet) -> Answer:
    """Return the broker's answer to CONNECT. Raises Malformed."""
    body = packet.body
    if packet.kind != CONNACK:
        raise Malformed(f"a packet of type {packet.kind} before CONNACK")
    code = read_word(body, 0) & 0xFF
    if code:
        return Answer(_OLD_CODES.get(code, max(code, REFUSED)))
    return Answer(0, _find_keep_alive(body) if len(body) > 2 else None)


def read_suback(packet: Packet, version: Version) -> int:
    """Return the reason code of the one subscription. Raises Malformed."""
    start = 2
    if version == "5":
        length, start = read_length(packet.body, start)
        start += length
    if start >= len(packet.body):
        raise Malformed("a SUBACK without a code")
    return packet.body[start]


def _find_keep_alive(body: bytes) -> int | None:
    """Go through the properties of CONNACK."""
    length, place = read_length(body, 2)
    end = place + length
    while place < end:
        key = body[place] if place < len(body) else 0
        place += 1
        if key == _SERVER_KEEP_ALIVE:
            return read_word(body, place)
        if key not in _WIDTHS and key not in _TEXTS:
            raise Malformed(f"a CONNACK with property {key}")
        place += _WIDTHS.get(key, 0)
        for _ in range(_TEXTS.get(key, 0)):
            place += 2 + read_word(body, place)
    return None


def _packet(first: int, body: bytes) -> bytes:
    return bytes((first,)) + remaining_length(len(body)) + body
