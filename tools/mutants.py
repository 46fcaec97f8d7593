"""Mutation testing of gateway/safety: `make mutants`, or `python tools/mutants.py [--children N] [--again]`.

Works on a copy in build/mutants. Every survivor has to stand in docs/mutation.md with its reason, and 90 % have to be
killed; else it says what is missing and ends with 1. Writes build/survivors.md: what survived, in the form of the page.
"""

import argparse
import ast
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
COPY = ROOT / "build" / "mutants"
PAGE = ROOT / "docs" / "mutation.md"
SOURCE = "gateway/safety"
TESTS = "tests/unit/gateway/safety"
LEAST = 0.90
"""The share of mutants that the tests have to kill."""
DEAD = frozenset(("killed", "timeout"))
SETTINGS = f"""
[tool.pytest.ini_options]
addopts = "--import-mode=importlib"
pythonpath = ["."]
asyncio_mode = "auto"
asyncio_default_fixture_loop_scope = "function"

[tool.mutmut]
source_paths = ["{SOURCE}"]
also_copy = ["gateway", "drivers"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-p", "no:xdist"]
pytest_add_cli_args_test_selection = ["{TESTS}"]
use_setproctitle = false
use_git_change_detection = false
"""


class Survivor(NamedTuple):
    """A change that no test noticed. mutmut's number is no part of it: that moves with every line above it."""

    file: str
    function: str
    was: str
    became: str


def copy() -> None:
    """Make the copy anew: what is tested, what it imports, and its tests without the fixtures of the other ones."""
    shutil.rmtree(COPY, ignore_errors=True)
    for tree in ("gateway", "drivers", TESTS):
        shutil.copytree(ROOT / tree, COPY / tree, ignore=shutil.ignore_patterns("__pycache__"))
    (COPY / "pyproject.toml").write_text(SETTINGS)
    for file in (COPY / SOURCE).rglob("*.py"):
        file.write_text(without_property_decorators(file.read_text()))


def without_property_decorators(source: str) -> str:
    """Return the same code with every property written as a method and a call: mutmut mutates nothing decorated."""
    lines = source.splitlines()
    for node in sorted(_properties(ast.parse(source)), key=lambda each: each.lineno, reverse=True):
        last, indent = node.end_lineno or node.lineno, " " * node.col_offset
        lines.insert(last, f"{indent}{node.name} = property(get_{node.name})")
        lines[node.lineno - 1] = lines[node.lineno - 1].replace(f"def {node.name}(", f"def get_{node.name}(", 1)
        del lines[node.lineno - 2]
    return "\n".join(lines) + "\n"


def _properties(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and [ast.unparse(each) for each in node.decorator_list] == ["property"]:
            yield node


def survivor(mutant: dict[str, str]) -> Survivor:
    """Return a mutant with the file and the function that it is in."""
    module, _, mangled = mutant["name"].rpartition(".")
    file = module.replace(".", "/")
    file = f"{file}.py" if (ROOT / f"{file}.py").exists() else f"{file}/__init__.py"
    function = mangled.rpartition("__mutmut_")[0].removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
    return Survivor(file, function.replace("get_", ""), mutant["was"], mutant["became"])


def listed(page: str) -> set[Survivor]:
    """Return every survivor that the page names."""
    found, file, function = set(), "", ""
    for match in re.finditer(r"^### `(.+)` `(.+)`$|^- `(.*)`\n  `(.*)`$", page, re.MULTILINE):
        if match[1]:
            file, function = match[1], match[2]
        else:
            found.add(Survivor(file, function, match[3], match[4]))
    return found


def shown(survivors: Iterable[Survivor]) -> str:
    """Return survivors in the form of the page."""
    parts, before = [], ("", "")
    for each in sorted(survivors):
        if (each.file, each.function) != before:
            before = (each.file, each.function)
            parts.append(f"\n### `{each.file}` `{each.function}`\n")
        parts.append(f"- `{each.was}`\n  `{each.became}`")
    return "\n".join(parts) + "\n"


def judge(mutants: list[dict[str, str]]) -> int:
    """Print how many were killed, and what the page lacks; return the exit code."""
    counts = Counter(mutant["state"] for mutant in mutants)
    share = sum(counts[state] for state in DEAD) / max(len(mutants), 1)
    survivors = {survivor(mutant) for mutant in mutants if mutant["state"] not in DEAD}
    (ROOT / "build" / "survivors.md").write_text(shown(survivors))
    known = listed(PAGE.read_text()) if PAGE.exists() else set()
    print(f"\n{len(mutants)} mutants of {SOURCE}, {share:.1%} killed (at least {LEAST:.0%}): {dict(counts)}")
    for title, entries in (("not in docs/mutation.md", survivors - known), ("there, and killed", known - survivors)):
        if entries:
            print(f"\n{title}:\n{shown(entries)}")
    return 0 if share >= LEAST and survivors == known else 1


def main() -> int:
    """Run every mutant; return 1 where too many survive or the page is not in order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=2, help="how many run at once")
    parser.add_argument("--again", action="store_true", help="judge the results of the last run")
    arguments = parser.parse_args()
    if not arguments.again:
        copy()
        runner = ROOT / "tools" / "warm_mutmut.py"
        subprocess.run([sys.executable, str(runner), str(arguments.children)], cwd=COPY, check=True)
    return judge(json.loads((COPY / "results.json").read_text()))


if __name__ == "__main__":
    sys.exit(main())
