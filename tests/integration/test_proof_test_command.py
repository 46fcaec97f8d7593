"""`plantgate proof-test`, as a person and as a program see it; and that it reaches nothing of the plant."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from gateway.audit.chain import head_text
from gateway.cli import main
from gateway.storage.reading import reading
from gateway.storage.state_directory import claim
from tests.servers import ROOT

pytestmark = pytest.mark.real

CONFIG = """
gateway: {{id: test, control: on}}
mqtt: {{url: "mqtt://127.0.0.1:{mqtt}"}}
http: {{listen: "127.0.0.1:{http}"}}
authority: {{operator-1: {{role: operator, may: [write], tags: [boiler.*]}}}}
devices:
  boiler:
    driver: modbus
    url: tcp://127.0.0.1:{modbus}
    tags:
      steam: {{address: "input:0", type: float32, range: [0, 700]}}
      burner: {{address: "coil:0", writable: true}}
  turbine:
    driver: opcua
    url: opc.tcp://127.0.0.1:{opcua}/
    tags:
      speed: {{node: "ns=2;s=a"}}
  line:
    driver: modbus
    url: rtu://{line}?baudrate=19200
    tags:
      flow: {{address: "input:0"}}
safety:
  constraints:
    - {{name: hot, kind: threshold, tag: boiler.steam, max: 580, level: critical, on_trip: {{boiler.burner: false}}}}
    - {{name: fast, kind: threshold, tag: turbine.speed, max: 3600, level: high, applies_to: ['*']}}
    - {{name: wet, kind: threshold, tag: line.flow, max: 100, level: high, applies_to: ['*']}}
    - {{name: who_may, kind: permission, level: critical}}
"""


class Site:
    """A configuration whose addresses somebody listens at."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.servers = {name: stack.enter_context(listening()) for name in ("mqtt", "http", "modbus", "opcua")}
        self.line = folder / "tty"
        ports = {name: server.getsockname()[1] for name, server in self.servers.items()}
        self.config = folder / "plant.yaml"
        self.config.write_text(CONFIG.format(**ports, line=self.line))

    def was_reached(self) -> list[str]:
        found = []
        for name, server in self.servers.items():
            server.settimeout(0)
            try:
                server.accept()[0].close()
            except BlockingIOError:
                continue
            found.append(name)
        return found


@contextmanager
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(tmp_path, stack)


def run(site: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway", "proof-test", str(site.config), *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(site.folder), "STATE_DIRECTORY": str(site.folder / "state")},
    )  # fmt: skip


def test_every_case_is_a_line_and_nothing_of_the_plant_is_reached(site: Site) -> None:
    done = run(site)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"proof test of {site.config}, 20")
    assert lines[1].startswith("plantgate ")
    assert "configuration sha256:" in lines[1]
    above = "proved      hot: boiler.steam above max 580: refused halted (4 times), tripped after 0 s, 1 frame"
    assert above in lines
    assert lines[-1].endswith("0 failed, 0 not proved")
    assert site.was_reached() == []
    assert sorted(each.name for each in site.folder.iterdir()) == ["plant.yaml"]


def test_a_program_reads_it_as_json_and_test_tools_as_junit(site: Site) -> None:
    file = site.folder / "proof.xml"
    done = run(site, "--json", "--junit", str(file), "--only", "who_may")
    report = json.loads(done.stdout)
    assert done.returncode == 0
    assert (report["proved"], report["failed"], report["not_proved"]) == (3, 0, 0)
    assert {case["constraint"] for case in report["cases"]} == {"who_may"}
    assert report["cases"][-1]["replies"][0]["code"] == "forbidden"
    suites = ET.fromstring(file.read_text())
    (suite,) = suites.findall("testsuite")
    assert (suite.get("name"), suite.get("tests"), suite.get("failures"), suite.get("skipped")) == (
        "who_may", "3", "0", "0",
    )  # fmt: skip


def test_what_is_not_proved_ends_with_3_and_counts_as_skipped(site: Site) -> None:
    site.config.write_text(site.config.read_text().replace("[write], tags: [boiler.*]}}", "[write], tags: [x.*]}}"))
    site.config.write_text(site.config.read_text().replace(", writable: true", "").replace(
        ", on_trip: {boiler.burner: false}", ""))  # fmt: skip
    file = site.folder / "proof.xml"
    done = run(site, "--only", "hot", "--junit", str(file))
    assert done.returncode == 3
    assert "not proved  hot: it denies writes in its scope: it covers no writable tag" in done.stdout
    assert ET.fromstring(file.read_text()).find("testsuite/testcase/skipped") is not None


def test_a_wrong_configuration_and_a_wrong_name_end_with_2(site: Site) -> None:
    wrong = run(site, "--only", "hott")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == "--only: no constraint is called 'hott'; did you mean 'hot'?\n"
    site.config.write_text("gateway: {id: test}\n")
    assert run(site).returncode == 2
    site.config.write_text("gateway: {}\n")
    assert run(site).returncode == 2


def test_a_defect_ends_with_1_and_says_what_was_expected_and_seen(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from gateway.safety.kinds.permission import PermissionRule  # noqa: PLC0415  (beside its only use)

    monkeypatch.setattr(PermissionRule, "object", lambda *_: None)
    assert main(["proof-test", str(site.config), "--only", "who_may"]) == 1
    told = capsys.readouterr().out
    failure = "expected a refusal (forbidden) of boiler.burner=False; seen nothing was said against it"
    assert f"failed      who_may: anonymous may write 0 and may not write 1 of the tags: {failure}" in told


def test_a_summary_is_chained_into_the_audit_log_of_a_gateway_at_rest(site: Site) -> None:
    state = site.folder / "gateway-state"
    absent = run(site, "--only", "who_may", "--record", str(state))
    assert (absent.returncode, absent.stdout) == (1, "")
    assert "there is no such directory" in absent.stderr
    state.mkdir()
    done = run(site, "--only", "who_may", "--record", str(state))
    assert done.returncode == 0, done.stderr
    with reading(state) as journal:
        (chained,) = [each for each in journal.records() if b'"kind":"proof_test"' in each.body]
        assert done.stderr == f"on record in {state}: {head_text(chained.head)}\n"
    record = json.loads(chained.body)
    assert (record["only"], record["proved"], record["failed"], record["not_proved"]) == ("who_may", 3, 0, 0)
    assert f"sha256:{record['digest']}" in done.stdout


def test_a_state_directory_in_use_is_left_alone(site: Site) -> None:
    state = site.folder / "gateway-state"
    with claim(state):
        done = run(site, "--only", "who_may", "--record", str(state))
    assert (done.returncode, done.stdout) == (1, "")
    assert "another gateway owns this directory" in done.stderr


@pytest.mark.timeout(300)
def test_the_boiler_house_is_proved_but_for_who_may_write(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["proof-test", str(ROOT / "config/boiler-house.yaml")]) == 3
    told = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in told[2:-1] if not line.startswith("proved")] == ["not proved  who_may"]
