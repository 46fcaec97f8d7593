"""The keys of `http`: a mistake is named by its key, in one line."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.values import Secret
from gateway.observability.settings import HttpSettings, split_listen


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        ("0.0.0.0:0", ("0.0.0.0", 0)),
        ("[::1]:65535", ("::1", 65535)),
        ("plant-gateway.local:80", ("plant-gateway.local", 80)),
    ],
)
def test_host_and_port_are_split(listen: str, address: tuple[str, int]) -> None:
    assert HttpSettings(listen=listen).address == address


@pytest.mark.parametrize(
    "listen",
    ["", "9464", ":9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", "127.0.0.1:-1", "::1:9464",
     "[::1]", "[]:80", "[127.0.0.1]:80", "a b:80", "127.0.0.1:٣", "127.0.0.1:000080"],
)  # fmt: skip
def test_what_is_no_address_is_refused_naming_the_key(listen: str) -> None:
    with pytest.raises(ValueError, match=r"^listen: ") as refusal:
        HttpSettings(listen=listen)
    assert "\n" not in str(refusal.value)


@given(st.text(max_size=30) | st.from_regex(r"[\[\].:a-z]{0,9}:[0-9]{0,6}", fullmatch=True))
def test_whatever_is_taken_has_a_host_and_a_port_in_range(listen: str) -> None:
    with suppress(ValueError):
        host, port = split_listen(listen)
        assert host
        assert 0 <= port <= 65535


def test_a_certificate_needs_its_key_and_the_key_its_certificate() -> None:
    with pytest.raises(ValueError, match=r"^certificate: is of no use without private_key$"):
        HttpSettings(certificate=Path("server.pem"))
    with pytest.raises(ValueError, match=r"^private_key: is of no use without certificate$"):
        HttpSettings(private_key=Path("server.key"))


def test_a_password_needs_a_name_and_is_never_shown() -> None:
    with pytest.raises(ValueError, match=r"^password: is of no use without username$") as refusal:
        HttpSettings(password=Secret("hunter2"))
    assert "hunter2" not in str(refusal.value)
    with pytest.raises(ValueError, match=r"^username: is of no use without password$"):
        HttpSettings(username="prometheus")


def test_an_empty_password_and_a_name_with_a_colon_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^password: is empty$"):
        HttpSettings(username="prometheus", password=Secret(""))
    with pytest.raises(ValueError, match=r"^username: holds a colon"):
        HttpSettings(username="a:b", password=Secret("x"))
