"""`plantgate read CONFIG [TAG...]`: ask the devices once and print what they say."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Any

from drivers.values import DataType, Quality
from gateway.cli.read_computed import compute, looks_back, needed
from gateway.cli.read_once import Answer, Wanted, read_once
from gateway.cli.shown import columns, titled
from gateway.clock import SystemClock
from gateway.errors import SettingsError
from gateway.northbound.json_text import FloatText, float32_text, time_text, value_text
from gateway.settings.load import load
from gateway.settings.model import Settings
from gateway.settings.suggestion import suggest
from gateway.tags.texts import by_value, text_of


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    command = commands.add_parser(
        "read",
        help="read tags once",
        description="Ask the devices of a configuration once and print a table. Needs no gateway and no broker.",
        epilog="Exit code 0: every tag was read. 1: a tag is bad. 2: the configuration or a name is wrong.",
    )
    command.add_argument("config", metavar="CONFIG", help="the YAML file")
    command.add_argument("tags", metavar="TAG", nargs="*", help="device.tag; all of them where none is named")
    command.add_argument("--json", action="store_true", help="print a JSON list with an object a tag")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Read and print. Raises SettingsError where the configuration or a name is wrong."""
    settings, clock = load(arguments.config).settings, SystemClock()
    wanted = choose(settings, arguments.tags)
    read = asyncio.run(read_once(needed(wanted, settings), clock, _complain))
    answers = read | compute(wanted, settings, read, clock.wall())
    if arguments.json:
        print(json.dumps([_plain(each, answers[each.path]) for each in wanted], indent=2))
    else:
        print("\n".join(columns([_row(each, answers[each.path]) for each in wanted])))
    return 1 if any(answers[each.path].sample.quality is Quality.BAD for each in wanted) else 0


def choose(settings: Settings, names: Sequence[str]) -> list[Wanted]:
    """Return the named tags in the order of the names, or all that one reading can tell.

    Raises SettingsError for names that are none.
    """
    known = {
        wanted.path: wanted
        for device in settings.devices.values()
        for wanted in (Wanted(device, tag) for tag in device.tags)
    }
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SettingsError(*(f"there is no tag {name!r}{suggest(name, known)}" for name in unknown))
    if names:
        return [known[name] for name in dict.fromkeys(names)]
    left_out = [path for path, each in known.items() if looks_back(each)]
    if left_out:
        _complain(f"not read, because a window of time begins when the gateway runs: {', '.join(left_out)}")
    return [each for each in known.values() if not looks_back(each)]


def _row(wanted: Wanted, answer: Answer) -> tuple[str, str, str, str]:
    sample = answer.sample
    quality = sample.quality.word if sample.quality is Quality.GOOD else f"{sample.quality.word} ({sample.reason})"
    text = text_of(sample.value, by_value(wanted.tag.settings.texts))
    return wanted.path, titled(json.loads(_value(answer)), text), wanted.tag.settings.unit, quality


def _plain(wanted: Wanted, answer: Answer) -> dict[str, Any]:
    sample = answer.sample
    text = text_of(sample.value, by_value(wanted.tag.settings.texts))
    return {
        "tag": wanted.path,
        "value": json.loads(_value(answer)),
        **({"text": text} if text else {}),
        "unit": wanted.tag.settings.unit,
        "quality": sample.quality.word,
        **({} if sample.quality is Quality.GOOD else {"reason": sample.reason}),
        "time": time_text(sample.source_time or answer.wall),
    }


def _value(answer: Answer) -> str:
    write: FloatText = float32_text if answer.data_type is DataType.FLOAT32 else repr
    return value_text(answer.sample.value, write)


def _complain(line: str) -> None:
    print(line, file=sys.stderr)
