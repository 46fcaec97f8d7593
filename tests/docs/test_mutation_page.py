"""docs/mutation.md lists what survived mutation with a reason each, and nothing that the code no longer has."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "mutation.md").read_text()
SECTIONS = re.findall(r"^### `([^`\n]+)` `([^`\n]+)`\n\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
ENTRY = re.compile(r"^- `(.*)`\n  `(.*)`\n  (\S.*)$", re.MULTILINE)


def source_of(file: str, name: str) -> str:
    """Return the text of a function or a method, its lines without their indentation."""
    text = (ROOT / file).read_text()
    *owner, function = name.split(".")
    body: list[ast.stmt] = ast.parse(text).body
    for part in owner:
        body = next(node.body for node in body if isinstance(node, ast.ClassDef) and node.name == part)
    found = next(
        node for node in body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == function
    )
    return " ".join(line.strip() for line in (ast.get_source_segment(text, found) or "").splitlines())


@pytest.mark.parametrize(("file", "function", "entries"), SECTIONS, ids=[f"{each[0]}:{each[1]}" for each in SECTIONS])
def test_every_survivor_is_still_there_and_has_a_reason(file: str, function: str, entries: str) -> None:
    listed = ENTRY.findall(entries)
    assert len(listed) == len(re.findall(r"^- ", entries, re.MULTILINE)), "each has three lines: was, became, reason"
    source = source_of(file, function)
    for was, became, reason in listed:
        assert was.strip() in source
        assert was != became
        assert len(reason.split()) > 2


def test_something_is_listed() -> None:
    assert SECTIONS
