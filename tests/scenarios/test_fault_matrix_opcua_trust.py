"""Row O8 of the fault matrix: a server that cannot show who it is gets no session, also where it offers one openly."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.opcua_certificates import DAY, GATEWAY_URI, NOW, Identity, issue
from tests.integration.opcua_server import OpcUaServer, ServerSpec, Value, opcua_server
from tests.scenarios.deadlines import BACK, SEEN
from tests.scenarios.matrix_site import MARGIN, NOTICED, MatrixSite, matrix_site
from tests.scenarios.opcua_rows import Row, configured, fresh

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]

CA = issue("plant CA", authority=True)
SERVERS: dict[str, tuple[Identity, str]] = {
    "right": (issue("right", issuer=CA), "ca"),
    "expired": (issue("expired", first=NOW - 3 * DAY, last=NOW - DAY, issuer=CA), "ca"),
    "not-yet": (issue("not-yet", first=NOW + DAY, last=NOW + 3 * DAY, issuer=CA), "ca"),
    "untrusted": (issue("untrusted"), "ca"),
    "wrong-host": (issue("wrong-host", hosts=("10.0.0.1",), issuer=CA), "ca"),
    "wrong-uri": (issue("wrong-uri", "urn:somebody-else", issuer=CA), "ca"),
    "pinned": (issue("pinned"), "pinned"),
}
"""By the name of the device: who its server says it is, and what the gateway trusts."""
REFUSED = [name for name in SERVERS if name not in ("right", "pinned")]


class Rows:
    def __init__(self, site: MatrixSite, servers: dict[str, OpcUaServer], held: dict[str, float]) -> None:
        self.site = site
        self.servers = servers
        self.held = held


def secured(folder: Path, name: str, trust: str, value: float) -> ServerSpec:
    return ServerSpec(
        {"reading": Value(value)},
        policies=("Basic256Sha256_SignAndEncrypt", "NoSecurity"),
        certificate=folder / f"{name}.der",
        private_key=folder / f"{name}-key.pem",
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rows(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rows]:
    folder = tmp_path_factory.mktemp("opcua-trust")
    CA.save(folder, "ca")
    issue("gateway", GATEWAY_URI).save(folder, "gateway")
    issue("impostor").save(folder, "impostor")
    devices: dict[str, Any] = {}
    servers: dict[str, OpcUaServer] = {}
    held = {name: fresh() for name in SERVERS}

    async with AsyncExitStack() as stack:
        for name, (identity, trust) in SERVERS.items():
            identity.save(folder, name)
            servers[name] = stack.enter_context(opcua_server(secured(folder, name, trust, held[name])))
            security = {
                "policy": "Basic256Sha256",
                "mode": "SignAndEncrypt",
                "certificate": str(folder / "gateway.der"),
                "private_key": str(folder / "gateway-key.pem"),
                "trust": str(folder / f"{trust}.der"),
            }
            devices[name] = configured(servers[name].url, ("reading",), security=security)
        yield Rows(await stack.enter_async_context(matrix_site(folder, devices)), servers, held)


async def test_o8_a_server_that_shows_a_right_certificate_is_read(rows: Rows) -> None:
    row = Row(rows.site, "right", rows.servers["right"], {"reading": rows.held["right"]})
    await row.begins()
    await row.is_back()


@pytest.mark.parametrize("name", REFUSED)
async def test_o8_a_server_that_cannot_show_who_it_is_is_refused_with_no_fallback(rows: Rows, name: str) -> None:
    client, daemon = rows.site.client, rows.site.daemon
    await client.until("bad", lambda: client.tags(name).get("reading", {}).get("reason") == "not_trusted", BACK)
    await client.shows(f"device/{name}", BACK, state="disconnected", reason="not_trusted")
    assert await rows.site.counts(name, "not_trusted") >= 1
    assert (await daemon.not_ready())[f"device.{name}"] == "not_trusted"
    assert rows.servers[name].do("counts") == (0, 0)
    assert all(seen.payload["value"] is None for seen in client.of(f"tag/{name}/reading"))


async def test_o8_a_pinned_server_that_comes_back_as_another_is_refused_until_it_is_itself_again(rows: Rows) -> None:
    server = rows.servers["pinned"]
    row = Row(rows.site, "pinned", server, {"reading": rows.held["pinned"]})
    await row.begins()
    own = server.spec.certificate, server.spec.private_key
    assert server.spec.certificate is not None
    folder = server.spec.certificate.parent
    server.kill()
    await row.is_lost(SEEN)
    server.spec.certificate, server.spec.private_key = folder / "impostor.der", folder / "impostor-key.pem"
    await asyncio.to_thread(server.start)
    await rows.site.client.all_bad("pinned", 1, MARGIN * NOTICED, "not_trusted")
    assert server.do("counts") == (0, 0)
    server.kill()
    server.spec.certificate, server.spec.private_key = own
    await asyncio.to_thread(server.start)
    await row.is_back()
    await row.was_connected_anew()
