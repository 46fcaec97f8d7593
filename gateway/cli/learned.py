"""`plantgate check CONFIG --learned`: what the devices refuse, found out by asking, as keys to paste."""

import asyncio
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from drivers.registry import load, names
from drivers.values import Quality
from gateway.cli.read_once import Answer, Wanted, read_once
from gateway.clock import SystemClock
from gateway.settings.model import Device, Settings

NO_SUCH_POINT = "exception_2"
"""Why a tag is bad whose device has no such address."""


class Learned(NamedTuple):
    """What was found out about one device."""

    device: Device
    profile: Mapping[str, Any]
    """Keys for the device's profile, with what stands there already."""
    missing: tuple[str, ...]
    """Tags that do not exist there."""
    why_not: str
    """Empty, or why the device could not be asked: as the quality of its tags says."""


def learn(settings: Settings, *, as_json: bool) -> int:
    """Ask every device whose driver learns, and print what it taught; return the exit code."""
    devices = [device for device in settings.devices.values() if device.tags and _learns(device)]
    notebooks: dict[str, Any] = {}
    wanted = [Wanted(device, tag) for device in devices for tag in device.tags]
    answers = asyncio.run(read_once(wanted, SystemClock(), _complain, notebooks))
    found = [_found(device, notebooks.get(device.name, {}), answers) for device in devices]
    print(json.dumps({each.device.name: _plain(each) for each in found}, indent=2) if as_json else _text(found))
    if any(each.why_not for each in found):
        return 1
    return 3 if any(each.missing for each in found) else 0


def _learns(device: Device) -> bool:
    return device.driver in names() and load(device.driver).learns  # computed tags have no driver


def _found(device: Device, notebook: Mapping[str, Any], answers: Mapping[str, Answer]) -> Learned:
    samples = {tag.name: answers[Wanted(device, tag).path].sample for tag in device.tags}
    reasons = {name: sample.reason for name, sample in samples.items() if sample.quality is Quality.BAD}
    was_refused = all(reasons.get(name) == NO_SUCH_POINT for name in samples)
    why_not = set(reasons.values()) if len(reasons) == len(samples) else set[str]()
    return Learned(
        device,
        _complete(device, notebook.get("profile", {})),
        () if was_refused else tuple(name for name, reason in reasons.items() if reason == NO_SUCH_POINT),
        ", ".join(sorted(why_not)),
    )


def _complete(device: Device, learned: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was learned, lists with what the configuration has in them."""
    configured = getattr(device.driver_settings, "profile", None)
    return {
        key: list(dict.fromkeys([*getattr(configured, key, ()), *value])) if isinstance(value, list) else value
        for key, value in learned.items()
    }


def _plain(each: Learned) -> dict[str, Any]:
    return {"answers": not each.why_not, "reason": each.why_not, "profile": each.profile, "missing": each.missing}


def _text(found: Sequence[Learned]) -> str:
    lines = [line for each in found for line in _lines(each)]
    return "\n".join(lines) if lines else "# there is nothing to learn: every block is answered as it is planned"


def _lines(each: Learned) -> Iterable[str]:
    name = each.device.name
    if each.why_not:
        yield f"# {name}: nothing was learned; none of its tags was read ({each.why_not})"
    elif each.profile:
        yield f"{name}:"
        yield "  profile:"
        for key, value in each.profile.items():
            yield f"    {key}: {'[' + ', '.join(value) + ']' if isinstance(value, list) else value}"
    for tag in each.missing:
        yield f"# {name}.{tag} does not exist there; correct its address, or leave it out"


def _complain(line: str) -> None:
    print(line, file=sys.stderr)
