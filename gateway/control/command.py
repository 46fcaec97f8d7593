"""A command as it came: parsed strictly, every field known, nothing guessed. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, get_args

from gateway.control.json_strict import Unreadable, parse
from gateway.safety.constraint import Setting

ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
MAX_WRITES = 64
LONGEST_HOLD = 86400.0
"""Seconds for which a wish can be kept from others of the same place."""
MAX_TEXT = 512
"""Characters of a reason or of an actor's name."""

Verb: TypeAlias = Literal["write", "ack", "reset", "bypass", "shelve", "relinquish"]
Rank: TypeAlias = Literal["critical", "high", "normal", "low"]

VERBS: tuple[str, ...] = get_args(Verb)
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m|h|d)", re.ASCII)
_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SHARED = frozenset(("id", "actor", "reason", "expires_at", "signature"))
_KEYS: Mapping[str, frozenset[str]] = {
    "write": _SHARED | {"writes", "priority", "key", "locks", "hold"},
    "relinquish": _SHARED | {"tags"},
    "ack": _SHARED | {"name"},
    "reset": _SHARED | {"name"},
    "bypass": _SHARED | {"name", "for"},
    "shelve": _SHARED | {"name", "for"},
}


@dataclass(frozen=True, slots=True)
class Signature:
    """Who says that it is theirs; what it covers is in `signing`."""

    key: str
    sequence: int
    not_after: str
    value: str
    """Base64."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command, whoever sent it."""

    verb: Verb
    id: str | None = None
    """None where the sender gave none."""
    actor: str = ""
    """A note of the sender's; it proves nothing."""
    reason: str = ""
    expires_at: datetime | None = None
    writes: Mapping[str, Setting] = field(default_factory=lambda: MappingProxyType({}))
    """In the order in which they are to be sent."""
    tags: tuple[str, ...] = ()
    name: str = ""
    """Of a constraint; empty for all."""
    seconds: float | None = None
    """How long a bypass or a shelving lasts."""
    hold: float | None = None
    """Seconds for which a written value stays this principal's wish; None: until somebody writes another."""
    priority: Rank = "normal"
    key: str = ""
    locks: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    signature: Signature | None = None


class NotACommand(Unreadable):
    """A payload that is refused; `id` is that of the reply, None where it has none that could be used."""

    def __init__(self, code: str, message: str, command_id: str | None = None) -> None:
        super().__init__(code, message)
        self.id = command_id


def read_command(verb: Verb, payload: bytes) -> Command:
    """Return the command in a payload. Raises NotACommand."""
    try:
        fields = parse(payload)
    except Unreadable as error:
        raise NotACommand(error.code, str(error)) from None
    if not isinstance(fields, dict):
        raise NotACommand("bad_schema", "a command is a JSON object")
    command_id = _id(fields.get("id"))
    try:
        return _Fields(verb, fields).command(command_id)
    except Unreadable as error:
        raise NotACommand(error.code, str(error), command_id) from None


def _id(given: object) -> str | None:
    if given is None:
        return None
    if not isinstance(given, str) or not ID.fullmatch(given):
        raise NotACommand("bad_schema", "id: 1 to 64 letters, digits, '_' and '-'")
    return given


