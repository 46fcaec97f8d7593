"""Packets from the broker: cut right at every border, in bounded memory, and nothing is guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.northbound.packet_stream import KEPT, Malformed, Packet, PacketStream, Publish, decode_publish
from gateway.northbound.packets import encode_v5, encode_v311, remaining_length, topic_head

LONGEST = 16


def packet(first: int, body: bytes) -> bytes:
    return bytes((first,)) + remaining_length(len(body)) + body


def cut(data: bytes, places: list[int]) -> list[Packet]:
    """Feed the data in pieces that end at the places."""
    stream, found, begin = PacketStream(), [], 0
    for end in [*sorted(place % (len(data) + 1) for place in places), len(data)]:
        found += stream.feed(data[begin:end])
        begin = end
    return found


@given(
    st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=300)), max_size=8),
    st.lists(st.integers(0, 10_000), max_size=8),
)
def test_packets_are_the_same_however_the_bytes_come(sent: list[tuple[int, bytes]], places: list[int]) -> None:
    data = b"".join(packet(first, body) for first, body in sent)
    assert cut(data, places) == [Packet(first, body, len(body)) for first, body in sent]


def test_of_an_endless_packet_only_the_beginning_is_kept_and_the_next_is_found() -> None:
    stream, found = PacketStream(), []
    data = packet(0x30, topic_head("t") + bytes(3_000_000)) + b"\xd0\x00"
    for place in range(0, len(data), 8192):
        found += stream.feed(data[place : place + 8192])
        assert len(stream._body) <= KEPT
    assert [(each.first, len(each.body), each.size) for each in found] == [(0x30, KEPT, 3_000_003), (0xD0, 0, 0)]


@given(st.lists(st.integers(0, 255), min_size=5, max_size=20).map(bytes))
def test_any_bytes_are_packets_or_malformed(data: bytes) -> None:
    try:
        packets = PacketStream().feed(data)
    except Malformed:
        return
    for each in packets:
        for has_properties in (True, False):
            try:
                message = decode_publish(each, has_properties=has_properties, longest=LONGEST)
            except Malformed:
                continue
            assert len(message.payload) <= LONGEST + 1


def test_a_length_of_five_bytes_is_malformed() -> None:
    with pytest.raises(Malformed, match="without a length"):
        PacketStream().feed(b"\x30\xff\xff\xff\xff\x01")


@given(
    topic=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    payload=st.binary(max_size=2 * LONGEST),
    packet_id=st.integers(1, 65_535),
    retain=st.booleans(),
    is_v5=st.booleans(),
)
def test_a_message_is_what_was_published_and_at_most_one_byte_too_long(
    *, topic: str, payload: bytes, packet_id: int, retain: bool, is_v5: bool
) -> None:
    encode = encode_v5 if is_v5 else encode_v311
    [found] = PacketStream().feed(encode(topic_head(topic), packet_id, payload, retain))
    message = decode_publish(found, has_properties=is_v5, longest=LONGEST)
    assert message == Publish(topic, payload[: LONGEST + 1], retain, packet_id)


def test_a_message_at_qos_0_has_no_identifier_and_properties_are_skipped() -> None:
    [found] = PacketStream().feed(packet(0x30, topic_head("t") + b"\x02\x01\x01" + b"payload"))
    assert decode_publish(found, has_properties=True, longest=LONGEST) == Publish("t", b"payload", False, 0)  # noqa: FBT003  (its retain flag)


def test_a_message_with_more_head_than_is_kept_counts_as_too_long() -> None:
    properties = remaining_length(2 * KEPT) + bytes(2 * KEPT)
    [found] = PacketStream().feed(packet(0x30, topic_head("t") + properties + b"x"))
    message = decode_publish(found, has_properties=True, longest=LONGEST)
    assert (message.topic, len(message.payload)) == ("t", LONGEST + 1)


@pytest.mark.parametrize(
    ("first", "body", "why"),
    [
        (0x30, b"\x00", "too short"),
        (0x30, b"\x00\x09topic", "without an end"),
        (0x32, b"\x00\x01t\x00", "too short"),
        (0x32, b"\x00\x01t\x00\x00\x00", "in its head"),
        (0x30, b"\x00\x01t", "without an end"),
        (0x30, b"\x00\x01t\xff\xff\xff\xff", "without an end"),
        (0x30, b"\x00\x01t\x05x", "in its head"),
        (0x34, b"\x00\x01t\x00\x01\x00", "QoS 2"),
        (0x36, b"\x00\x01t\x00\x01\x00", "QoS 3"),
    ],
)
def test_what_is_no_message_is_malformed(first: int, body: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        decode_publish(Packet(first, body, len(body)), has_properties=True, longest=LONGEST)


def test_a_topic_that_is_no_utf_8_is_told_with_replacements() -> None:
    message = decode_publish(Packet(0x30, b"\x00\x02\xff/\x00", 5), has_properties=True, longest=LONGEST)
    assert message.topic == "\ufffd/"
