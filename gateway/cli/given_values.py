"""What a person types as TAG=VALUE and NAME=TOKEN. Pure."""

import re
from collections.abc import Iterable
from math import isfinite

from gateway.safety.constraint import Setting

LONGEST_NUMBER = 40
_WHOLE = re.compile(r"[+-]?[0-9]+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_ENDLESS = re.compile(r"[+-]?(?:nan|inf|infinity)", re.ASCII | re.IGNORECASE)
_QUOTES = ("'", '"')
_TRUTH = {"true": True, "false": False}


def read_writes(given: Iterable[str]) -> dict[str, Setting]:
    """Return the values by tag, in their order. Raises ValueError."""
    writes: dict[str, Setting] = {}
    for each in given:
        tag, equals, text = each.partition("=")
        if not equals or not tag:
            raise ValueError(f"{each!r} is no TAG=VALUE, such as boiler.temperature_setpoint=450")
        if tag in writes:
            raise ValueError(f"{tag} stands there twice")
        try:
            writes[tag] = read_value(text)
        except ValueError as problem:
            raise ValueError(f"{tag}: {problem}") from None
    return writes


def read_value(text: str) -> Setting:
    """Return true, false, a number, or else the text itself; quotes make anything a text. Raises ValueError."""
    if text in _TRUTH:
        return _TRUTH[text]
    if len(text) >= 2 and text[0] in _QUOTES and text[-1] == text[0]:
        return text[1:-1]
    if not text or _ENDLESS.fullmatch(text):
        what = repr(text) if text else "nothing"
        raise ValueError(
            f"{what} is no value; for a text write quotes that the shell leaves in place, as in '\"{text}\"'"
        )
    return _number(text) if _NUMBER.fullmatch(text) else text


def read_locks(given: Iterable[str]) -> dict[str, int]:
    """Return the tokens by lock. Raises ValueError."""
    locks: dict[str, int] = {}
    for each in given:
        name, _, token = each.partition("=")
        if not name or not re.fullmatch(r"-?[0-9]{1,20}", token, re.ASCII):
            raise ValueError(f"{each!r} is no NAME=TOKEN; a token is a whole number")
        locks[name] = int(token)
    return locks


def _number(text: str) -> float:
    if not len(text) <= LONGEST_NUMBER:
        raise ValueError(f"{text[:LONGEST_NUMBER]}... is too long for a number")
    number = int(text) if _WHOLE.fullmatch(text) else float(text)
    if not isfinite(number):
        raise ValueError(f"{text} is out of reach of a number")
    return number
