"""What docs/operating.md says of reasons and metrics, held against the code."""

import ast
import re
from collections.abc import Iterator

from tests.servers import ROOT

PAGES = [ROOT / "docs/operating.md", ROOT / "docs/scaling.md", *sorted((ROOT / "docs/drivers").glob("*.md"))]
CODE = [
    *(ROOT / "drivers/modbus").glob("*.py"),
    *(ROOT / "drivers/opcua").glob("*.py"),
    *(ROOT / "gateway").rglob("*.py"),
]
GIVE_REASONS = {"DeviceFault", "LinkLost", "Split", "Cause", "Spoiled", "Doubt", "bad"}
WORD = re.compile(r"[a-z][a-z0-9_]*")
NEVER_SHOWN = {"closing", "bad"}
"""The end of a connection that was ordered; a status that has no word of its own."""


def reasons() -> Iterator[str]:
    for file in CODE:
        if "writ" in file.stem:  # why a write is refused is no reason of a tag
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(word)), *_]) if name in GIVE_REASONS:
                    if WORD.fullmatch(word):
                        yield word


def test_every_reason_that_the_code_gives_is_explained() -> None:
    found = set(reasons())
    assert {"timeout", "not_implemented", "namespace_unknown", "crash"} <= found
    page = (ROOT / "docs/operating.md").read_text()
    assert {word for word in found - NEVER_SHOWN if f"`{word}`" not in page} == set()


def test_every_metric_that_the_pages_name_exists() -> None:
    files = (ROOT / "gateway/observability").glob("*metrics.py")
    served = "".join(file.read_text() for file in files)
    named = {name for page in PAGES for name in re.findall(r"plantgate_[a-z_]+(?=[`{\[ ])", page.read_text())}
    assert "plantgate_device_demoted" in served
    metrics = {name for name in named if name != "plantgate_"}
    assert metrics
    assert {name for name in metrics if f'"{name}"' not in served} == set()
