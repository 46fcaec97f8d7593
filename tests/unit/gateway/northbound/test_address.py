"""URLs of brokers: what is understood, and what is said of the rest."""

import pytest

from gateway.northbound.address import BrokerAddress, parse_address


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://broker", BrokerAddress("broker", 1883)),
        ("mqtt://10.0.0.7:1884/", BrokerAddress("10.0.0.7", 1884)),
        ("mqtts://broker.example", BrokerAddress("broker.example", 8883, encrypted=True)),
        ("mqtt://[fe80::1]:1883", BrokerAddress("fe80::1", 1883)),
        ("embedded://", BrokerAddress("127.0.0.1", 1883, embedded=True)),
        ("embedded://:1999", BrokerAddress("127.0.0.1", 1999, embedded=True)),
        ("embedded://0.0.0.0:1999", BrokerAddress("0.0.0.0", 1999, embedded=True)),
    ],
)
def test_an_address_is_taken_apart(url: str, address: BrokerAddress) -> None:
    assert parse_address(url) == address


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("broker:1883", "is no broker's address"),
        ("http://broker", "is no broker's address"),
        ("mqtt://", "names no host"),
        ("mqtt://broker:0x10", "no number from 1 to 65535"),
        ("mqtt://broker:70000", "no number from 1 to 65535"),
        ("mqtt://me:secret@broker", "use `username` and `password`"),
        ("mqtt://broker/topic", "more than host and port"),
        ("mqtt://[::1", "cannot be read"),
    ],
)
def test_what_is_no_address_is_told_in_one_line(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as raised:
        parse_address(url)
    assert "\n" not in str(raised.value)
    assert "secret" not in str(raised.value)


def test_an_address_is_shown_as_it_would_be_written() -> None:
    assert parse_address("mqtts://[::1]").url == "mqtts://[::1]:8883"
    assert parse_address("embedded://").url == "mqtt://127.0.0.1:1883"
