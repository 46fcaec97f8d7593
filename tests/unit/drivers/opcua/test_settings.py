from pathlib import Path
from typing import Any

import pytest

from drivers.opcua import DRIVER
from drivers.opcua.security_settings import OpcUaSecurity
from drivers.opcua.settings import OpcUaDevice, OpcUaPoint
from drivers.registry import load
from drivers.values import Seconds, Secret

CERT, KEY, TRUST = Path("c.der"), Path("k.pem"), Path("t.der")
PROTECTED = OpcUaSecurity("Basic256Sha256", "SignAndEncrypt", CERT, KEY, TRUST)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("opc.tcp://plc", "opc.tcp://plc:4840"),
        ("opc.tcp://127.0.0.1:4841/", "opc.tcp://127.0.0.1:4841/"),
        ("opc.tcp://PLC-1/server/path", "opc.tcp://plc-1:4840/server/path"),
        ("opc.tcp://[::1]:5000/x", "opc.tcp://[::1]:5000/x"),
    ],
)
def test_a_url_is_completed(url: str, address: str) -> None:
    assert OpcUaDevice(url).address == address


@pytest.mark.parametrize(
    "url",
    [
        "", "plc", "tcp://plc", "http://plc", "opc.tcp://", "opc.tcp://plc:0", "opc.tcp://plc:70000",
        "opc.tcp://plc:x", "opc.tcp://me:secret@plc", "opc.tcp://plc/?a=b", "opc.tcp://[::1",
    ],
)  # fmt: skip
def test_what_is_no_url_is_refused_without_repeating_a_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"^url: ") as caught:
        OpcUaDevice(url)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({"timeout": 0}, "timeout: 0 s"),
        ({"timeout": float("nan")}, "timeout: nan s"),
        ({"scan": 0}, "scan: 0 s"),
        ({"scan": float("nan")}, "scan: nan s"),
        ({"password": "x", "security": PROTECTED}, "no username"),
        ({"username": "a", "password": "x"}, "others could read it"),
    ],
)
def test_a_device_that_cannot_be_is_refused(keys: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        OpcUaDevice("opc.tcp://plc", **keys)


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({"mode": "Sign"}, "mode: Sign needs a policy"),
        ({"policy": "Basic256Sha256"}, "mode: policy Basic256Sha256 needs"),
        ({"policy": "Basic256Sha256", "mode": "Sign", "trust": TRUST}, "certificate: "),
        ({"policy": "Basic256Sha256", "mode": "Sign", "trust": TRUST, "certificate": CERT}, "certificate: "),
        ({"policy": "Basic256Sha256", "mode": "Sign", "certificate": CERT, "private_key": KEY}, "nothing is trusted"),
    ],
)
def test_protection_that_protects_nothing_is_refused(keys: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        OpcUaSecurity(**keys)


def test_trust_is_one_file_or_several() -> None:
    assert PROTECTED.trusted == (TRUST,)
    assert OpcUaSecurity("Basic256Sha256", "Sign", CERT, KEY, (TRUST, CERT)).trusted == (TRUST, CERT)


def test_devices_share_a_connection_only_with_the_same_address_user_and_protection() -> None:
    allowed = OpcUaSecurity(plain_password=True)
    devices = [
        OpcUaDevice("opc.tcp://plc"),
        OpcUaDevice("opc.tcp://plc", allowed, "a", Secret("x")),
        OpcUaDevice("opc.tcp://plc", PROTECTED),
        OpcUaDevice("opc.tcp://plc", PROTECTED, "a"),
        OpcUaDevice("opc.tcp://other"),
    ]
    assert len({DRIVER.endpoint(device) for device in devices}) == 5
    assert DRIVER.endpoint(OpcUaDevice("opc.tcp://plc:4840", scan=Seconds(5))) == DRIVER.endpoint(devices[0])
    assert "x" not in DRIVER.endpoint(devices[1]).rpartition(" as ")[2]


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({"node": "Speed"}, "node: 'Speed'"),
        ({"node": "i=1", "sampling": -1}, "sampling: -1 s"),
        ({"node": "i=1", "sampling": float("nan")}, "sampling: nan s"),
        ({"node": "i=1", "interval": 0}, "interval: 0 s"),
    ],
)
def test_a_point_that_cannot_be_is_refused(keys: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        OpcUaPoint(**keys)


def test_the_same_node_is_the_same_point_however_it_is_written() -> None:
    assert OpcUaPoint("ns=0;i=0085") == OpcUaPoint("i=85")


def test_the_registry_finds_the_driver() -> None:
    assert load("opcua") is DRIVER
