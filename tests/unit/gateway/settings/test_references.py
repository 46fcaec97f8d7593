from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from gateway.settings.findings import Findings
from gateway.settings.references import Resolver
from gateway.settings.tree import plain
from gateway.settings.yaml_source import parse


def resolve(text: str, environ: dict[str, str], folder: Path = Path()) -> tuple[object, list[str]]:
    findings = Findings(folder)
    root = parse(f"key: {text}\n", "f", findings)
    assert root is not None
    Resolver(environ, folder).resolve(root, (), findings)
    return plain(root, ())["key"], [problem.message for problem in findings.problems]


def test_a_reference_may_be_part_of_a_text() -> None:
    assert resolve("tcp://${env:HOST}:${env:PORT}", {"HOST": "plc", "PORT": "502"}) == ("tcp://plc:502", [])


def test_a_doubled_dollar_is_no_reference() -> None:
    assert resolve("$${env:HOST} costs $5", {}) == ("${env:HOST} costs $5", [])


def test_what_a_reference_gave_is_not_resolved_again() -> None:
    assert resolve("${env:A}", {"A": "${env:B}", "B": "secret"}) == ("${env:B}", [])


def test_a_file_loses_its_last_line_end_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(" pass word \n\n")
    assert resolve("${file:password}", {}, tmp_path) == (" pass word \n", [])
    (tmp_path / "password").write_text("pass\r\n", newline="")
    assert resolve("${file:password}", {}, tmp_path) == ("pass", [])


def test_a_credential_of_a_whole_folder_is_found_under_the_name_that_systemd_gave_it(tmp_path: Path) -> None:
    (tmp_path / "plantgate_mqtt").write_text("s3cret\n")
    assert resolve("${credential:mqtt}", {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == ("s3cret", [])


def test_a_credential_comes_from_the_service_s_own_folder(tmp_path: Path) -> None:
    (tmp_path / "mqtt").write_text("s3cret")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert resolve("${credential:mqtt}", environ) == ("s3cret", [])
    _, problems = resolve("${credential:other}", environ)
    assert problems == [f"${{credential:other}}: {tmp_path}/other cannot be read: No such file or directory"]
    _, problems = resolve("${credential:../mqtt}", environ)
    assert problems == ["${credential:../mqtt}: a credential has a plain name, without /"]


def test_a_file_that_is_no_small_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 70_000)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "nul").write_bytes(b"a\x00b")
    assert resolve("${file:large}", {}, tmp_path)[1] == [f"${{file:large}}: {tmp_path}/large is larger than 64 KiB"]
    assert resolve("${file:binary}", {}, tmp_path)[1] == [f"${{file:binary}}: {tmp_path}/binary is not UTF-8 text"]
    assert resolve("${file:nul}", {}, tmp_path)[1] == [
        "${file:nul} gives an unprintable character; nothing here can hold one"
    ]


def test_an_anchored_text_is_resolved_once(tmp_path: Path) -> None:
    value, problems = resolve("[&a '${env:A}', *a]", {"A": "${env:A}"})
    assert (value, problems) == (["${env:A}", "${env:A}"], [])


@given(st.text(st.sampled_from("${}:envAfilecrdt/ "), max_size=30))
def test_any_text_is_resolved_or_refused(text: str) -> None:
    quoted = "'" + text + "'"
    resolve(quoted, {"A": "value"})
