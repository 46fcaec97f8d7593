"""The `mqtt` section: mistakes are found before anything runs."""

from pathlib import Path
from typing import Any

import pytest

from gateway.northbound.settings import MqttSettings, TlsSettings


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"url": "tcp://broker"}, "is no broker's address"),
        ({"password": "secret"}, "password: is given without a username"),
        ({"tls": TlsSettings(ca=Path("ca.pem"))}, "write mqtts://"),
        ({"root": "a/+"}, "root: "),
        ({"root": "$SYS"}, "root: "),
        ({"root": ""}, "root: "),
        ({"root": "/agent"}, "root: "),
        ({"keepalive": 0}, "keepalive: "),
        ({"keepalive": float("nan")}, "keepalive: "),
        ({"keepalive": 70_000}, "keepalive: "),
        ({"status_life": 0}, "status_life: "),
        ({"reconnect_max": 0}, "reconnect_max: "),
    ],
)
def test_a_wrong_key_is_named(keys: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why) as raised:
        MqttSettings(**keys)
    assert "secret" not in str(raised.value)


def test_a_certificate_needs_its_key() -> None:
    with pytest.raises(ValueError, match="give both or neither"):
        TlsSettings(certificate=Path("gateway.pem"))
