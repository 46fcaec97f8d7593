"""Protected connections to a real OPC UA server: who gets in, by every policy, mode and kind of login."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from drivers.opcua import handshake
from drivers.opcua.security_settings import OpcUaSecurity
from drivers.opcua.settings import OpcUaDevice
from drivers.values import Secret
from tests.integration.opcua_certificates import DAY, GATEWAY_URI, NOW, issue, revoke
from tests.integration.opcua_link import connected, node
from tests.integration.opcua_secured import CA, USERS, device, refusal, save, security, spec
from tests.integration.opcua_server import OpcUaServer, Value, opcua_server

pytestmark = pytest.mark.real

POLICIES = ("Aes128Sha256RsaOaep", "Basic256Sha256", "Aes256Sha256RsaPss")
MODES = ("Sign", "SignAndEncrypt")
OPERATOR = issue("operator", "urn:operator")
GATEWAY_CA = issue("gateway CA", authority=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("pki"), ("operator", OPERATOR))


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[OpcUaServer]:
    every = tuple(f"{policy}_{mode}" for policy in POLICIES for mode in MODES)
    with opcua_server(spec(folder, policies=every)) as running:
        yield running


@pytest.fixture(scope="module")
def strict(folder: Path) -> Iterator[OpcUaServer]:
    """A server that wants a name and a password, by any policy or over an open connection."""
    every = tuple(f"{policy}_{mode}" for policy in POLICIES for mode in MODES)
    with opcua_server(spec(folder, policies=(*every, "NoSecurity"), users=USERS)) as running:
        yield running


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("policy", POLICIES)
async def test_every_policy_and_mode_is_spoken(server: OpcUaServer, folder: Path, policy: str, mode: str) -> None:
    async with connected(device(server, security(folder, policy=policy, mode=mode)), node("Speed")) as link:
        assert (await link.subscribe()).value(0) == 3000.0


@pytest.mark.parametrize("trust", ["server", "ca"])
async def test_a_trusted_server_is_subscribed(server: OpcUaServer, folder: Path, trust: str) -> None:
    async with connected(device(server, security(folder, trust)), node("Speed")) as link:
        assert (await link.subscribe()).value(0) == 3000.0


@pytest.mark.parametrize("policy", POLICIES)
async def test_keys_of_4096_bits_are_spoken(tmp_path: Path, policy: str) -> None:
    strong = issue("strong", bits=4096)
    folder = save(tmp_path, ("strong", strong), ("gateway", issue("gateway", GATEWAY_URI, bits=4096)))
    with opcua_server(spec(folder, "strong", policies=(f"{policy}_SignAndEncrypt",), users=USERS)) as server:
        keys = security(folder, "strong", policy=policy)
        async with connected(device(server, keys, username="operator", password="Tr0ub4dor"), node("Speed")) as link:
            assert (await link.subscribe()).value(0) == 3000.0


async def test_authorities_that_the_server_sends_lead_to_the_trusted_root(tmp_path: Path) -> None:
    works = issue("works", issuer=CA, authority=True)
    folder = save(tmp_path, ("works", works), ("server", issue("server", issuer=works)))
    with opcua_server(spec(folder, authorities=(folder / "works.der",))) as server:
        lists = folder / "lists"
        lists.mkdir()
        for authority in (CA, works):
            name = authority.certificate.subject.rfc4514_string()
            (lists / f"{name}.crl").write_bytes(revoke(authority).public_bytes(Encoding.DER))
        trusted = folder / "trusted"
        trusted.mkdir()
        CA.save(trusted, "ca")
        (trusted / "ca-key.pem").unlink()
        keys = replace(security(folder), trust=trusted, revoked=lists)
        async with connected(device(server, keys), node("Speed")) as link:
            assert (await link.subscribe()).value(0) == 3000.0


async def test_the_gateway_sends_its_own_authorities(server: OpcUaServer, folder: Path, tmp_path: Path) -> None:
    gateway = issue("gateway", GATEWAY_URI, issuer=GATEWAY_CA)
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(b"".join(each.certificate.public_bytes(Encoding.PEM) for each in (gateway, GATEWAY_CA)))
    keys = replace(security(folder), certificate=bundle)
    server.do("calls")
    async with connected(device(server, keys), node("Speed")) as link:
        assert (await link.subscribe()).value(0) == 3000.0
        assert ("certificate_chain", 1) in server.do("calls")


async def test_the_keys_of_a_protected_channel_are_renewed_in_time(
    server: OpcUaServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshake, "CHANNEL_LIFETIME", 4.0)
    server.do("add", name="Renewed", value=Value(0.0))
    async with connected(device(server, security(folder)), node("Renewed")) as link:
        told = await link.subscribe()
        server.do("calls")
        async with asyncio.timeout(5):
            while ("open_secure_channel", 1) not in server.do("calls"):  # noqa: ASYNC110  (the server tells when asked)
                await asyncio.sleep(0.1)
        for number in (1.0, 2.0, 3.0):
            server.write("Renewed", Value(number))
            await told.until(lambda number=number: told.value(0) == number)  # type: ignore[misc]  # of one lap


async def test_an_open_connection_to_a_protected_server_is_refused(server: OpcUaServer) -> None:
    fault = await refusal(device(server, OpcUaSecurity()))
    assert fault.kind == "policy_not_offered"


async def test_a_server_that_does_not_know_the_gateway_is_named(folder: Path) -> None:
    with opcua_server(spec(folder, refuses_certificates=True)) as server:
        fault = await refusal(device(server, security(folder)))
        assert fault.kind == "certificate_refused"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("policy", POLICIES)
async def test_the_right_password_opens_the_door(strict: OpcUaServer, folder: Path, policy: str, mode: str) -> None:
    keys = security(folder, policy=policy, mode=mode)
    async with connected(device(strict, keys, username="operator", password="Tr0ub4dor"), node("Speed")) as link:
        assert (await link.subscribe()).value(0) == 3000.0


@pytest.mark.parametrize("login", [{"username": "operator", "password": "wrong"}, {"username": "nobody"}])
async def test_a_wrong_login_is_refused(strict: OpcUaServer, folder: Path, login: dict[str, str]) -> None:
    fault = await refusal(device(strict, security(folder), **login))
    assert fault.kind == "user_denied"
    assert "check username, password" in str(fault)


async def test_a_server_that_wants_a_login_is_not_tried_without(strict: OpcUaServer, folder: Path) -> None:
    strict.do("calls")
    fault = await refusal(device(strict, security(folder)))
    assert fault.kind == "identity_not_offered"
    assert "anonymous" in str(fault)
    assert ("activate_session", 1) not in strict.do("calls")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("policy", POLICIES)
async def test_a_user_logs_in_by_a_certificate(folder: Path, policy: str, mode: str) -> None:
    with opcua_server(spec(folder, policies=(f"{policy}_{mode}",), user_certificates=(OPERATOR.der,))) as server:
        keys = security(folder, policy=policy, mode=mode)
        login = {"user_certificate": folder / "operator.der", "user_key": folder / "operator-key.pem"}
        async with connected(device(server, keys, **login), node("Speed")) as link:
            assert (await link.subscribe()).value(0) == 3000.0


async def test_a_user_comes_with_the_authorities_of_its_file(folder: Path, tmp_path: Path) -> None:
    user = issue("fitter", "urn:fitter", issuer=GATEWAY_CA)
    _, key = user.save(tmp_path, "fitter")
    bundle = tmp_path / "fitter.pem"
    bundle.write_bytes(b"".join(each.certificate.public_bytes(Encoding.PEM) for each in (user, GATEWAY_CA)))
    with opcua_server(spec(folder, user_certificates=(user.der + GATEWAY_CA.der,))) as server:
        login = {"user_certificate": bundle, "user_key": key}
        async with connected(device(server, security(folder), **login), node("Speed")) as link:
            assert (await link.subscribe()).value(0) == 3000.0


async def test_a_user_whom_the_server_does_not_know_is_denied(folder: Path) -> None:
    with opcua_server(spec(folder, user_certificates=(OPERATOR.der,))) as server:
        login = {"user_certificate": folder / "another.der", "user_key": folder / "another-key.pem"}
        assert (await refusal(device(server, security(folder), **login))).kind == "user_denied"
        assert (await refusal(device(server, security(folder)))).kind == "identity_not_offered"


async def test_a_certificate_soon_to_expire_is_warned_of_at_each_connect(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = save(
        tmp_path,
        ("old", issue("old", last=NOW + 10 * DAY)),
        ("gateway", issue("gateway", GATEWAY_URI, last=NOW + 29 * DAY)),
    )
    with opcua_server(spec(folder, "old")) as server, caplog.at_level(logging.WARNING, "plantgate.opcua"):
        for _ in range(2):
            caplog.clear()
            async with connected(device(server, security(folder, "old")), node("Speed")):
                pass
            assert {record.message for record in caplog.records} == {"certificate_expires"}
            told = {record.__dict__["whose"]: record.__dict__["days"] for record in caplog.records}
            assert told == {"gateway": 28, "server": 9}


async def test_a_certificate_that_holds_for_long_is_not_spoken_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    last = NOW + 31 * DAY
    folder = save(tmp_path, ("new", issue("new", last=last)), ("gateway", issue("gateway", GATEWAY_URI, last=last)))
    with opcua_server(spec(folder, "new")) as server, caplog.at_level(logging.WARNING, "plantgate.opcua"):
        async with connected(device(server, security(folder, "new")), node("Speed")):
            pass
        assert caplog.records == []


async def test_a_password_crosses_an_open_connection_only_where_that_is_allowed(strict: OpcUaServer) -> None:
    open_door = OpcUaSecurity(plain_password=True)
    async with connected(device(strict, open_door, username="operator", password="Tr0ub4dor"), node("Speed")) as link:
        assert (await link.subscribe()).value(0) == 3000.0
    with pytest.raises(ValueError, match="password: others could read it"):
        OpcUaDevice(url=strict.url, username="operator", password=Secret("Tr0ub4dor"))
