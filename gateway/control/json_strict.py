"""JSON from strangers: bounded before it is parsed, and nothing in it that two readers could read differently. Pure."""

import json
from math import isfinite
from typing import Any

MAX_BYTES = 16 * 1024
MAX_DEPTH = 8
_DIGITS = 20
"""Of an integer of 64 bit, and its sign."""


class Unreadable(ValueError):
    """The payload cannot be taken; `code` is that of the reply."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def parse(payload: bytes) -> Any:  # noqa: ANN401  (any JSON)
    """Return what the payload says. Raises Unreadable: too_large, bad_encoding, bad_value or bad_schema."""
    if not len(payload) <= MAX_BYTES:
        raise Unreadable("too_large", f"{len(payload)} bytes, and a command has at most {MAX_BYTES}")
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable("bad_encoding", f"it is no UTF-8: byte {error.start}") from None
    _check_depth(text)
    try:
        found = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_bounded,
            object_pairs_hook=_without_duplicates,
        )
    except json.JSONDecodeError as error:
        raise Unreadable("bad_encoding", f"it is no JSON: {error.msg} at character {error.pos}") from None
    _check_texts(found)
    return found


def _check_depth(text: str) -> None:
    """Count brackets outside of strings: a parser would have gone down already."""
    depth, inside, escaped = 0, False, False
    for character in text:
        if inside:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                inside = False
        elif character == '"':
            inside = True
        elif character in "[{":
            depth += 1
            if not depth <= MAX_DEPTH:
                raise Unreadable("too_large", f"it is nested deeper than {MAX_DEPTH} levels")
        elif character in "]}":
            depth -= 1


def _refuse_constant(name: str) -> float:
    raise Unreadable("bad_value", f"{name} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise Unreadable("bad_value", f"{text[:_DIGITS]} is out of reach of a number")
    return number


def _bounded(text: str) -> int:
    if len(text) <= _DIGITS:
        number = int(text)
        if -(2**63) <= number < 2**64:
            return number
    raise Unreadable("bad_value", f"{text[:_DIGITS]}... has more than 64 bit")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Unreadable("bad_schema", f"the key {key[:64]!r} stands twice")
        found[key] = value
    return found


def _check_texts(found: Any) -> None:  # noqa: ANN401  (any JSON)
    """Refuse what UTF-8 cannot hold: half of a surrogate pair, escaped."""
    waiting = [found]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            try:
                each.encode("utf-8")
            except UnicodeEncodeError:
                raise Unreadable("bad_encoding", "a text in it has half of a surrogate pair") from None
        elif isinstance(each, dict):
            waiting += [*each.keys(), *each.values()]
        elif isinstance(each, list):
            waiting += each
