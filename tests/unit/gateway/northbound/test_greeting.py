"""CONNECT and SUBSCRIBE to the byte, and every answer a broker may give."""

import pytest

from gateway.northbound.greeting import (
    Answer,
    Version,
    clear_packet,
    connect_packet,
    puback_packet,
    read_connack,
    read_suback,
    subscribe_packet,
)
from gateway.northbound.packet_stream import Malformed, Packet


def test_connect_leaves_no_session_behind_and_says_how_much_it_takes() -> None:
    assert connect_packet("5", "gw", 10, None, 20) == (
        b"\x10\x17\x00\x04MQTT\x05\x02\x00\x0a\x08\x11\x00\x00\x00\x00\x21\x00\x14\x00\x02gw"
    )
    assert connect_packet("3.1.1", "gw", 10, None, 20) == b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x0a\x00\x02gw"


def test_connect_carries_a_login() -> None:
    with_password = connect_packet("3.1.1", "gw", 10, ("me", "secret"), 20)
    assert with_password[9] == 0xC2
    assert with_password.endswith(b"\x00\x02gw\x00\x02me\x00\x06secret")
    without = connect_packet("3.1.1", "gw", 10, ("me", None), 20)
    assert without[9] == 0x82
    assert without.endswith(b"\x00\x02gw\x00\x02me")


def test_subscribe_asks_for_qos_1_and_for_the_retain_flag_where_it_can() -> None:
    assert subscribe_packet("5", "c/#") == b"\x82\x09\x00\x01\x00\x00\x03c/#\x09"
    assert subscribe_packet("3.1.1", "c/#") == b"\x82\x08\x00\x01\x00\x03c/#\x01"


def test_a_message_is_acknowledged_and_a_retained_one_cleared() -> None:
    assert puback_packet(0x0102) == b"\x40\x02\x01\x02"
    assert clear_packet("5", "c") == b"\x31\x04\x00\x01c\x00"
    assert clear_packet("3.1.1", "c") == b"\x31\x03\x00\x01c"


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"\x00\x00", Answer(0)),
        (b"\x00\x00\x00", Answer(0)),
        (b"\x00\x00\x03\x13\x00\x1e", Answer(0, 30)),
        (b"\x00\x00\x0d\x21\x00\x14\x1f\x00\x02hi\x25\x01\x22\x00\x05", Answer(0)),
        (b"\x00\x00\x0d\x26\x00\x01a\x00\x01b\x24\x01\x13\x00\x05\x00", Answer(0, 5)),
        (b"\x00\x01", Answer(132)),
        (b"\x00\x04", Answer(134)),
        (b"\x00\x05", Answer(135)),
        (b"\x00\x84\x00", Answer(132)),
        (b"\x00\x87\x00", Answer(135)),
        (b"\x00\x07", Answer(128)),
    ],
    ids=[
        "3.1.1", "5", "keep alive", "other properties", "keep alive behind others", "old version", "old login",
        "old rights", "version", "rights", "nonsense",
    ],
)  # fmt: skip
def test_the_answer_to_connect_is_read_in_both_versions(body: bytes, answer: Answer) -> None:
    assert read_connack(Packet(0x20, body, len(body))) == answer


@pytest.mark.parametrize(
    "packet",
    [
        Packet(0x30, b"\x00\x00", 2),
        Packet(0x20, b"\x00", 1),
        Packet(0x20, b"\x00\x00\x02\x77\x00", 5),
        Packet(0x20, b"\x00\x00\x05\x1f\x00", 5),
        Packet(0x20, b"\x00\x00\x05", 3),
    ],
    ids=["another packet", "too short", "unknown property", "a text that is cut off", "properties that are not there"],
)
def test_what_is_no_answer_is_malformed(packet: Packet) -> None:
    with pytest.raises(Malformed):
        read_connack(packet)


@pytest.mark.parametrize(
    ("version", "body", "code"),
    [("5", b"\x00\x01\x00\x01", 1), ("5", b"\x00\x01\x02\x1f\x00\x87", 135), ("3.1.1", b"\x00\x01\x80", 128)],
)
def test_the_code_of_the_subscription_is_read(version: Version, body: bytes, code: int) -> None:
    assert read_suback(Packet(0x90, body, len(body)), version) == code


def test_a_suback_without_a_code_is_malformed() -> None:
    with pytest.raises(Malformed):
        read_suback(Packet(0x90, b"\x00\x01\x00", 3), "5")