class _Fields:
    """The fields of one object, taken one by one."""

    def __init__(self, verb: Verb, fields: dict[str, Any]) -> None:
        self._verb: Verb = verb
        self._fields = fields

    def command(self, command_id: str | None) -> Command:
        unknown = self._fields.keys() - _KEYS[self._verb]
        if unknown:
            raise Unreadable("bad_schema", f"{self._verb} has no field {min(unknown)[:64]!r}")
        return Command(
            verb=self._verb,
            id=command_id,
            actor=self._text("actor"),
            reason=self._text("reason"),
            expires_at=self._time("expires_at"),
            writes=self._writes() if self._verb == "write" else MappingProxyType({}),
            tags=self._tags() if self._verb == "relinquish" else (),
            name=self._text("name"),
            seconds=self._duration("for"),
            hold=self._hold(),
            priority=self._rank(),
            key=self._text("key"),
            locks=self._locks(),
            signature=self._signature(),
        )

    def _text(self, key: str) -> str:
        value = self._fields.get(key, "")
        if not isinstance(value, str) or not len(value) <= MAX_TEXT:
            raise Unreadable("bad_schema", f"{key}: a text of at most {MAX_TEXT} characters")
        return value

    def _time(self, key: str) -> datetime | None:
        value = self._fields.get(key)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            raise Unreadable("bad_schema", f"{key}: a time as 2026-01-02T03:04:05Z") from None
        if moment.tzinfo is None:
            raise Unreadable("bad_schema", f"{key}: the time needs its zone, such as Z for UTC")
        return moment

    def _writes(self) -> Mapping[str, Setting]:
        writes = self._fields.get("writes")
        if not isinstance(writes, dict) or not 1 <= len(writes) <= MAX_WRITES:
            raise Unreadable("bad_schema", f"writes: an object of 1 to {MAX_WRITES} tags, each with its value")
        for tag, value in writes.items():
            if not isinstance(value, (bool, int, float, str)):
                raise Unreadable("bad_value", f"writes: {tag[:64]}: a value is true, false, a number or a text")
        return MappingProxyType(writes)

    def _tags(self) -> tuple[str, ...]:
        tags = self._fields.get("tags")
        if (
            not isinstance(tags, list)
            or not 1 <= len(tags) <= MAX_WRITES
            or not all(isinstance(each, str) for each in tags)
        ):
            raise Unreadable("bad_schema", f"tags: 1 to {MAX_WRITES} of them")
        return tuple(tags)

    def _duration(self, key: str) -> float | None:
        value = self._fields.get(key)
        if value is None:
            return None
        found = _DURATION.fullmatch(value) if isinstance(value, str) else None
        # Exactly, and rounded once: a signature covers the seconds, and others have to arrive at the same number.
        seconds = float(Fraction(found[1]) * _MILLISECONDS[found[2]] / 1000) if found else 0.0
        if not seconds > 0:
            raise Unreadable("bad_schema", f"{key}: a duration above 0 such as 30m or 2h")
        return seconds

    def _hold(self) -> float | None:
        hold = self._duration("hold")
        if hold is not None and not hold <= LONGEST_HOLD:
            raise Unreadable("bad_schema", f"hold: at most {LONGEST_HOLD / 3600:g}h")
        return hold

    def _rank(self) -> Rank:
        value = self._fields.get("priority", "normal")
        if value not in get_args(Rank):
            raise Unreadable("bad_schema", f"priority: one of {', '.join(get_args(Rank))}")
        rank: Rank = value
        return rank

    def _locks(self) -> Mapping[str, int]:
        locks = self._fields.get("locks", {})
        if not isinstance(locks, dict) or not len(locks) <= MAX_WRITES:
            raise Unreadable("bad_schema", "locks: an object of locks, each with its token")
        for name, token in locks.items():
            if isinstance(token, bool) or not isinstance(token, int):
                raise Unreadable("bad_schema", f"locks: {name[:64]}: a token is a whole number")
        return MappingProxyType(locks)

    def _signature(self) -> Signature | None:
        given = self._fields.get("signature")
        if given is None:
            return None
        if not isinstance(given, dict) or given.keys() != {"key", "sequence", "not_after", "value"}:
            raise Unreadable("bad_schema", "signature: an object of key, sequence, not_after and value")
        sequence = given["sequence"]
        if isinstance(sequence, bool) or not isinstance(sequence, int) or not 0 <= sequence < 2**63:
            raise Unreadable("bad_schema", "signature: sequence: a whole number from 0 upwards")
        texts = [given[key] for key in ("key", "not_after", "value")]
        if not all(isinstance(each, str) and len(each) <= MAX_TEXT for each in texts) or not ID.fullmatch(given["key"]):
            raise Unreadable("bad_schema", "signature: key, not_after and value are texts")
        return Signature(given["key"], sequence, given["not_after"], given["value"])
