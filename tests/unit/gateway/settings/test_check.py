import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import check, schema
from gateway.settings.schema import write_schema


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    check.add(commands)
    schema.add(commands)
    options = parser.parse_args(arguments)
    return int(options.run(options))


def checked_as_json(file: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    code = run("check", str(file), "--json")
    return code, json.loads(capsys.readouterr().out)


def test_problems_come_as_json_with_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "plant.yaml"
    file.write_text("gateway: {id: x, contrl: on}\n")
    assert checked_as_json(file, capsys) == (
        2,
        {
            "ok": False,
            "problems": [
                {
                    "file": str(file),
                    "line": 1,
                    "column": 18,
                    "path": "gateway",
                    "message": "unknown key 'contrl'; did you mean 'control'?",
                }
            ],
            "notes": [],
        },
    )


def test_notes_and_counts_come_as_json_with_exit_code_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "plant.yaml"
    file.write_text("gateway: {id: x}\ndevices: {d: {driver: memory, tags: {t: {address: a}}}}\ntasks: []\n")
    code, report = checked_as_json(file, capsys)
    assert code == 0
    assert [note["path"] for note in report["notes"]] == ["tasks"]
    assert (report["ok"], report["devices"], report["tags"], report["constraints"]) == (True, 1, 1, 0)


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema") == 0
    assert capsys.readouterr().out == write_schema()
