"""`plantgate audit show|verify|export STATE_DIR`: the audit log, also while a gateway writes to it."""

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Any

from gateway.audit.chain import head_text, parse_head
from gateway.audit.verify import Problem, Verdict, Verifier, export_line
from gateway.cli.shown import columns, harmless
from gateway.errors import SettingsError
from gateway.settings.duration import parse_duration
from gateway.storage.head_file import read_head
from gateway.storage.port import GENESIS, Chained, Head
from gateway.storage.reading import JournalReader, Moved, Unreadable, reading

UNPROVED = 3
_WITNESS = "the state directory's own head file"
_ATTEMPTS = 3
_BESIDE = ("kind", "time", "monotonic", "boot", "sequence", "principal")
"""Keys that have a column of their own, or tell a person nothing."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    command = commands.add_parser(
        "audit",
        help="show, verify or export the audit log",
        description="Show, verify or export the audit log. Reads only; a gateway may be running.",
        epilog="Exit code 0: done. 1: there is no readable journal. 2: the command line is wrong. 3: not proved.",
    )
    parts = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_show(parts)
    verify = parts.add_parser("verify", help="check every record against the chain")
    verify.add_argument("folder", metavar="STATE_DIR", type=Path, help="the gateway's state directory")
    verify.add_argument("--head", metavar="SEQ:HASH", action="append", default=[], help="a head known from elsewhere")
    verify.add_argument("--json", action="store_true", help="print one JSON object")
    verify.set_defaults(run=run_verify)
    export = parts.add_parser("export", help="print every record as JSON lines that anyone can verify")
    export.add_argument("folder", metavar="STATE_DIR", type=Path, help="the gateway's state directory")
    export.set_defaults(run=run_export)


def _add_show(parts: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    show = parts.add_parser("show", help="print the newest records, newest last")
    show.add_argument("folder", metavar="STATE_DIR", type=Path, help="the gateway's state directory")
    show.add_argument("-n", metavar="N", dest="most", type=_count, default=20, help="at most so many (20)")
    show.add_argument("--kind", help="of this kind: intent, outcome, refusal, trip, ...")
    show.add_argument("--principal", help="by this principal")
    show.add_argument("--tag", help="about this tag, or tags that fit a pattern such as boiler.*")
    show.add_argument(
        "--since", metavar="TIME", type=_moment, help="from then on: 2026-01-02T03:04:05Z, or 2h ago as 2h"
    )
    show.add_argument("--until", metavar="TIME", type=_moment, help="up to then")
    show.add_argument("--json", action="store_true", help="print a JSON object a line")
    show.set_defaults(run=run_show)


def run_show(arguments: argparse.Namespace) -> int:
    """Print the newest records that fit."""
    with reading(arguments.folder) as journal:
        found = list(islice((each for each in _records(journal) if _fits(each, arguments)), arguments.most))
    found.reverse()
    if arguments.json:
        for record in found:
            print(json.dumps(record, ensure_ascii=False))
    elif found:
        print("\n".join(columns([_row(record) for record in found])))
    return 0


def run_verify(arguments: argparse.Namespace) -> int:
    """Check the chain. Raises SettingsError for a head that is none."""
    try:
        heads = {f"the head {text[:20]}...": parse_head(text) for text in arguments.head}
    except ValueError as error:
        raise SettingsError(f"--head: {error}") from None
    witness = read_head(arguments.folder)  # before the records: they only grow
    verdict, damaged = _verify(arguments.folder, heads | ({_WITNESS: witness} if witness else {}))
    if arguments.json:
        print(json.dumps(_plain(verdict, damaged), indent=2))
    else:
        _print(verdict, damaged)
    return 0 if verdict.is_proved else UNPROVED


def run_export(arguments: argparse.Namespace) -> int:
    """Print all records. Raises StorageError where they cannot be read to the end."""
    with reading(arguments.folder) as journal:
        previous = journal.base.hash
        for chained in journal.records():
            sys.stdout.buffer.write(export_line(previous, chained))
            previous = chained.hash
        sys.stdout.buffer.flush()
    return 0


def _verify(folder: Path, heads: dict[str, Head]) -> tuple[Verdict, list[str]]:
    for _ in range(_ATTEMPTS):
        try:
            with reading(folder) as journal:
                return _verify_once(journal, heads), sorted(map(str, journal.damaged))
        except Moved:
            continue
        except Unreadable as error:
            return Verifier(GENESIS, {}).end(damage=str(error)), []
    raise Moved


def _verify_once(journal: JournalReader, heads: dict[str, Head]) -> Verdict:
    verifier = Verifier(journal.base, heads)
    try:
        problem = next(filter(None, map(verifier.take, journal.records())), None)
    except Unreadable as error:
        return verifier.end(damage=str(error))
    return verifier.end() if problem is None else verifier.stop(problem)


def _print(verdict: Verdict, damaged: list[str]) -> None:
    for line in verdict.breaks:
        print(f"note: {harmless(line)}")
    for line in verdict.unchecked:
        print(f"not checked: {harmless(line)}")
    if damaged:
        print(f"note: damaged state, not mended yet: {', '.join(damaged)}")
    first = verdict.base.sequence + 1
    if verdict.problem is not None:
        print(f"NOT PROVED: record {verdict.problem.sequence}: {harmless(verdict.problem.what)}")
    if verdict.head == verdict.base:
        print("no record is proved")
    else:
        print(f"records {first} to {verdict.head.sequence} are in place, to the byte; head {head_text(verdict.head)}")


def _plain(verdict: Verdict, damaged: list[str]) -> dict[str, Any]:
    problem: Problem | None = verdict.problem
    return {
        "proved": verdict.is_proved,
        "first": verdict.base.sequence + 1,
        "last": verdict.head.sequence,
        "head": head_text(verdict.head),
        "problem": None if problem is None else {"sequence": problem.sequence, "what": problem.what},
        "breaks": list(verdict.breaks),
        "unchecked": list(verdict.unchecked),
        "damaged_state": damaged,
    }


def _records(journal: JournalReader) -> Iterator[dict[str, Any]]:
    """Yield the records from the newest back, each with its hash; one that is no JSON as what it is."""
    for chained in journal.newest():
        yield {**_parsed(chained), "sequence": chained.sequence, "hash": chained.hash.hex()}


def _parsed(chained: Chained) -> dict[str, Any]:
    try:
        record = json.loads(chained.body)
    except (ValueError, RecursionError):
        record = None
    return record if isinstance(record, dict) else {"kind": "damaged"}


def _fits(record: dict[str, Any], wanted: argparse.Namespace) -> bool:
    when = _seconds(str(record.get("time", "")))
    return (
        wanted.kind in {None, record.get("kind")}
        and wanted.principal in {None, record.get("principal")}
        and (wanted.tag is None or any(fnmatchcase(str(tag), wanted.tag) for tag in record.get("tags", ())))
        and (wanted.since is None or (when is not None and wanted.since <= when))
        and (wanted.until is None or (when is not None and when <= wanted.until))
    )


def _row(record: dict[str, Any]) -> tuple[str, str, str, str, str]:
    rest = {key: value for key, value in record.items() if key not in {*_BESIDE, "hash"}}
    details = " ".join(f"{key}={_short(value)}" for key, value in rest.items())
    cells = (
        record["sequence"],
        record.get("time", "-"),
        record.get("kind", "-"),
        record.get("principal", "-"),
        details,
    )
    number, when, kind, principal, told = (harmless(str(cell)) for cell in cells)
    return number, when, kind, principal, told


def _short(value: Any) -> str:  # noqa: ANN401  (any part of a record)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _seconds(text: str) -> float | None:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when.timestamp() if when.tzinfo else None


def _moment(text: str) -> float:
    """Take a time with its offset, or a duration before now."""
    if re.fullmatch(r"[0-9.]+[a-z]+", text):
        try:
            return time.time() - parse_duration(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
    when = _seconds(text)
    if when is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write 2026-01-02T03:04:05Z, or 2h for two hours ago")
    return when


def _count(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 1_000_000:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 1000000")
