"""What a broker sends, packet by packet, in bounded memory whatever it sends. Pure.

OASIS MQTT 5.0 and 3.1.1, sections 2.1 (fixed header) and 3.3 (PUBLISH).
"""

from typing import NamedTuple

PUBLISH = 3
"""The type of a packet: the upper half of its first byte."""
KEPT = 98_304
"""Bytes of one packet that are kept: the longest topic, the longest payload that counts, and some properties."""
_LONGEST_HEADER = 5


class Malformed(ValueError):
    """No MQTT; the text says what is wrong, in a few words."""


class Packet(NamedTuple):
    """One packet."""

    first: int
    body: bytes
    """What follows its length; of a longer one the first KEPT bytes."""
    size: int
    """How long the body really was."""

    @property
    def kind(self) -> int:
        """The type of the packet."""
        return self.first >> 4


class Publish(NamedTuple):
    """A message."""

    topic: str
    payload: bytes
    retained: bool
    packet_id: int
    """To be acknowledged; 0 at QoS 0, where nothing is."""


class PacketStream:
    """Cuts the bytes of one connection into packets; they may come in pieces of any size."""

    __slots__ = ("_body", "_header", "_missing", "_size")

    def __init__(self) -> None:
        self._header = bytearray()
        self._body = bytearray()
        self._size = 0
        self._missing = -1
        """Bytes of the body that are still to come; -1 while its length is not known."""

    def feed(self, data: bytes) -> list[Packet]:
        """Return the packets that are complete now. Raises Malformed."""
        packets: list[Packet] = []
        position = 0
        while position < len(data):
            if self._missing < 0:
                self._header.append(data[position])
                position += 1
                self._read_length()
            else:
                piece = data[position : position + self._missing]
                position += len(piece)
                self._missing -= len(piece)
                self._body += piece[: KEPT - len(self._body)]
            if not self._missing:
                packets.append(self._end())
        return packets

    def _read_length(self) -> None:
        header = self._header
        if len(header) == 1 or (header[-1] & 0x80 and len(header) < _LONGEST_HEADER):
            return
        if header[-1] & 0x80:
            raise Malformed("a packet without a length")
        self._size = self._missing = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(header[1:]))

    def _end(self) -> Packet:
        packet = Packet(self._header[0], bytes(self._body), self._size)
        self._header.clear()
        self._body.clear()
        self._missing = -1
        return packet


def decode_publish(packet: Packet, *, has_properties: bool, longest: int) -> Publish:
    """Return the message in a PUBLISH; of a payload over `longest` bytes, so many and one. Raises Malformed.

    `has_properties`: in MQTT 5. A topic that is no UTF-8 gets replacement characters.
    """
    first, body, size = packet
    qos = first >> 1 & 0x03
    if qos > 1:
        raise Malformed(f"a message at QoS {qos}, and 1 was asked for")
    name_end = 2 + read_word(body, 0)
    packet_id = read_word(body, name_end) if qos else 0
    start = name_end + 2 * qos
    if has_properties:
        length, start = read_length(body, start)
        start += length
    if start > size or (qos and not packet_id):
        raise Malformed("a message that ends in its head")
    payload = body[start : start + longest + 1]
    if size > len(body):  # what was not kept counts as too long, however much of it was head
        payload = payload.ljust(longest + 1, b"\0")
    return Publish(body[2:name_end].decode("utf-8", "replace"), payload, bool(first & 0x01), packet_id)


def read_word(body: bytes, place: int) -> int:
    """Return the two bytes at the place. Raises Malformed."""
    if len(body) < place + 2:
        raise Malformed("a packet that is too short")
    return body[place] << 8 | body[place + 1]


def read_length(body: bytes, place: int) -> tuple[int, int]:
    """Return the variable byte integer at the place, and where it ends. Raises Malformed."""
    length = 0
    for count, byte in enumerate(body[place : place + 4]):
        length |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            return length, place + count + 1
    raise Malformed("a length without an end")
