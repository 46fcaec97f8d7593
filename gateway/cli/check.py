"""`plantgate check CONFIG`: every problem of a configuration in one run, without starting anything."""

import argparse
import json

from gateway.cli.learned import learn
from gateway.errors import SettingsError
from gateway.settings.findings import Finding
from gateway.settings.load import examine
from gateway.settings.model import Settings


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    command = commands.add_parser(
        "check",
        help="validate a configuration",
        description="Validate a configuration: every problem as file:line:column: path: message.",
        epilog=(
            "Exit code 0: in order, perhaps with notes. 2: there are problems, one a line on stderr. "
            "With --learned also 1: a device could not be asked; 3: tags do not exist in their device."
        ),
    )
    command.add_argument("config", metavar="CONFIG", help="the YAML file")
    command.add_argument("--json", action="store_true", help="print problems, notes and counts as one JSON object")
    command.add_argument(
        "--learned",
        action="store_true",
        help="ask the devices, and print what they refuse as keys for the configuration",
    )
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check the file. Raises SettingsError with the problems, unless they are printed as JSON."""
    settings, problems, notes = examine(arguments.config)
    if arguments.learned and settings is not None:
        return learn(settings, as_json=arguments.json)
    if arguments.json:
        report = {"ok": settings is not None, "problems": _plain(problems), "notes": _plain(notes)}
        print(json.dumps(report | (_counts(settings) if settings else {}), indent=2))
        return 0 if settings else 2
    if settings is None:
        raise SettingsError(*map(str, problems))
    for note in notes:
        print(note)
    counts = ", ".join(f"{what.replace('_', ' ')} {count}" for what, count in _counts(settings).items())
    print(f"{arguments.config} is in order: {counts}")
    return 0


def _counts(settings: Settings) -> dict[str, int]:
    return {
        "devices": len(settings.devices),
        "tags": sum(len(device.tags) for device in settings.devices.values()),
        "constraints": len(settings.safety.constraints),
    }


def _plain(findings: tuple[Finding, ...]) -> list[dict[str, str | int]]:
    return [
        {
            "file": finding.mark.file,
            "line": finding.mark.line,
            "column": finding.mark.column,
            "path": finding.path,
            "message": finding.message,
        }
        for finding in findings
    ]
