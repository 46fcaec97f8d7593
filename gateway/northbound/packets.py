"""The two MQTT packets that come by the thousand: PUBLISH at QoS 1, and the PUBACK that answers it. Pure.

OASIS MQTT 5.0 and 3.1.1, sections 2 (fixed header), 3.3 (PUBLISH) and 3.4 (PUBACK).
"""

from collections.abc import Callable
from struct import Struct
from typing import TypeAlias

Ack: TypeAlias = tuple[int, int]
"""A packet identifier and the reason code that the broker gave it; 128 and above is a refusal."""

Encoder: TypeAlias = Callable[[bytes, int, bytes, bool], bytes]
"""Topic head, packet identifier, payload, retain -> the packet."""

REFUSED = 128

_PUBACK = 0x40
_PUBLISH_QOS_1 = 0x32
_RETAIN = 0x01
_LONGEST_ACK = 65_535
"""A PUBACK may hold its reason in words; one that claims to be longer is left to paho."""
_ENDLESS = 1 << 62
_LENGTH = Struct("!H")
_NO_PROPERTIES = Struct("!HB")


def topic_head(topic: str) -> bytes:
    """Return the topic as a PUBLISH carries it: length, then UTF-8."""
    name = topic.encode()
    return _LENGTH.pack(len(name)) + name


def encode_v5(head: bytes, packet_id: int, payload: bytes, retain: bool) -> bytes:  # noqa: FBT001  (an Encoder)
    """Return a PUBLISH of MQTT 5 at QoS 1, without properties."""
    first = _PUBLISH_QOS_1 | _RETAIN if retain else _PUBLISH_QOS_1
    size = remaining_length(len(head) + 3 + len(payload))
    return b"%c%b%b%b%b" % (first, size, head, _NO_PROPERTIES.pack(packet_id, 0), payload)


def encode_v311(head: bytes, packet_id: int, payload: bytes, retain: bool) -> bytes:  # noqa: FBT001  (an Encoder)
    """Return a PUBLISH of MQTT 3.1.1 at QoS 1."""
    first = _PUBLISH_QOS_1 | _RETAIN if retain else _PUBLISH_QOS_1
    size = remaining_length(len(head) + 2 + len(payload))
    return b"%c%b%b%b%b" % (first, size, head, _LENGTH.pack(packet_id), payload)


class AckSieve:
    """Takes the PUBACKs out of what the broker sends, in pieces of any size; all else passes, in order."""

    __slots__ = ("_foreign", "_piece")

    def __init__(self) -> None:
        self._piece = b""
        """The beginning of a packet that cannot be told apart yet, or of a PUBACK; at most a few bytes."""
        self._foreign = 0
        """How many bytes of a packet that is no PUBACK are still to pass."""

    def sift(self, data: bytes) -> tuple[list[Ack], bytes]:
        """Return the PUBACKs that are complete now, and the bytes that are none of ours."""
        acks: list[Ack] = []
        passed: list[bytes] = []
        data = self._piece + data
        self._piece = b""
        position = 0
        while position < len(data):
            if self._foreign:
                passed.append(data[position : position + self._foreign])
                self._foreign -= len(passed[-1])
                position += len(passed[-1])
                continue
            packet = _find_packet(data, position)
            if packet is None:
                self._piece = data[position:]
                break
            body, after = packet
            if data[position] != _PUBACK or not 2 <= after - body <= _LONGEST_ACK:
                self._foreign = after - position
            elif after > len(data):
                self._piece = data[position:]
                break
            else:
                acks.append((data[body] << 8 | data[body + 1], data[body + 2] if after - body > 2 else 0))
                position = after
        return acks, b"".join(passed)


def _find_packet(data: bytes, start: int) -> tuple[int, int] | None:
    """Return where the packet's body begins and ends (maybe beyond the data); None while that is not known."""
    length = 0
    for count, byte in enumerate(data[start + 1 : start + 5]):
        length |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            body = start + 2 + count
            return body, body + length
    if len(data) - start < 5:
        return None
    return start, start + _ENDLESS  # no length at all: paho finds out, and ends the connection


def remaining_length(size: int) -> bytes:
    """Return a length as a fixed header carries it."""
    if size < 0x80:
        return b"%c" % size
    if size < 0x4000:
        return b"%c%c" % (size & 0x7F | 0x80, size >> 7)
    digits = bytearray()
    while size > 0x7F:
        digits.append(size & 0x7F | 0x80)
        size >>= 7
    digits.append(size)
    return bytes(digits)
