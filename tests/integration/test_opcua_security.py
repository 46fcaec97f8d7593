"""Protected connections to a real OPC UA server: who gets in, who is kept out, and that nothing falls back to None."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.errors import LinkLost
from drivers.opcua import DRIVER, handshake
from drivers.opcua.security_settings import OpcUaSecurity
from drivers.opcua.settings import OpcUaDevice
from drivers.values import Seconds, Secret
from tests.integration.opcua_certificates import DAY, GATEWAY_URI, NOW, Identity, issue
from tests.integration.opcua_link import SCAN, connected, node
from tests.integration.opcua_server import OpcUaServer, ServerSpec, Value, opcua_server

pytestmark = pytest.mark.real

NODES = {"Speed": Value(3000.0)}
PROTECTED = ("Basic256Sha256_SignAndEncrypt", "Basic256Sha256_Sign")
USERS = {"operator": "right"}
CA = issue("plant CA", authority=True)
SERVER = issue("server", issuer=CA)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    CA.save(folder, "ca")
    SERVER.save(folder, "server")
    issue("gateway", GATEWAY_URI).save(folder, "gateway")
    issue("another").save(folder, "another")
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[OpcUaServer]:
    with opcua_server(spec(folder, "server")) as running:
        yield running


@pytest.fixture(scope="module")
def strict(folder: Path) -> Iterator[OpcUaServer]:
    """A server that wants a name and a password, over a protected connection or an open one."""
    with opcua_server(replace(spec(folder, "server"), policies=(*PROTECTED, "NoSecurity"), users=USERS)) as running:
        yield running


def spec(folder: Path, name: str) -> ServerSpec:
    return ServerSpec(
        NODES, policies=PROTECTED, certificate=folder / f"{name}.der", private_key=folder / f"{name}-key.pem"
    )


def security(folder: Path, trust: str = "server", **keys: object) -> OpcUaSecurity:
    given = {"policy": "Basic256Sha256", "mode": "SignAndEncrypt", "trust": folder / f"{trust}.der"} | keys
    certificate, private_key = folder / "gateway.der", folder / "gateway-key.pem"
    return OpcUaSecurity(certificate=certificate, private_key=private_key, **given)  # type: ignore[arg-type]  # of any type


def device(server: OpcUaServer, security: OpcUaSecurity, **keys: str) -> OpcUaDevice:
    return OpcUaDevice(url=server.url, security=security, scan=SCAN, **keys)  # type: ignore[arg-type]  # of any type


async def refusal(device: OpcUaDevice) -> LinkLost:
    connection = DRIVER.connect(device)
    try:
        with pytest.raises(LinkLost) as caught:
            await connection.open()
    finally:
        await connection.close()
    assert "\n" not in str(caught.value)
    assert device.address in str(caught.value)
    return caught.value


@pytest.mark.parametrize("mode", ["Sign", "SignAndEncrypt"])
@pytest.mark.parametrize("trust", ["server", "ca"])
async def test_a_trusted_server_is_subscribed_over_a_protected_connection(
    server: OpcUaServer, folder: Path, mode: str, trust: str
) -> None:
    async with connected(device(server, security(folder, trust, mode=mode)), node("Speed")) as link:
        assert (await link.subscribe()).value(0) == 3000.0


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


async def test_another_certificate_than_the_trusted_is_refused(server: OpcUaServer, folder: Path) -> None:
    fault = await refusal(device(server, security(folder, "another")))
    assert fault.kind == "not_trusted"
    assert "CN=server" in str(fault)


async def test_a_server_for_another_host_is_refused(server: OpcUaServer, folder: Path) -> None:
    url = server.url.replace("127.0.0.1", "localhost")
    fault = await refusal(replace(device(server, security(folder, "ca")), url=url))
    assert fault.kind == "not_trusted"
    assert "not made out to localhost" in str(fault)


async def test_an_expired_server_is_refused(folder: Path) -> None:
    expired = issue("expired", first=NOW - 3 * DAY, last=NOW - DAY)
    expired.save(folder, "expired")
    with opcua_server(spec(folder, "expired")) as server:
        fault = await refusal(device(server, security(folder, "expired")))
        assert fault.kind == "not_trusted"
        assert "expired on" in str(fault)


async def test_a_server_that_lacks_the_key_of_its_certificate_gets_nowhere(folder: Path) -> None:
    Identity(SERVER.certificate, issue("thief").key).save(folder, "stolen")
    with opcua_server(spec(folder, "stolen")) as server:
        await refusal(replace(device(server, security(folder)), timeout=Seconds(1)))
        assert server.do("counts") == (0, 0)


async def test_a_server_without_protection_is_refused_and_never_used_as_it_is(folder: Path) -> None:
    with opcua_server(ServerSpec(NODES)) as server:
        fault = await refusal(device(server, security(folder)))
        assert fault.kind == "policy_not_offered"
        assert "only None" in str(fault)
        assert server.do("counts") == (0, 0)


async def test_an_open_connection_to_a_protected_server_is_refused(server: OpcUaServer) -> None:
    fault = await refusal(device(server, OpcUaSecurity()))
    assert fault.kind == "policy_not_offered"


async def test_a_server_that_does_not_know_the_gateway_is_named(folder: Path) -> None:
    with opcua_server(replace(spec(folder, "server"), refuses_certificates=True)) as server:
        fault = await refusal(device(server, security(folder)))
        assert fault.kind == "certificate_refused"


@pytest.mark.parametrize("mode", ["Sign", "SignAndEncrypt"])
async def test_the_right_password_opens_the_door(strict: OpcUaServer, folder: Path, mode: str) -> None:
    keys = security(folder, mode=mode)
    async with connected(device(strict, keys, username="operator", password="right"), node("Speed")) as link:
        assert (await link.subscribe()).value(0) == 3000.0


@pytest.mark.parametrize("login", [{"username": "operator", "password": "wrong"}, {"username": "nobody"}, {}])
async def test_a_wrong_login_is_refused(strict: OpcUaServer, folder: Path, login: dict[str, str]) -> None:
    fault = await refusal(device(strict, security(folder), **login))
    assert fault.kind == "user_refused"
    assert "check username and password" in str(fault) or "check username, password" in str(fault)
    assert "wrong" not in str(fault)


async def test_a_password_crosses_an_open_connection_only_where_that_is_allowed(strict: OpcUaServer) -> None:
    open_door = OpcUaSecurity(plain_password=True)
    async with connected(device(strict, open_door, username="operator", password="right"), node("Speed")) as link:
        assert (await link.subscribe()).value(0) == 3000.0
    with pytest.raises(ValueError, match="password: others could read it"):
        OpcUaDevice(url=strict.url, username="operator", password=Secret("right"))
