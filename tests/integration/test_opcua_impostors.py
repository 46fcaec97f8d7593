"""Servers that are not to be believed: every one is refused, by name, before anything is read or any secret sent."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from drivers.opcua import DRIVER
from drivers.opcua.settings import OpcUaDevice
from drivers.values import Quality, Seconds
from gateway.clock import SystemClock
from gateway.counters import DeviceCounters
from gateway.endpoints.device import Device, DeviceState
from gateway.endpoints.session import Session
from gateway.endpoints.settings import DeviceSettings
from gateway.tags.image import ProcessImage
from gateway.tags.tag import Tag, TagSettings
from tests.integration.opcua_certificates import DAY, NOW, Identity, issue, revoke
from tests.integration.opcua_link import connected, node
from tests.integration.opcua_secured import (
    CA,
    NODES,
    PROTECTED,
    SERVER,
    USERS,
    device,
    refusal,
    refused_unheard,
    save,
    security,
    spec,
)
from tests.integration.opcua_server import OpcUaServer, ServerSpec, opcua_server

pytestmark = pytest.mark.real

LOGIN = {"username": "operator", "password": "Tr0ub4dor"}


class Case(NamedTuple):
    """A server that is wrong in one way; its certificate is called `bad`."""

    bad: Identity
    complaint: str
    trust: str = "ca"
    revoked: str = ""
    host: str = "127.0.0.1"
    kind: str = "not_trusted"
    open_only: bool = False


REVOKED = issue("revoked", issuer=CA)
CASES = {
    "untrusted": Case(issue("stranger"), "is not trusted; name it or its authority"),
    "expired": Case(issue("expired", issuer=CA, first=NOW - 3 * DAY, last=NOW - DAY), "expired on"),
    "future": Case(issue("future", issuer=CA, first=NOW + DAY, last=NOW + 2 * DAY), "is the clock right?"),
    "wrong_uri": Case(issue("uri", "urn:another", issuer=CA), "application URI urn:boiler-house:server"),
    "wrong_host": Case(issue("host", issuer=CA), "not made out to localhost", host="localhost"),
    "revoked": Case(REVOKED, "has been revoked by CN=plant CA", revoked="ca.crl"),
    "changed": Case(issue("server"), "another than the one of that name", trust="server"),
    "none_only": Case(SERVER, "only None", kind="policy_not_offered", open_only=True),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = save(tmp_path_factory.mktemp("pki"), *((f"bad-{name}", case.bad) for name, case in CASES.items()))
    (folder / "ca.crl").write_bytes(revoke(CA, REVOKED).public_bytes(Encoding.DER))
    return folder


@pytest.fixture(params=CASES)
def impostor(request: pytest.FixtureRequest, folder: Path) -> Iterator[tuple[Case, OpcUaServer, OpcUaDevice]]:
    name, case = request.param, CASES[request.param]
    wrong = ServerSpec(NODES) if case.open_only else spec(folder, f"bad-{name}")
    with opcua_server(wrong) as server:
        keys = security(folder, case.trust)
        if case.revoked:
            keys = replace(keys, revoked=folder / case.revoked)
        url = server.url.replace("127.0.0.1", case.host)
        yield case, server, replace(device(server, keys, **LOGIN), url=url)


async def test_an_impostor_is_refused_by_name_and_told_no_secret(
    impostor: tuple[Case, OpcUaServer, OpcUaDevice],
) -> None:
    case, server, settings = impostor
    fault = await refused_unheard(server, settings)
    assert fault.kind == case.kind
    assert case.complaint in str(fault)


async def test_the_reason_becomes_the_state_of_the_device_and_its_tags(
    impostor: tuple[Case, OpcUaServer, OpcUaDevice],
) -> None:
    case, _, settings = impostor
    clock = SystemClock()
    tag = Tag(0, "plc", "speed", TagSettings(), Seconds(3))
    image, tags = ProcessImage([tag], clock), [tag]
    plc = Device("plc", DeviceSettings(), settings, tags, [node("Speed")], DeviceCounters(), clock)
    told: asyncio.Queue[DeviceState] = asyncio.Queue()
    plc.listen(lambda state, *_: told.put_nowait(state))
    session = Session(settings.endpoint(), [plc], lambda: DRIVER.connect(settings), image, clock, Random(1))
    task = asyncio.create_task(session.run())
    try:
        async with asyncio.timeout(10):
            state = await told.get()
        sample = image.sample(tag, clock.monotonic())
    finally:
        session.stop()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert (state.connected, state.reason) == (False, case.kind)
    assert (sample.value, sample.quality, sample.reason) == (None, Quality.BAD, case.kind)


async def test_a_revocation_list_that_expired_is_no_reason_to_believe(folder: Path) -> None:
    old = revoke(CA, last_update=NOW - 3 * DAY, next_update=NOW - DAY)
    (folder / "old.crl").write_bytes(old.public_bytes(Encoding.DER))
    with opcua_server(spec(folder)) as server:
        keys = replace(security(folder, "ca"), revoked=folder / "old.crl")
        fault = await refused_unheard(server, device(server, keys))
        assert fault.kind == "not_trusted"
        assert "the revocation list of CN=plant CA expired on" in str(fault)


async def test_a_server_that_lacks_the_key_of_its_certificate_gets_nowhere(tmp_path: Path) -> None:
    folder = save(tmp_path, ("stolen", Identity(SERVER.certificate, issue("thief").key)))
    with opcua_server(spec(folder, "stolen")) as server:
        await refused_unheard(server, replace(device(server, security(folder), **LOGIN), timeout=Seconds(1)))


@pytest.mark.parametrize(
    ("tampering", "complaint"),
    [
        ("another_certificate", "certificate is another in the session"),
        ("no_certificate", "certificate is another in the session"),
        ("another_signature", "does not prove that it has the key"),
        ("no_signature", "does not prove that it has the key"),
        ("short_session_nonce", "nonce has 8 bytes"),
        ("hidden_endpoint", "endpoints are others than it offered before"),
        ("weaker_login", "endpoints are others than it offered before"),
        ("another_name", "endpoints are others than it offered before"),
    ],
)
async def test_what_was_said_before_the_channel_has_to_hold_in_the_session(
    folder: Path, tampering: str, complaint: str
) -> None:
    with opcua_server(spec(folder, policies=PROTECTED[::-1], users=USERS, tampering=tampering)) as server:
        fault = await refusal(device(server, security(folder), **LOGIN))
        assert fault.kind == "not_trusted"
        assert complaint in str(fault)
        assert ("activate_session", 1) not in server.do("calls")


async def test_a_nonce_from_which_keys_can_be_guessed_is_refused(folder: Path) -> None:
    with opcua_server(spec(folder, users=USERS, tampering="short_channel_nonce")) as server:
        fault = await refused_unheard(server, device(server, security(folder), **LOGIN))
        assert fault.kind == "not_trusted"
        assert "nonce for the channel's keys" in str(fault)


async def test_a_password_is_not_sent_where_signed_messages_would_show_it(folder: Path) -> None:
    with opcua_server(spec(folder, users=USERS, tampering="plain_login")) as server:
        fault = await refusal(device(server, security(folder, mode="Sign"), **LOGIN))
        assert fault.kind == "password_exposed"
        assert ("activate_session", 1) not in server.do("calls")
        async with connected(device(server, security(folder), **LOGIN), node("Speed")):
            pass


async def test_the_best_login_is_taken_and_not_the_first(folder: Path) -> None:
    with opcua_server(spec(folder, users=USERS, tampering="plain_login_first")) as server:
        async with connected(device(server, security(folder, mode="Sign"), **LOGIN), node("Speed")):
            pass
        calls = {name for name, _ in server.do("calls")}
        assert "activate_session" in calls
        assert "plain_password" not in calls


async def test_a_password_is_not_encrypted_by_a_broken_policy(folder: Path) -> None:
    with opcua_server(spec(folder, users=USERS, tampering="broken_login")) as server:
        fault = await refusal(device(server, security(folder), **LOGIN))
        assert fault.kind == "policy_not_offered"
        assert "only by Basic128Rsa15" in str(fault)
        assert ("activate_session", 1) not in server.do("calls")


async def test_a_password_that_cannot_be_encrypted_is_named(folder: Path) -> None:
    with opcua_server(spec(folder, users=USERS)) as server:
        login = LOGIN | {"password": "x" * 200}
        fault = await refusal(device(server, security(folder, mode="Sign"), **login))
        assert fault.kind == "password_too_long"
        assert "178 bytes" in str(fault)
