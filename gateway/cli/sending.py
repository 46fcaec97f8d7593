"""What every command that sends one has in common: its options, and sending it."""

import argparse
import asyncio
import getpass
import json
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4

from gateway.cli.broker import add_broker_options, broker_settings
from gateway.cli.request import Request
from gateway.cli.verdict import DOUBTFUL, exit_code, verdict_lines
from gateway.clock import SystemClock
from gateway.control.command import ID, Rank, Verb
from gateway.control.keys import Signer, read_signer
from gateway.errors import SettingsError
from gateway.settings.duration import parse_duration

TIMEOUT = 15.0
"""Seconds: a command lives for 10 s (`commands.max_age`), and then it may still be read back."""
RANKS: tuple[str, ...] = get_args(Rank)
EPILOG = (
    "Exit code 0: applied. 1: refused or failed. 2: the command line is wrong. "
    "3: whether it did what it should is not known; also where no reply came."
)


def add_sending_options(command: argparse.ArgumentParser, *, needs_reason: bool) -> None:
    """Add the options that say who sends it, and how it is sent."""
    command.add_argument("--reason", required=needs_reason, default="", metavar="TEXT", help="why; it is recorded")
    command.add_argument(
        "--as", dest="principal", metavar="PRINCIPAL", help="who sends it: the last level of the topic"
    )
    command.add_argument("--key", type=Path, metavar="FILE", help="sign with this key, whose id is given by --as")
    command.add_argument("--actor", metavar="TEXT", help="a note of who it was; user@host where absent")
    command.add_argument("--id", metavar="ID", help="the same id is carried out once; a new one where absent")
    command.add_argument("--expires", type=duration, metavar="5s", help="it may begin within this time of now")
    command.add_argument(
        "--timeout", type=duration, default=TIMEOUT, metavar="15s", help="wait so long for the reply, 15s"
    )
    command.add_argument("--json", action="store_true", help="print the reply as one JSON object")
    add_broker_options(command)


def send(arguments: argparse.Namespace, verb: Verb, fields: Mapping[str, Any]) -> int:
    """Send one command, print its verdict and return the exit code.

    Fields: what is special to the verb, as the payload has it.

    Raises:
        SettingsError: it cannot be sent so.
        ServiceError: nothing was sent, or nobody got it.
    """
    from gateway.cli.exchange import Exchange, Unanswered  # noqa: PLC0415  (the daemon needs none of these libraries)

    _check_names(arguments)
    shared = {"id": arguments.id or uuid4().hex, "actor": arguments.actor or _somebody(), "reason": arguments.reason}
    signer = _signer(arguments.key, arguments.principal)
    request = Request(verb, {**shared, **fields}, arguments.principal, signer, arguments.expires)
    exchange = Exchange(broker_settings(arguments), request, SystemClock(), arguments.timeout)
    try:
        reply = asyncio.run(exchange.run(arguments.gateway))
    except Unanswered as problem:
        if arguments.debug:
            raise
        print(problem, file=sys.stderr)
        return DOUBTFUL
    print(json.dumps(reply) if arguments.json else "\n".join(verdict_lines(reply)))
    return exit_code(reply)


def duration(text: str) -> float:
    """Take a duration with its unit."""
    try:
        seconds = parse_duration(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None
    if not seconds > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no time at all")
    return seconds


def duration_text(text: str) -> str:
    """Take a duration as the payload has it."""
    duration(text)
    return text


def _check_names(arguments: argparse.Namespace) -> None:
    for option, name in (("--as", arguments.principal), ("--gateway", arguments.gateway)):
        if name is not None and not ID.fullmatch(name):
            raise SettingsError(f"{option}: {name!r} does not fit; a name is 1 to 64 letters, digits, '_' and '-'")


def _signer(file: Path | None, principal: str | None) -> Signer | None:
    if file is None:
        return None
    if principal is None:
        raise SettingsError("--key needs --as beside it: the id under which the gateway has the key")
    try:
        return read_signer(file.read_bytes())
    except OSError as problem:
        raise SettingsError(f"--key: {file} cannot be read: {problem.strerror}") from None
    except ValueError as problem:
        raise SettingsError(f"--key: {file} {problem}") from None


def _somebody() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # no such user on this machine, as in some containers
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
