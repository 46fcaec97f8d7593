"""Commands as they come from broken and from hostile programs: good ones, damaged in every way, by a seed."""

import json
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any, Final, NamedTuple, TypeAlias

Fields: TypeAlias = dict[str, Any]

GOOD: Final[Mapping[str, Fields]] = {
    "write": {
        "writes": {"boiler.setpoint": 460, "boiler.count": 8},
        "actor": "ann",
        "reason": "warmer",
        "priority": "high",
        "hold": "2s",
        "key": "calm",
        "locks": {"turbine": 7},
        "expires_at": "2100-01-02T03:04:05Z",
    },
    "relinquish": {"tags": ["boiler.setpoint"], "reason": "done"},
    "ack": {"name": "hot", "actor": "ann", "reason": "seen"},
    "reset": {"name": "hot", "actor": "ann", "reason": "it is cold"},
    "bypass": {"name": "hot", "for": "30m", "actor": "ann", "reason": "calibration"},
    "shelve": {"name": "hot", "for": "1s", "actor": "ann", "reason": "known"},
}
SIGNATURE = {"key": "ann", "sequence": 1, "not_after": "2100-01-02T03:04:05Z", "value": "aGVsbG8="}
STRANGE: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1, 0.5, -0.0, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**64 - 1, 1e308, 5e-324, "",
    "0", "450", "true", "null", "hot", "boiler.*", "*", "x" * 600, "Grüße", "\u202e", "\0", "\ud800", "30m", "1e9h",
    "9999-12-31T23:59:59+14:00", "0001-01-01T00:00:00-23:59", "2026-01-02T03:04:05", [], {}, [[]], [1],
    ["boiler.count"],
    {"": 1}, {"boiler.count": 9}, {"boiler.count": [9]}, {"equals": 1},
)  # fmt: skip
UNREADABLE = (
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1e400",
    b"-1e400",
    b"9" * 30,
    b"9" * 5000,
    b"0x10",
    b"01",
    b"1.",
    b"'a'",
)
BYTES = (
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf5\x80\x80\x80",
    b"\xef\xbb\xbf",
    b"\x00",
    b"\\",
    b'"',
    b"{",
    b"]",
    b",",
)
TOPICS = (
    "", "/", "write/", "Write", "WRITE", "write/a/b", "write/ann", "write/gateway", "write/library", "propose", "vote",
    "saga", "cancel", "wri te", "ack/ann", "reset/ann", "bypass/x", "shelve/\u00e9", "relinquish/ann", "$SYS",
    "a" * 300, "write/" + "b" * 200, "../write", "write.ann", "command/write",
)  # fmt: skip


class Mutated(NamedTuple):
    """One message."""

    below: str
    """Its topic below `command`."""
    payload: bytes


def mutated(seed: int, count: int) -> Iterator[Mutated]:
    """Yield messages, each a good command that was damaged once or a few times."""
    random = Random(seed)
    for number in range(count):
        verb = random.choice(tuple(GOOD))
        fields = json.loads(json.dumps(GOOD[verb]))
        # The names of a few come again, and some have none.
        fields["id"] = random.choice((f"m{number}", f"m{number}", f"same-{number % 7}"))
        if random.random() < 0.1:
            del fields["id"]
        for _ in range(random.choice((0, 1, 1, 2))):
            random.choice(FIELDS)(random, fields)
        payload = json.dumps(fields).encode()
        for _ in range(random.choice((0, 0, 1, 1, 3))):
            payload = random.choice(TEXTS)(random, payload)
        yield Mutated(random.choice(TOPICS) if random.random() < 0.1 else verb, payload)


def _key(random: Random, fields: Fields) -> str:
    return random.choice([*fields, "id", "force"])


def _remove(random: Random, fields: Fields) -> None:
    fields.pop(_key(random, fields), None)


def _rename(random: Random, fields: Fields) -> None:
    key = _key(random, fields)
    if key in fields:
        fields[random.choice((key.upper(), f"{key} ", f"{key}s", key[1:]))] = fields.pop(key)


def _retype(random: Random, fields: Fields) -> None:
    fields[_key(random, fields)] = random.choice(STRANGE)


def _add(random: Random, fields: Fields) -> None:
    fields[random.choice(("force", "name", "for", "tags", "writes", "", "__proto__", "vote"))] = random.choice(STRANGE)


def _sign(random: Random, fields: Fields) -> None:
    fields["signature"] = {**SIGNATURE, random.choice(tuple(SIGNATURE)): random.choice(STRANGE)}


def _write_something(random: Random, fields: Fields) -> None:
    tag = random.choice(
        ("boiler.count", "boiler.setpoint", "boiler.burner", "boiler.nothing", "", "boiler", "x" * 5000)
    )
    fields["writes"] = {tag: random.choice(STRANGE)}


def _nest(random: Random, fields: Fields) -> None:
    key, depth = _key(random, fields), random.choice((1, 2, 7, 8, 200))
    for _ in range(depth):
        fields[key] = random.choice(([fields.get(key)], {"a": fields.get(key)}))


def _swell(random: Random, fields: Fields) -> None:
    fields[random.choice(("reason", "actor", "writes"))] = random.choice(
        ("x" * 511, "x" * 513, "x" * 20_000, {f"boiler.t{place}": 1 for place in range(random.choice((64, 65, 900)))})
    )


def _flip(random: Random, payload: bytes) -> bytes:
    flipped = bytearray(payload)
    for _ in range(random.choice((1, 1, 2, 8))):
        if flipped:
            flipped[random.randrange(len(flipped))] ^= 1 << random.randrange(8)
    return bytes(flipped)


def _cut(random: Random, payload: bytes) -> bytes:
    return payload[: random.randrange(len(payload) + 1)]


def _repeat(random: Random, payload: bytes) -> bytes:
    begin = random.randrange(len(payload) + 1)
    return payload[:begin] + payload[begin : begin + 20] * random.choice((2, 3, 2000)) + payload[begin:]


def _insert(random: Random, payload: bytes) -> bytes:
    place = random.randrange(len(payload) + 1)
    return payload[:place] + random.choice(BYTES) + payload[place:]


def _double_a_key(random: Random, payload: bytes) -> bytes:
    return payload.replace(b'"reason"', random.choice((b'"reason": "other", "reason"', b'"id": "two", "reason"')), 1)


def _unread(random: Random, payload: bytes) -> bytes:
    wanted = random.choice((b"460", b"8", b"7", b'"30m"', b'"hot"', b'"warmer"'))
    return payload.replace(wanted, random.choice(UNREADABLE), 1)


def _replace(random: Random, payload: bytes) -> bytes:
    del payload
    return random.choice(
        (b"", b" ", b"null", b"[]", b"{}", b'"write"', b"1", b"[" * 100, b'{"a":' * 100, b"\xff\xfe{}")
    )


FIELDS: Final[tuple[Callable[[Random, Fields], None], ...]] = (
    _remove, _rename, _retype, _retype, _add, _sign, _write_something, _write_something, _nest, _swell,
)  # fmt: skip
TEXTS: Final[tuple[Callable[[Random, bytes], bytes], ...]] = (
    _flip, _flip, _cut, _repeat, _insert, _double_a_key, _unread, _unread, _replace,
)  # fmt: skip
