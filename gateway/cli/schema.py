"""`plantgate schema`: the JSON Schema of the configuration, for editors."""

import argparse
import sys

from gateway.settings.schema import write_schema


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    command = commands.add_parser(
        "schema",
        help="print the JSON Schema of the configuration",
        description="Print the JSON Schema (draft 2020-12) of the configuration, for editors.",
    )
    command.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Print the schema."""
    sys.stdout.write(write_schema())
    return 0
