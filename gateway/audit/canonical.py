"""Records as bytes: one record, one text, whoever writes it (RFC 8785, JSON Canonicalization Scheme).

Numbers there are IEEE 754 doubles, so an integer beyond 2**53 - 1 is written as its decimal digits in a string, as
RFC 8785, appendix D, recommends: a 64-bit register keeps every digit. NaN and infinities, which JSON has not, are
the strings `nan`, `inf` and `-inf`; bytes are base64, times RFC 3339 in UTC.
"""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

import rfc8785

EXACT = 2**53 - 1
"""The largest integer that a JSON number holds for every reader."""

_PLAINEST = 1e-4
"""Below this Python writes a fraction with an exponent, and RFC 8785 in another way."""

Unusual: TypeAlias = list[object]
"""What json would write in another way than RFC 8785 wants it: gathered on the way through a record."""

# The library takes 115 us for a record of 500 bytes, the interpreter held; json's own encoder takes 18. Where no value
# is unusual both write the same: tests/property holds them against each other.
_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, sort_keys=True, separators=(",", ":")).encode


def canonical(record: Mapping[str, Any]) -> bytes:
    """Return the record's canonical text. Raises ValueError for what cannot be recorded; the same text every time."""
    unusual: Unusual = []
    try:
        plain = _mapping(record, unusual)
        return rfc8785.dumps(plain) if unusual else _encode(plain).encode()
    except RecursionError:
        raise ValueError("a record is nested too deeply") from None


def _plain(value: Any, unusual: Unusual) -> Any:  # noqa: ANN401  (whatever a record holds)
    make = _PLAIN.get(type(value))
    if make is not None:
        return make(value, unusual)
    for kind, convert in _PLAIN.items():  # subclasses: enumerations, named tuples
        if isinstance(value, kind):
            return convert(value, unusual)
    if isinstance(value, Mapping):
        return _mapping(value, unusual)
    raise ValueError(f"a record cannot hold {type(value).__name__}")


def _mapping(value: Mapping[Any, Any], unusual: Unusual) -> dict[str, Any]:
    if not all(isinstance(key, str) for key in value):
        raise ValueError("a record has a key that is no text")
    if not all(map(str.isascii, value)):  # keys are ordered by their UTF-16 code units
        unusual.append(value)
    return {str(key): _plain(each, unusual) for key, each in value.items()}


def _sequence(value: Any, unusual: Unusual) -> list[Any]:  # noqa: ANN401
    return [_plain(each, unusual) for each in value]


def _sorted(value: Any, unusual: Unusual) -> list[Any]:  # noqa: ANN401
    try:
        return sorted(_sequence(value, unusual))
    except TypeError as error:
        raise ValueError(f"a set in a record has no order: {error}") from error


def _integer(value: int, _: Unusual) -> int | str:
    return int(value) if -EXACT <= value <= EXACT else str(int(value))


def _float(value: float, unusual: Unusual) -> float | int | str:
    if value.is_integer() and -EXACT <= value <= EXACT:
        return int(value)
    if not -float("inf") < value < float("inf"):
        return str(float(value))
    if value.is_integer() or abs(value) < _PLAINEST:
        unusual.append(value)
    return float(value)


def _time(value: datetime, _: Unusual) -> str:
    if value.tzinfo is None:
        raise ValueError("a record cannot hold a time without an offset from UTC")
    try:
        value = value.astimezone(UTC)
    except OverflowError:  # within a day of year 1 or 9999: how devices say `never`
        value = value.replace(tzinfo=UTC)
    return f"{value.isoformat(timespec='microseconds')[:26]}Z"


_PLAIN: dict[type, Callable[[Any, Unusual], Any]] = {
    str: lambda value, _: str(value),
    bool: lambda value, _: bool(value),
    int: _integer,
    float: _float,
    type(None): lambda _, __: None,
    dict: _mapping,
    list: _sequence,
    tuple: _sequence,
    frozenset: _sorted,
    set: _sorted,
    bytes: lambda value, _: base64.b64encode(value).decode(),
    datetime: _time,
}
"""bool before int, for it is one."""
