"""Protected connections to a second make of server, node-opcua: every policy, mode and kind of login."""

from pathlib import Path

import pytest

from drivers.values import Seconds
from tests.integration.node_servers import NodeOpcUaSpec, node_opcua
from tests.integration.opcua_certificates import issue
from tests.integration.opcua_link import connected, node
from tests.integration.opcua_secured import CA, USERS, device, refusal, save, security

pytestmark = pytest.mark.real

# As the configuration names them, and as node-opcua does.
POLICIES = {
    "Aes128Sha256RsaOaep": "Aes128_Sha256_RsaOaep",
    "Basic256Sha256": "Basic256Sha256",
    "Aes256Sha256RsaPss": "Aes256_Sha256_RsaPss",
}
NODES = {"Speed": {"type": "Double", "value": 3000.0}}
LOGIN = {"username": "operator", "password": USERS["operator"]}


async def test_every_policy_mode_and_login_is_spoken(tmp_path: Path) -> None:
    folder = save(tmp_path, ("operator", issue("operator", "urn:operator")))
    by_certificate = {"user_certificate": folder / "operator.der", "user_key": folder / "operator-key.pem"}
    identity = issue("node", issuer=CA)
    spec = NodeOpcUaSpec(NODES, policies=tuple(POLICIES.values()), identity=identity, users=USERS)
    async with node_opcua(folder, spec) as server:
        for policy in POLICIES:
            for mode in ("Sign", "SignAndEncrypt"):
                for login in (LOGIN, by_certificate):
                    keys = security(folder, "ca", policy=policy, mode=mode)
                    settings = device(server, keys, timeout=Seconds(10), **login)
                    async with connected(settings, node("Speed")) as link:
                        assert (await link.subscribe()).value(0) == 3000.0
        assert (await server.counts())["sessions"] == 0


async def test_a_wrong_password_and_no_password_are_named(tmp_path: Path) -> None:
    folder = save(tmp_path)
    spec = NodeOpcUaSpec(NODES, policies=("Basic256Sha256",), identity=issue("node", issuer=CA), users=USERS)
    async with node_opcua(folder, spec) as server:
        wrong = LOGIN | {"password": "wrong"}
        settings = device(server, security(folder, "ca"), timeout=Seconds(10), **wrong)
        fault = await refusal(settings)
        assert fault.kind in {"identity_rejected", "user_denied"}
        assert "check username" in str(fault)
        assert (await server.counts())["sessions"] == 0  # a session left behind for its timeout would keep others out
        nobody = device(server, security(folder, "ca"), timeout=Seconds(10))
        assert (await refusal(nobody)).kind == "identity_not_offered"


async def test_another_certificate_than_the_trusted_is_refused(tmp_path: Path) -> None:
    folder = save(tmp_path)
    async with node_opcua(folder, NodeOpcUaSpec(NODES, policies=("Basic256Sha256",))) as server:
        settings = device(server, security(folder, "ca"), timeout=Seconds(10))
        fault = await refusal(settings)
        assert fault.kind == "not_trusted"
        assert (await server.counts())["sessions"] == 0
