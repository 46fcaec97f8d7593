"""The commands of docs/drivers/opcua.md that make certificates: they run, and the gateway takes what they make."""

import re
from datetime import UTC, datetime
from pathlib import Path
from shutil import which
from subprocess import run

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from drivers.opcua.certificate_files import load_certificates
from drivers.opcua.security import load_credentials
from drivers.opcua.security_settings import OpcUaSecurity
from drivers.opcua.trust import NotTrusted, Trust, check_server
from tests.servers import ROOT

pytestmark = [pytest.mark.real, pytest.mark.skipif(which("openssl") is None, reason="openssl is not installed")]


def test_the_documented_commands_make_what_the_gateway_takes(tmp_path: Path) -> None:
    text = (ROOT / "docs/drivers/opcua.md").read_text()
    section = text[text.index("### Making certificates") :]
    blocks = re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        done = run(["bash", "-e", "-c", block], cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False)
        assert done.returncode == 0, done.stderr
    keys = OpcUaSecurity(
        "Basic256Sha256",
        "SignAndEncrypt",
        tmp_path / "gateway.pem",
        tmp_path / "gateway-key.pem",
        trust=tmp_path / "authority.pem",
        revoked=tmp_path / "authority.crl",
    )
    now = datetime.now(UTC)
    found = load_credentials(keys, now)
    assert found.application_uri == "urn:boiler-house:plantgate"
    assert load_certificates(tmp_path / "gateway.der") == [found.gateway.certificate]
    server = load_certificates(tmp_path / "plc.pem")[0].public_bytes(Encoding.DER)
    trust = Trust(found.trust.certificates)
    for host in ("plc-1", "192.0.2.10"):
        check_server(server, trust, host, "urn:plc-1:server", now)
    with pytest.raises(NotTrusted, match="CN=plc-1 has been revoked by CN=boiler-house authority"):
        check_server(server, found.trust, "plc-1", "urn:plc-1:server", now)
