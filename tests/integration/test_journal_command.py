"""`plantgate audit`, while a gateway writes and when none does."""

import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.audit.chain import head_text
from gateway.audit.record import Intent, Saw, Trip
from gateway.cli import main
from gateway.storage.port import Change, Limits, Table
from tests.servers import ROOT
from tests.unit.gateway.storage.journals import SMALL, journal, kept

SAW = {"boiler.pressure": Saw(12.5, "good", 0.1)}
RECORDS = [
    Intent(principal="operator-1", command="c1", verb="write", request={"boiler.fan": 3}, saw=SAW, verdict="ok",
           epoch=1, tags=["boiler.fan"]).plain(),
    Trip(constraint="overspeed", verdict="violated", first_out=True, saw=SAW, epoch=2, tags=["turbine.speed"]).plain(),
    {"kind": "refusal", "principal": "m\x1b[31mallory", "code": "forbidden"},
]  # fmt: skip


async def written(folder: Path) -> Path:
    async with journal(folder) as each:
        await each.commit(RECORDS, [Change(Table.TRIPS, "overspeed", {})])
    return folder


def shown(capsys: pytest.CaptureFixture[str], folder: Path, *more: str) -> list[dict[str, Any]]:
    assert main(["audit", "show", str(folder), "--json", *more]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


async def test_show_prints_the_newest_records_newest_last(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = await written(tmp_path)
    assert main(["audit", "show", str(folder), "-n", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["2", "3", "4"]
    assert re.search(r"2 +20..-..-..T\S+Z +intent +operator-1 .*command=c1", lines[0])
    assert "\x1b" not in lines[2]
    assert [record["kind"] for record in shown(capsys, folder)] == ["journal", "intent", "trip", "refusal"]


@pytest.mark.parametrize(
    ("filters", "kinds"),
    [
        (["--kind", "trip"], ["trip"]),
        (["--principal", "operator-1"], ["intent"]),
        (["--tag", "boiler.*"], ["intent"]),
        (["--tag", "turbine.speed"], ["trip"]),
        (["--since", "1h", "--kind", "intent"], ["intent"]),
        (["--until", "2020-01-01T00:00:00Z"], []),
        (["--since", "2020-01-01T00:00:00+01:00", "-n", "1"], ["refusal"]),
    ],
)
async def test_show_filters_by_kind_principal_tag_and_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], filters: list[str], kinds: list[str]
) -> None:
    assert [record["kind"] for record in shown(capsys, await written(tmp_path), *filters)] == kinds


async def test_all_three_work_while_a_gateway_writes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async with journal(tmp_path) as each:
        await each.commit(RECORDS)
        assert main(["audit", "verify", str(tmp_path)]) == 0
        assert "records 1 to 4 are in place" in capfd.readouterr().out
        await each.commit(RECORDS)
        assert main(["audit", "export", str(tmp_path)]) == 0
        assert len(capfd.readouterr().out.splitlines()) == 7
        assert main(["audit", "show", str(tmp_path)]) == 0
        assert await each.commit(RECORDS)
        assert each.state.healthy


async def test_verify_names_the_first_bad_record_and_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = await written(tmp_path)
    head = head_text(kept(folder)[-1].head)
    assert main(["audit", "verify", str(folder), "--head", head]) == 0
    capsys.readouterr()
    with sqlite3.connect(folder / "journal.db") as other:
        other.execute(
            "UPDATE record SET body = CAST(replace(body, 'overspeed', 'overspend') AS BLOB) WHERE sequence = 3"
        )
    other.close()
    assert main(["audit", "verify", str(folder), "--json"]) == 3
    report = json.loads(capsys.readouterr().out)
    assert report["proved"] is False
    assert report["problem"]["sequence"] == 3
    assert "changed" in report["problem"]["what"]
    assert report["last"] == 2


async def test_verify_finds_a_cut_off_tail_by_a_head_known_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = await written(tmp_path)
    head = head_text(kept(folder)[-1].head)
    with sqlite3.connect(folder / "journal.db") as other:
        other.execute("DELETE FROM record WHERE sequence > 2")
    other.close()
    (folder / "journal.head").unlink()
    assert main(["audit", "verify", str(folder)]) == 0  # by itself it looks whole
    assert main(["audit", "verify", str(folder), "--head", head]) == 3
    assert "NOT PROVED: record 3: the tail is cut off" in capsys.readouterr().out
    assert main(["audit", "verify", str(folder), "--head", f"2:{'0' * 64}"]) == 3
    assert "record 2: it is not the one" in capsys.readouterr().out


async def test_a_head_that_is_none_and_a_folder_without_a_journal_are_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = await written(tmp_path)
    assert main(["audit", "verify", str(folder), "--head", "12"]) == 2
    assert (
        capsys.readouterr().err == "--head: '12' is no head; it is SEQUENCE:HASH, a number and 64 hexadecimal digits\n"
    )
    assert main(["audit", "show", str(tmp_path / "elsewhere")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0" + bytes(84), b"nothing of the kind" * 300])
async def test_a_journal_that_is_no_database_is_not_proved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    folder = await written(tmp_path)
    (folder / "journal.db").write_bytes(content)
    assert main(["audit", "verify", str(folder)]) == 3
    assert "NOT PROVED: record 1: the database cannot be read" in capsys.readouterr().out


async def third_party(tmp_path: Path, export: bytes) -> subprocess.CompletedProcess[str]:
    (script,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "audit.md").read_text(), re.DOTALL)
    (tmp_path / "verify.py").write_text(script)
    (tmp_path / "audit.jsonl").write_bytes(export)
    command = [sys.executable, "-I", "verify.py", "audit.jsonl"]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)  # noqa: ASYNC221


@pytest.mark.parametrize("limits", [SMALL, Limits(size=6000, segment=1500, reserve=0)], ids=["all", "some dropped"])
async def test_the_script_in_the_docs_verifies_an_export_and_finds_what_is_wrong(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], limits: Limits
) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    async with journal(folder, limits) as each:
        for _ in range(10):
            await each.commit(RECORDS)
    assert main(["audit", "export", str(folder)]) == 0
    export = capfdbinary.readouterr().out
    good = await third_party(tmp_path, export)
    assert good.stdout.strip() == head_text(kept(folder)[-1].head), good.stderr
    lines = export.splitlines(keepends=True)
    wrong = {
        "changed": [
            *lines[:4],
            lines[4].replace(b"seconds", b"secondz").replace(b'"kind":"', b'"kind":"x'),
            *lines[5:],
        ],
        "removed": lines[:4] + lines[5:],
        "swapped": [*lines[:4], lines[5], lines[4], *lines[6:]],
    }
    for what, export_of_it in wrong.items():
        found = await third_party(tmp_path, b"".join(export_of_it))
        assert found.returncode == 1, what
        assert "line 5 is wrong" in found.stderr


async def test_an_export_into_a_pipe_that_closes_ends_quietly(tmp_path: Path) -> None:
    folder = await written(tmp_path)
    command = f"{sys.executable} -m gateway audit export {folder} | head -n 1"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=50, check=False)  # noqa: ASYNC221
    assert done.stderr == ""
    assert json.loads(done.stdout)["record"]["sequence"] == 1
