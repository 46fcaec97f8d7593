"""`plantgate proof-test CONFIG`: every constraint driven over its limits and into every doubt, on stand-ins."""

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from gateway import __version__
from gateway.clock import SystemClock
from gateway.errors import ServiceError, SettingsError
from gateway.northbound.json_text import time_text
from gateway.settings.digest import settings_digest
from gateway.settings.load import load
from gateway.settings.model import Settings
from gateway.settings.suggestion import suggest

if TYPE_CHECKING:
    from gateway.testing.report import Report


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    command = commands.add_parser(
        "proof-test",
        help="prove what the constraints of a configuration deny and trip",
        description=(
            "Drive every constraint of a configuration over its limits, in both directions, and into every doubt, on "
            "devices in memory that stand in for the configured ones. No address of the configuration is reached."
        ),
        epilog=(
            "Exit code 0: everything is proved. 1: something failed: a constraint did not deny, or tripped wrongly. "
            "2: the configuration is wrong. 3: nothing failed, and something is not proved."
        ),
    )
    command.add_argument("config", metavar="CONFIG", help="the YAML file")
    command.add_argument("--only", metavar="NAME", help="this constraint alone")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.add_argument("--junit", metavar="FILE", type=Path, help="write the results as JUnit XML too")
    command.add_argument(
        "--record", metavar="STATE_DIR", type=Path, help="chain a summary into the audit log of a gateway at rest"
    )
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prove, and print the report. Raises SettingsError where the configuration or the name is wrong."""
    from gateway.testing.recording import owned, record  # noqa: PLC0415  (the other commands need none of it)
    from gateway.testing.report import as_json, junit, text  # noqa: PLC0415  (as above)

    settings = load(arguments.config).settings
    _check_name(settings, arguments.only)
    with ExitStack() as stack:
        if arguments.record:
            stack.enter_context(owned(arguments.record))
        report = _prove(settings, arguments)
        print(as_json(report) if arguments.json else "\n".join(text(report)))
        if arguments.junit:
            _write(arguments.junit, junit(report))
        if arguments.record:
            head = record(arguments.record, settings.audit, report, arguments.only)
            print(f"on record in {arguments.record}: {head}", file=sys.stderr)
    return report.exit_code


def _prove(settings: Settings, arguments: argparse.Namespace) -> "Report":
    from gateway.testing.prover import prove  # noqa: PLC0415  (as above)
    from gateway.testing.report import Report  # noqa: PLC0415  (as above)

    return Report(
        arguments.config,
        time_text(SystemClock().wall()),
        settings_digest(settings),
        __version__,
        tuple(prove(settings, arguments.only)),
        1 if arguments.only else len(settings.safety.constraints),
    )


def _check_name(settings: Settings, name: str | None) -> None:
    names = [constraint.name for constraint in settings.safety.constraints]
    if not names:
        raise SettingsError("the configuration has no constraints, so there is nothing to prove; see `safety:`")
    if name is not None and name not in names:
        raise SettingsError(f"--only: no constraint is called {name!r}{suggest(name, names)}")


def _write(file: Path, content: str) -> None:
    try:
        file.write_text(content, encoding="utf-8")
    except OSError as error:
        raise ServiceError(f"{file}: cannot be written: {error.strerror}") from error
