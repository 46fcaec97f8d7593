from dataclasses import replace
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
        ({"verify": 0.1}, r"verify: 0.1 s is neither 0 nor"),
        ({"verify": float("nan")}, "verify: nan s"),
        ({"compare": 0}, "compare: 0 s"),
        ({"limits": {"read": 0}}, "limits: read: 0"),
        ({"password": "x", "security": PROTECTED}, "no username"),
        ({"username": "a", "password": "x"}, "others could read it"),
        ({"username": "", "security": PROTECTED}, "username: is empty"),
        ({"user_certificate": CERT, "security": PROTECTED}, "user_certificate: needs user_key"),
        ({"user_key": KEY, "security": PROTECTED}, "user_key needs user_certificate"),
        ({"user_certificate": CERT, "user_key": KEY}, "needs a protected connection"),
        ({"user_certificate": CERT, "user_key": KEY, "security": PROTECTED, "username": "a"}, "not by both"),
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
        ({"policy": "Basic128Rsa15", "mode": "Sign"}, "policy: Basic128Rsa15 is broken: it signs with SHA-1, and its"),
        ({"policy": "Basic256", "mode": "SignAndEncrypt"}, "Basic256 is broken: .*; set Basic256Sha256"),
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
        OpcUaDevice("opc.tcp://plc", PROTECTED, user_certificate=CERT, user_key=KEY),
        OpcUaDevice("opc.tcp://plc", replace(PROTECTED, trust=CERT)),
        OpcUaDevice("opc.tcp://plc", replace(PROTECTED, revoked=CERT)),
        OpcUaDevice("opc.tcp://other"),
    ]
    assert len({DRIVER.endpoint(device) for device in devices}) == 8
    assert DRIVER.endpoint(OpcUaDevice("opc.tcp://plc:4840", scan=Seconds(5))) == DRIVER.endpoint(devices[0])
    assert "x" not in DRIVER.endpoint(devices[1]).rpartition(" as ")[2]


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({"node": "Speed"}, "node: 'Speed'"),
        ({"node": "i=1", "sampling": -1}, "sampling: -1 s"),
        ({"node": "i=1", "sampling": float("nan")}, "sampling: nan s"),
        ({"node": "i=1", "interval": 0}, "interval: 0 s"),
        ({"node": "i=1", "interval": 1.0, "mode": "poll"}, "interval: i=1 is polled"),
    ],
)
def test_a_point_that_cannot_be_is_refused(keys: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        OpcUaPoint(**keys)


def test_a_tag_of_a_polled_device_has_no_intervals_of_its_own() -> None:
    polled = OpcUaDevice("opc.tcp://plc", mode="poll")
    DRIVER.check(polled, [OpcUaPoint("i=1"), OpcUaPoint("i=1", sampling=Seconds(1), mode="subscribe")])
    with pytest.raises(ValueError, match=r"^sampling: i=1 is polled"):
        DRIVER.check(polled, [OpcUaPoint("i=1", sampling=Seconds(1))])


def test_time_stamps_count_unless_the_device_or_its_profile_says_otherwise() -> None:
    assert OpcUaDevice("opc.tcp://plc").with_time
    assert not OpcUaDevice("opc.tcp://plc", source_time="ignore").with_time


def test_the_same_node_is_the_same_point_however_it_is_written() -> None:
    assert OpcUaPoint("ns=0;i=0085") == OpcUaPoint("i=85")


def test_the_registry_finds_the_driver() -> None:
    assert load("opcua") is DRIVER
