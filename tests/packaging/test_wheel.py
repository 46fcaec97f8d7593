"""What is shipped: three packages, the examples and the unit; nothing else, and nobody else's names."""

import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from configparser import ConfigParser
from pathlib import Path

import gateway
from tests.packaging.conftest import Built
from tests.servers import ROOT

PACKAGES = {"gateway", "drivers", "simulators"}
DATA = f"plantgate-{gateway.__version__}.data/data/share/plantgate/"


def names_in(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_holds_the_packages_and_the_shared_files_only(built: Built) -> None:
    tops = {name.partition("/")[0] for name in names_in(built.wheel)}
    version = gateway.__version__
    assert tops == PACKAGES | {f"plantgate-{version}.data", f"plantgate-{version}.dist-info"}


def test_every_module_of_the_working_tree_is_in_the_wheel(built: Built) -> None:
    sources = {str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    assert sources - set(names_in(built.wheel)) == set()


def test_examples_and_unit_are_shared_files_and_no_other_is(built: Built) -> None:
    shared = {name for name in names_in(built.wheel) if ".data/" in name}
    assert {f"{DATA}config/boiler-house.yaml", f"{DATA}systemd/plantgate@.service"} <= shared
    assert all(name.startswith((f"{DATA}config/", f"{DATA}systemd/")) for name in shared)


def test_nothing_compiled_and_nothing_of_the_tests_is_shipped(built: Built) -> None:
    assert [name for name in names_in(built.wheel) if not name.endswith((".py", ".typed")) and ".da" not in name
            and ".dist-info/" not in name] == []  # fmt: skip
    assert [name for name in names_in(built.wheel) if name.startswith(("tests/", "tools/", "benchmarks/"))] == []


def test_installed_files_lie_where_the_manual_says(installed: Path) -> None:
    assert (installed / "share/plantgate/systemd/plantgate@.service").is_file()
    assert (installed / "share/plantgate/config/boiler-house.yaml").is_file()
    assert (installed / "bin/plantgate").stat().st_mode & 0o111


def test_the_folder_names_belong_to_plantgate_alone(installed: Path) -> None:
    """Names this plain would clash in a shared site-packages; in the venv nobody else may bring them."""
    script = "import importlib.metadata, json; print(json.dumps(importlib.metadata.packages_distributions()))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], env={**os.environ, "PYTHONPATH": str(installed)}, cwd=installed,
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    owners = json.loads(done.stdout)
    assert {name: set(owners[name]) for name in PACKAGES} == {name: {"plantgate"} for name in PACKAGES}


def test_the_command_is_called_plantgate(built: Built) -> None:
    scripts = ConfigParser()
    with zipfile.ZipFile(built.wheel) as archive:
        (path,) = [name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt")]
        scripts.read_string(archive.read(path).decode())
    assert dict(scripts["console_scripts"]) == {"plantgate": "gateway.cli:main"}


def test_the_command_starts_and_says_what_it_can_do() -> None:
    command = Path(sys.executable).parent / "plantgate"
    done = subprocess.run([command, "--help"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "plantgate" in done.stdout
    assert "run" in done.stdout


def test_folders_that_are_no_packages_have_no_init() -> None:
    """An `__init__.py` in systemd/ would hide systemd-python; one in tests/ would ship the tests' names."""
    for folder in ("config", "systemd", "tests", "benchmarks", "tools", "docs"):
        assert list((ROOT / folder).rglob("__init__.py")) == []


def test_no_file_names_a_host_of_packages(built: Built) -> None:
    """Where packages come from is the business of the machine that installs them: a mirror, a proxy, a disc."""
    hosts = re.compile(
        rb"pypi\.(org|python)|pythonhosted\.org|deb\.debian\.org|archive\.ubuntu\.com|proxy\.golang\.org"
        rb"|registry\.npmjs|crates\.io|ghcr\.io|docker\.io|quay\.io|repo\.maven|rubygems\.org|conda\.anaconda"
        rb"|--(extra-)?index-url|--trusted-host|--find-links"
    )
    with tarfile.open(built.sdist) as archive:
        files = {member.name.partition("/")[2]: archive.extractfile(member) for member in archive if member.isfile()}
        found = {name for name, file in files.items() if file and hosts.search(file.read())}
    assert found == {str(Path(__file__).relative_to(ROOT))}  # this very file, which shows that the search finds
    assert {"Makefile", "pyproject.toml", "constraints.txt", "tools/make_venv.sh"} <= set(files)
