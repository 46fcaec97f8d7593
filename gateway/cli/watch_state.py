"""What is known of one gateway from its messages: its status, devices, constraints and tags. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

MOST_ROWS = 20_000
"""Tags beyond are not shown; whoever may publish must not be able to fill the memory."""

UNSEEN = "waiting"
"""The state of a gateway that has told nothing yet."""
_LIMITS = ("min", "max")


@dataclass(frozen=True, slots=True)
class TagRow:
    """A tag as it was last published."""

    device: str
    name: str
    value: object = None
    quality: str = "bad"
    reason: str = ""
    time: float | None = None
    """Seconds since 1970 UTC."""
    text: str = ""
    """What the value means, where the configuration says it."""


@dataclass(frozen=True, slots=True)
class ConstraintRow:
    """A constraint's verdict as it was last published."""

    name: str
    verdict: str
    level: str = ""
    value: object = None
    limits: Mapping[str, object] = field(default_factory=dict)
    """`min` and `max`, those that are set."""
    reason: str = ""
    since: float | None = None


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device's connection as it was last published."""

    name: str
    state: str
    reason: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    """By the tag's name, in the order of the configuration."""


class WatchState:
    """Takes in the messages of one gateway."""

    def __init__(self, root: str, gateway: str) -> None:
        """Root: the first level of every topic."""
        self.gateway = gateway
        self.reasons: tuple[str, ...] = ()
        """Why the gateway is not simply online."""
        self.devices: dict[str, DeviceRow] = {}
        self.constraints: dict[str, ConstraintRow] = {}
        self._state = UNSEEN
        self._expires: float | None = None
        self._tags: dict[tuple[str, str], TagRow] = {}
        self._prefix = f"{root}/{gateway}/"

    @property
    def patterns(self) -> list[str]:
        """What to subscribe to."""
        return [f"{self._prefix}{rest}" for rest in ("status", "device/+", "constraint/+", "tag/+/+", "batch/+")]

    def state(self, wall: float) -> str:
        """Return the gateway's state at a time: what it said, `expired` once that holds no longer, or `waiting`."""
        if self._expires is not None and not wall <= self._expires:
            return "expired"
        return self._state

    def is_live(self, wall: float) -> bool:
        """Return whether what is shown counts: retained values outlive the gateway that published them."""
        return self.state(wall) not in {UNSEEN, "expired", "offline"}

    def tags(self) -> list[TagRow]:
        """Return the tags by device, in the order of the configuration as far as it is known."""
        ranks = {(row.name, tag): rank for row in self.devices.values() for rank, tag in enumerate(row.units)}
        return sorted(self._tags.values(), key=lambda row: (row.device, ranks.get((row.device, row.name), 0), row.name))

    def unit(self, row: TagRow) -> str:
        """Return the unit of a tag, as its device's metadata name it."""
        device = self.devices.get(row.device)
        return device.units.get(row.name, "") if device else ""

    def take(self, topic: str, payload: bytes) -> TagRow | ConstraintRow | DeviceRow | None:
        """Take a message in; return the one row that it changed, None for other messages and unreadable ones."""
        members = _members(payload)
        match topic.removeprefix(self._prefix).split("/") if topic.startswith(self._prefix) else []:
            case ["status"]:
                self._take_status(members)
            case ["device", name] if members:
                self.devices[name] = row = _device(name, members)
                return row
            case ["constraint", name] if members:
                self.constraints[name] = verdict = _constraint(name, members)
                return verdict
            case ["tag", device, name]:
                return self._take_tag(device, name, members)
            case ["batch", device]:
                for name, sample in _mapping(members.get("tags")).items():
                    self._take_tag(device, name, _mapping(sample))
            case _:
                pass
        return None

    def _take_status(self, members: Mapping[str, Any]) -> None:
        self._state = _text(members.get("state")) or UNSEEN
        self._expires = _time(members.get("expires"))
        reasons = members.get("reasons")
        self.reasons = tuple(map(str, reasons)) if isinstance(reasons, list) else ()

    def _take_tag(self, device: str, name: str, members: Mapping[str, Any]) -> TagRow | None:
        if not members:
            self._tags.pop((device, name), None)
            return None
        if (device, name) not in self._tags and len(self._tags) >= MOST_ROWS:
            return None
        row = TagRow(
            device,
            name,
            members.get("value"),
            _text(members.get("quality")) or "bad",
            _text(members.get("reason")),
            _time(members.get("time")),
            _text(members.get("text")),
        )
        self._tags[device, name] = row
        return row


def read_status(payload: bytes, wall: float) -> str:
    """Return the state that a status tells of at a time, `expired` once it holds no longer, empty for no status."""
    members = _members(payload)
    expires = _time(members.get("expires"))
    state = _text(members.get("state"))
    return "expired" if state and expires is not None and not wall <= expires else state


def _device(name: str, members: Mapping[str, Any]) -> DeviceRow:
    tags = _mapping(members.get("tags"))
    units = {tag: _text(_mapping(metadata).get("unit")) for tag, metadata in tags.items()}
    return DeviceRow(name, _text(members.get("state")), _text(members.get("reason")), units)


def _constraint(name: str, members: Mapping[str, Any]) -> ConstraintRow:
    return ConstraintRow(
        name,
        _text(members.get("verdict")) or "unknown",
        _text(members.get("level")),
        members.get("value"),
        {bound: members[bound] for bound in _LIMITS if members.get(bound) is not None},
        _text(members.get("reason")),
        _time(members.get("since")),
    )


def _members(payload: bytes) -> Mapping[str, Any]:
    try:
        return _mapping(json.loads(payload))
    except (ValueError, RecursionError):
        return {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _time(value: object) -> float | None:
    try:
        return datetime.fromisoformat(_text(value)).timestamp()
    except (ValueError, OverflowError):
        return None
