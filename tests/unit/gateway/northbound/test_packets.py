"""PUBLISH and PUBACK on the wire; paho's own decoder judges what we encode."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt import _packet as paho
from paho.mqtt.enums import MQTTProtocolVersion

from gateway.northbound.packets import Ack, AckSieve, Encoder, encode_v5, encode_v311, topic_head

topics = st.text(st.characters(exclude_characters="+#\0", exclude_categories=["Cs"]), min_size=1, max_size=60)
payloads = st.binary(max_size=300) | st.integers(16_000, 17_000).map(bytes) | st.just(bytes(2_100_000))


def length_of(size: int) -> bytes:
    """The remaining length as the standard's own pseudo code makes it."""
    digits = bytearray()
    while True:
        digits.append(size % 128 | (128 if size >= 128 else 0))
        size //= 128
        if not size:
            return bytes(digits)


@pytest.mark.parametrize(
    ("encode", "version"), [(encode_v5, MQTTProtocolVersion.MQTTv5), (encode_v311, MQTTProtocolVersion.MQTTv311)]
)
@given(topic=topics, packet_id=st.integers(1, 65_535), payload=payloads, retain=st.booleans())
def test_a_publish_is_what_paho_understands(
    encode: Encoder,
    version: MQTTProtocolVersion,
    topic: str,
    packet_id: int,
    payload: bytes,
    retain: bool,  # noqa: FBT001  (drawn by name)
) -> None:
    packet = encode(topic_head(topic), packet_id, payload, retain)
    body_size = len(topic.encode()) + len(payload) + (5 if version is MQTTProtocolVersion.MQTTv5 else 4)
    size = length_of(body_size)
    assert packet[1 : 1 + len(size)] == size
    assert len(packet) == 1 + len(size) + body_size
    read = paho.decode_publish(packet[0], packet[1 + len(size) :], version)
    assert (read.topic.decode(), read.mid, read.payload) == (topic, packet_id, payload)
    assert (read.qos, read.retain, read.dup) == (1, retain, False)


acks = st.tuples(st.integers(1, 65_535), st.sampled_from([0, 16, 128, 135, 151]))


def puback(ack: Ack, shape: int) -> bytes:
    """A PUBACK without a code, with one, with empty properties, or with a reason in words."""
    packet_id, code = ack
    head = packet_id.to_bytes(2, "big")
    words = b"\x1f\x00\xc8" + b"x" * 200
    bodies = (head, head + bytes((code,)), head + bytes((code, 0)), head + bytes((code,)) + length_of(203) + words)
    body = bodies[max(shape, 1) if code else shape]
    return b"\x40" + length_of(len(body)) + body


foreign = st.sampled_from([0x20, 0x30, 0x32, 0x50, 0x90, 0xD0, 0xE0]).flatmap(
    lambda first: st.binary(max_size=200).map(lambda body: bytes((first,)) + length_of(len(body)) + body)
)
frames = st.lists(st.tuples(acks, st.integers(0, 3)) | foreign, max_size=12)


@given(frames=frames, cuts=st.lists(st.integers(0, 4000), max_size=20))
def test_acknowledgements_are_sifted_out_wherever_the_stream_is_cut(
    frames: list[tuple[Ack, int] | bytes], cuts: list[int]
) -> None:
    stream = b"".join(frame if isinstance(frame, bytes) else puback(*frame) for frame in frames)
    sieve, found, passed = AckSieve(), [], b""
    for begin, end in pairwise(sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})):
        some, rest = sieve.sift(stream[begin:end])
        found += some
        passed += rest
    assert found == [frame[0] for frame in frames if not isinstance(frame, bytes)]
    assert passed == b"".join(frame for frame in frames if isinstance(frame, bytes))


@given(st.binary(max_size=400))
def test_garbage_passes_or_waits_and_never_raises(data: bytes) -> None:
    sieve = AckSieve()
    _, passed = sieve.sift(data)
    assert len(passed) <= len(data)


def test_a_length_without_end_is_left_to_paho() -> None:
    sieve = AckSieve()
    assert sieve.sift(b"\x40\xff\xff\xff\xff\xff\x40\x02\x00\x01") == ([], b"\x40\xff\xff\xff\xff\xff\x40\x02\x00\x01")


def test_an_acknowledgement_that_claims_to_be_huge_is_not_collected() -> None:
    sieve = AckSieve()
    huge = b"\x40\xff\xff\xff\x7f"
    assert sieve.sift(huge) == ([], huge)
    assert sieve.sift(b"x" * 1000) == ([], b"x" * 1000)
