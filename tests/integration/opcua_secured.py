"""What the tests of protected OPC UA connections share: files of certificates, settings, and a refusal looked at."""

from pathlib import Path
from typing import Any, Protocol

import pytest

from drivers.errors import LinkLost
from drivers.opcua import DRIVER
from drivers.opcua.security_settings import OpcUaSecurity
from drivers.opcua.settings import OpcUaDevice
from tests.integration.opcua_certificates import GATEWAY_URI, Identity, issue
from tests.integration.opcua_link import SCAN
from tests.integration.opcua_server import OpcUaServer, ServerSpec, Value

NODES = {"Speed": Value(3000.0)}
PROTECTED = ("Basic256Sha256_SignAndEncrypt", "Basic256Sha256_Sign")
USERS = {"operator": "Tr0ub4dor"}
CA = issue("plant CA", authority=True)
SERVER = issue("server", issuer=CA)


def save(folder: Path, *further: tuple[str, Identity]) -> Path:
    """Write the certificates of the authority, the server and the gateway, and further ones by name."""
    named = {"ca": CA, "server": SERVER, "gateway": issue("gateway", GATEWAY_URI), "another": issue("another")}
    for name, identity in (named | dict(further)).items():
        identity.save(folder, name)
    return folder


def spec(folder: Path, name: str = "server", **keys: Any) -> ServerSpec:
    """Return a protected server that has the certificate of that name."""
    certificate, private_key = folder / f"{name}.der", folder / f"{name}-key.pem"
    given: dict[str, Any] = {"policies": PROTECTED, "certificate": certificate, "private_key": private_key} | keys
    return ServerSpec(NODES, **given)


def security(folder: Path, trust: str = "server", **keys: Any) -> OpcUaSecurity:
    """Return settings that trust the certificate of that name."""
    given: dict[str, Any] = {
        "policy": "Basic256Sha256",
        "mode": "SignAndEncrypt",
        "trust": folder / f"{trust}.der",
    } | keys
    return OpcUaSecurity(certificate=folder / "gateway.der", private_key=folder / "gateway-key.pem", **given)


class Reachable(Protocol):
    """A server of any make."""

    @property
    def url(self) -> str: ...


def device(server: Reachable, security: OpcUaSecurity, **keys: Any) -> OpcUaDevice:
    given: dict[str, Any] = {"url": server.url, "security": security, "scan": SCAN} | keys
    return OpcUaDevice(**given)


async def refusal(device: OpcUaDevice) -> LinkLost:
    """Connect in vain, and return what is said of it: one line that names the server."""
    connection = DRIVER.connect(device)
    try:
        with pytest.raises(LinkLost) as caught:
            await connection.open()
    finally:
        await connection.close()
    assert "\n" not in str(caught.value)
    assert device.address in str(caught.value)
    assert device.password is None or device.password not in str(caught.value)
    return caught.value


async def refused_unheard(server: OpcUaServer, device: OpcUaDevice) -> LinkLost:
    """As `refusal`, of a server that is asked for its endpoints and for nothing else: no session, no login."""
    server.do("calls")
    fault = await refusal(device)
    calls = {name for name, _ in server.do("calls")}
    assert calls <= {"open_secure_channel"}
    assert server.do("counts") == (0, 0)
    return fault
