"""`plantgate ack|reset|bypass|shelve NAME`: what an operator does about a constraint."""

import argparse
from functools import partial

from gateway.cli.sending import EPILOG, add_sending_options, duration_text, send
from gateway.control.command import Verb

_ALL = ("ack", "reset")
"""Verbs that mean every constraint where none is named."""
_VERBS: dict[Verb, tuple[str, str]] = {
    "ack": (
        "acknowledge an alarm",
        "Say that an alarm was seen. No interlock changes; without NAME all of them are acknowledged.",
    ),
    "reset": (
        "end a trip, where its cause is gone",
        "End a trip. Refused while its cause is there; it writes nothing. Without NAME all of them are reset.",
    ),
    "bypass": (
        "let a constraint deny nothing for a time",
        "Bypass a constraint that is declared bypassable, for a time. It clears no trip, and is recorded.",
    ),
    "shelve": (
        "hide an alarm for a time",
        "Shelve an alarm for a time. No interlock changes: what it denied is still denied.",
    ),
}


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the commands."""
    for verb, (summary, description) in _VERBS.items():
        command = commands.add_parser(verb, help=summary, description=description, epilog=EPILOG)
        command.add_argument("name", nargs="?" if verb in _ALL else None, metavar="NAME", help="of the constraint")
        if verb not in _ALL:
            command.add_argument(
                "--for", dest="seconds", type=duration_text, required=True, metavar="30m", help="how long it lasts"
            )
        add_sending_options(command, needs_reason=True)
        command.set_defaults(run=partial(run, verb))


def run(verb: Verb, arguments: argparse.Namespace) -> int:
    """Send it."""
    fields = {"name": arguments.name, "for": getattr(arguments, "seconds", None)}
    return send(arguments, verb, {key: value for key, value in fields.items() if value is not None})
