"""The command line: one file a command. Errors are one line on stderr; `--debug` shows where they came from."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from gateway import __version__
from gateway.errors import GatewayError, SettingsError

COMMANDS = ("run", "demo", "check", "schema", "read", "watch", "write", "alarms", "audit", "proof_test")
"""In the order of `--help`; each is a module of this package, which registers one command or a few."""

_EPILOG = (
    "plantgate is not a safety instrumented system: the PLC must stay safe with the gateway dead, wrong or hostile."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code: 0 done, 1 failed, 2 wrong configuration or usage, 3 not known."""
    options = parser().parse_args(arguments)
    try:
        code = int(options.run(options))
        if sys.stdout is not None:  # closed by whoever started us
            sys.stdout.flush()  # here, where it can still be noticed that the reader has gone
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone; what is left of it is flushed into nothing at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if options.debug:
            raise
        print(_line(error), file=sys.stderr)
        return 2 if isinstance(error, SettingsError) else 1
    return code


def parser() -> argparse.ArgumentParser:
    """Build the parser of every command."""
    top = argparse.ArgumentParser(
        prog="plantgate", description="An industrial edge gateway from OPC UA and Modbus to MQTT.", epilog=_EPILOG
    )
    top.add_argument("--version", action="version", version=f"plantgate {__version__}")
    top.add_argument("--debug", action="store_true", help="show where an error came from")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS:
        import_module(f"gateway.cli.{name}").add(commands)
    return top


def _line(error: Exception) -> str:
    if isinstance(error, GatewayError):
        return str(error)
    return f"plantgate: {type(error).__name__}: {error} (a defect; run again with --debug and report what it shows)"
