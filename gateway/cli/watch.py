"""`plantgate watch`: the tags and verdicts of a running gateway, live in the terminal."""

import argparse
import asyncio

from gateway.cli.broker import add_broker_options, broker_settings
from gateway.clock import SystemClock


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    command = commands.add_parser(
        "watch",
        help="live tags and verdicts in the terminal",
        description="Show the tags and constraints of a running gateway, live, until Ctrl-C.",
        epilog="Exit code 0: ended by Ctrl-C. 2: it is not clear which gateway to watch.",
    )
    add_broker_options(command)
    command.add_argument("--json", action="store_true", help="print every message as a line of JSON")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Watch until Ctrl-C. Raises SettingsError where it is not clear what to watch."""
    from gateway.cli.watch_follow import Follower  # noqa: PLC0415  (the daemon needs none of these libraries)
    from gateway.cli.watch_output import output  # noqa: PLC0415  (as above)

    settings = broker_settings(arguments)
    clock = SystemClock()
    with output(clock.wall, as_json=arguments.json) as shown:
        try:
            asyncio.run(Follower(settings, shown, clock).run(arguments.gateway))
        except KeyboardInterrupt:
            return 0
    return 0
