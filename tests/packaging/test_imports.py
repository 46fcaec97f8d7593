"""What an import costs and what pure code may touch; the arrows between parts are import-linter's business."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT

HEAVY = ("asyncua", "pymodbus", "aiomqtt", "paho", "pydantic", "prometheus_client", "yaml", "rich", "cryptography")

LIGHT = [
    "drivers.values", "drivers.base", "drivers.errors", "drivers.registry", "drivers.memory",
    "gateway", "gateway.clock", "gateway.counters", "gateway.errors", "gateway.lifecycle",
    "gateway.tags", "gateway.safety", "gateway.control", "gateway.endpoints",
    "gateway.northbound.settings", "gateway.observability.settings", "gateway.observability.logs",
    "gateway.observability.health", "gateway.observability.http",
]  # fmt: skip
"""Modules, and packages with all their modules, that load no library: the core is a library too."""

PURE = [
    "gateway/safety", "gateway/tags/conditioning.py", "gateway/scheduling/strategy.py",
    "gateway/scheduling/trigger.py", "gateway/coordination/lease.py", "gateway/northbound/names.py",
    "gateway/northbound/payloads.py", "gateway/bus/topic.py", "gateway/audit/chain.py",
    "gateway/observability/health.py", "gateway/observability/repeats.py",
    "drivers/modbus/codec.py", "drivers/modbus/read_plan.py", "simulators/plant",
]  # fmt: skip
"""Where decisions are made: values in, values out. Those that are not built yet are absent."""
SHELLS = {ROOT / "gateway/safety/monitor.py"}
"""They lie in a pure folder and give it its clock and its ids."""
IMPURE = {"asyncio", "socket", "time", "random", "logging", "threading", "subprocess", "secrets", "uuid", "os"}
FIRST_PARTY = {"gateway", "drivers", "simulators"}


def modules(name: str) -> list[str]:
    """Return the module itself, and all below it where it is a package with more than its doc."""
    folder = ROOT / name.replace(".", "/")
    if name == "gateway" or not folder.is_dir():
        return [name]
    return [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            for path in sorted(folder.rglob("*.py"))]  # fmt: skip


def test_the_core_loads_none_of_the_libraries() -> None:
    wanted = [module for name in LIGHT for module in modules(name)]
    script = (
        "import importlib, sys\n"
        "for name in sys.argv[1].split():\n"
        "    importlib.import_module(name)\n"
        "    loaded = {module.partition('.')[0] for module in sys.modules} & set(sys.argv[2].split())\n"
        "    if loaded: sys.exit(f'{name} loads {sorted(loaded)}')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, " ".join(wanted), " ".join(HEAVY)], cwd=ROOT, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {"gateway.safety.gate", "gateway.tags.image", "gateway.control.guard"} <= set(wanted)


def imports_at_run_time(tree: ast.AST) -> set[str]:
    """Return the top names that are imported, those for type checkers left out."""
    found: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
            found |= imports_at_run_time(ast.Module(node.orelse, []))
        elif isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
        else:
            found |= imports_at_run_time(node)
    return found


def impurities(source: str) -> set[str]:
    allowed = (sys.stdlib_module_names - IMPURE) | FIRST_PARTY
    return imports_at_run_time(ast.parse(source)) - allowed


def pure_files() -> list[Path]:
    places = [ROOT / place for place in PURE]
    files = [file for place in places for file in (sorted(place.rglob("*.py")) if place.is_dir() else [place])]
    return [file for file in files if file.exists() and file not in SHELLS]


def test_pure_code_has_no_loop_no_clock_no_chance_no_log_and_no_library() -> None:
    found = {str(file.relative_to(ROOT)): names for file in pure_files() if (names := impurities(file.read_text()))}
    assert found == {}


def test_the_pure_zones_that_are_built_are_looked_at() -> None:
    looked_at = {str(file.relative_to(ROOT)) for file in pure_files()}
    assert {"gateway/safety/gate.py", "gateway/tags/conditioning.py", "drivers/modbus/codec.py"} <= looked_at


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import time", {"time"}),
        ("from asyncio import sleep", {"asyncio"}),
        ("def f():\n    import random", {"random"}),
        ("import pydantic.fields", {"pydantic"}),
        ("if TYPE_CHECKING:\n    import asyncio\nelse:\n    import socket", {"socket"}),
        ("import math, json\nfrom gateway.clock import Clock", set()),
    ],
)
def test_an_impurity_is_found_wherever_it_is_imported(source: str, found: set[str]) -> None:
    assert impurities(source) == found
