"""`plantgate write TAG=VALUE ...` and `plantgate relinquish TAG...`: setting tags, and no longer wishing to."""

import argparse
from typing import Any

from gateway.cli.given_values import read_locks, read_writes
from gateway.cli.sending import EPILOG, RANKS, add_sending_options, duration_text, send
from gateway.errors import SettingsError


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the commands."""
    write = commands.add_parser(
        "write",
        help="set tags, and say what became of it",
        description="Send a write to a running gateway and print the verdict. What is refused leaves no frame.",
        epilog=EPILOG,
    )
    write.add_argument(
        "writes", nargs="+", metavar="TAG=VALUE", help="true, false, a number or a text; '\"450\"' is a text. In order"
    )
    write.add_argument("--hold", type=duration_text, metavar="30m", help="wish it for so long, against equals")
    write.add_argument("--priority", choices=RANKS, default="normal", help="its place in the queue, %(default)s")
    write.add_argument(
        "--lock", action="append", default=[], metavar="NAME=TOKEN", help="a lock that is held; repeatable"
    )
    add_sending_options(write, needs_reason=False)
    write.set_defaults(run=run_write)
    relinquish = commands.add_parser(
        "relinquish",
        help="take back what was written, for others to write",
        description="Take back one's wish for tags: the next strongest is written, or what is declared, or nothing.",
        epilog=EPILOG,
    )
    relinquish.add_argument("tags", nargs="+", metavar="TAG")
    add_sending_options(relinquish, needs_reason=False)
    relinquish.set_defaults(run=run_relinquish)


def run_write(arguments: argparse.Namespace) -> int:
    """Send it. Raises SettingsError where something cannot be read."""
    try:
        fields: dict[str, Any] = {"writes": read_writes(arguments.writes), "priority": arguments.priority}
        locks = read_locks(arguments.lock)
    except ValueError as problem:
        raise SettingsError(f"plantgate write: {problem}") from None
    if locks:
        fields["locks"] = locks
    if arguments.hold is not None:
        fields["hold"] = arguments.hold
    return send(arguments, "write", fields)


def run_relinquish(arguments: argparse.Namespace) -> int:
    """Send it."""
    return send(arguments, "relinquish", {"tags": arguments.tags})
