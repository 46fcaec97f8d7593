"""Runs mutmut in the working directory with the tests collected once: `python tools/warm_mutmut.py CHILDREN`.

mutmut forks for every mutant, and every child collects its tests anew, which takes ten times as long as running them.
Here they are collected before the fork. Prints what became of each mutant as JSON: name, state, what was, what became.
"""

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from _pytest.config import _prepareconfig
from _pytest.main import Session
from mutmut import __main__ as program
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.runners.harness import PytestRunner
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import change_cwd
from mutmut.workers import isolation

MUTANTS = "mutants"
"""Where mutmut puts them, below the working directory."""


class WarmRunner(PytestRunner):
    """Runs the tests of a mutant in a session that its parent has collected."""

    def prepare_main_test_run(self) -> None:
        """Collect; called before anything is forked."""
        arguments = ["--rootdir=.", "-p", "no:terminal", *self._pytest_add_cli_args]
        self._failed = False
        with change_cwd(MUTANTS):
            config = _prepareconfig([*arguments, *self._pytest_add_cli_args_test_selection], [self])
            config._do_configure()  # noqa: SLF001  (pytest has no public way to collect and wait)
            session = Session.from_config(config)
            config.hook.pytest_sessionstart(session=session)
            config.hook.pytest_collection(session=session)
        self._items = {item.nodeid: item for item in session.items}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure; called by pytest."""
        self._failed |= report.failed

    def run_tests(self, *, mutant_name: str | None, tests: Iterable[str]) -> int:
        """Run the tests until one fails; without a mutant as mutmut does, in a session of its own."""
        if mutant_name is None:
            return super().run_tests(mutant_name=None, tests=tests)
        items = [self._items[test] for test in tests]
        with change_cwd(MUTANTS):
            for item, following in zip(items, [*items[1:], None], strict=True):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if self._failed:
                    return 1
        return 0


def results() -> list[dict[str, str]]:
    """Return every mutant: its name, what became of it, and of those that live the lines that changed."""
    found = []
    for file in sorted(Path(MUTANTS).rglob("*.meta")):
        for name, code in json.loads(file.read_text())["exit_code_by_key"].items():
            state = status_by_exit_code[code]
            lines = [] if state == "killed" else get_diff_for_mutant(name).splitlines()
            changed = [line for line in lines if re.match(r"[-+](?![-+]{2} )", line)]
            was, became = (" ".join(line[1:].strip() for line in changed if line[0] == sign) for sign in "-+")
            found.append({"name": name, "state": state, "was": was, "became": became})
    return found


if __name__ == "__main__":
    isolation.PytestRunner = WarmRunner  # type: ignore[attr-defined]  # its maker looks there
    program._run((), int(sys.argv[1]))  # noqa: SLF001  (the command itself, without its options)
    Path("results.json").write_text(json.dumps(results(), indent=1))
