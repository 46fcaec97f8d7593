import importlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from drivers import registry
from gateway.safety.kinds import KINDS
from gateway.settings.schema import build_schema, write_schema

ROOT = Path(__file__).parents[4]
COMMITTED = ROOT / "config" / "plantgate.schema.json"


def test_the_committed_schema_is_the_code_s() -> None:
    assert COMMITTED.read_text() == write_schema(), "run: plantgate schema > config/plantgate.schema.json"


def test_the_schema_is_the_same_in_every_process() -> None:
    command = [sys.executable, "-c", "from gateway.settings.schema import write_schema; print(write_schema(), end='')"]
    environ = {**os.environ, "PYTHONHASHSEED": "4711"}
    ran = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
    assert ran.stdout == write_schema()


def test_the_schema_knows_every_built_in_driver_and_every_kind_of_constraint() -> None:
    definitions = build_schema()["$defs"]
    assert definitions["Device"]["else"]["properties"]["driver"]["enum"] == [*sorted(registry.BUILT_IN), "computed"]
    assert definitions["Constraint"]["properties"]["kind"]["enum"] == list(KINDS)


def test_every_reference_of_the_schema_leads_somewhere() -> None:
    schema = build_schema()
    wanted: set[str] = set()

    def collect(part: Any) -> None:
        if isinstance(part, dict):
            wanted.update(str(part["$ref"]) for _ in range("$ref" in part))
            part = list(part.values())
        for each in part if isinstance(part, list) else ():
            collect(each)

    collect(schema)
    assert {reference.removeprefix("#/$defs/") for reference in wanted} <= set(schema["$defs"])
    assert len(wanted) > 20


def test_fields_are_described_in_the_words_of_their_own_source() -> None:
    scan = build_schema()["$defs"]["DeviceSettingsWithModbusDevice"]["properties"]["scan"]
    assert scan["description"].startswith("The scan period")
    assert scan["default"] == "1s"


@pytest.mark.skipif(importlib.util.find_spec("jsonschema") is None, reason="jsonschema is not among the dev tools")
@pytest.mark.parametrize("file", sorted((ROOT / "config").glob("*.yaml")), ids=lambda file: file.name)
def test_what_is_shipped_fits_the_schema(file: Path) -> None:
    jsonschema = importlib.import_module("jsonschema")
    loaded = json.loads(json.dumps(yaml.safe_load(file.read_text())))
    loaded["gateway"].pop("control", None)  # PyYAML's own reading takes `on` for a boolean
    jsonschema.Draft202012Validator(build_schema()).validate(loaded)
