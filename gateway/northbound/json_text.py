"""JSON text of values and times. Pure; the text is valid JSON whatever the value."""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite
from struct import Struct
from typing import Any, TypeAlias

from drivers.values import Value

FloatText: TypeAlias = Callable[[float], str]
"""How finite floats are written: `repr`, or `float32_text`."""

string_text = json.JSONEncoder(ensure_ascii=False).encode
"""A text in quotes. Lone surrogates stay in it: encode the whole with `errors="replace"`."""

_FLOAT32 = Struct("<f")
_EARLIEST, _LATEST = -62_135_596_800.0, 253_402_300_799.0
_SEVERAL = (tuple, list)


def float32_text(value: float) -> str:
    """Return the shortest decimal that reads back as the same float32: 451.2, not 451.20001220703125.

    Six digits always survive a float32, nine always tell two of them apart.
    """
    try:
        packed = _FLOAT32.pack(value)
    except OverflowError:  # no float32 at all
        return repr(value)
    for digits in ("%.6g", "%.7g", "%.8g", "%.9g"):
        decimal = float(digits % value)
        if _FLOAT32.pack(decimal) == packed:
            return repr(decimal)
    return repr(value)


@lru_cache(maxsize=256)
def time_text(seconds: float) -> str:
    """Return seconds since 1970 as RFC 3339 in UTC with milliseconds; 1970 for what no calendar holds.

    Remembered, because the tags of one batch mostly share one time.
    """
    if not _EARLIEST <= seconds <= _LATEST:
        seconds = 0.0
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{_second_text(whole)}{thousandths:03d}Z"


@lru_cache(maxsize=256)
def _second_text(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC).isoformat()[:19]}."


def value_text(value: Value, float_text: FloatText = repr) -> str:
    """Return a value as JSON: bytes as base64, arrays as lists, structures as objects, NaN and infinities as null."""
    if isinstance(value, float):
        return float_text(float(value)) if isfinite(value) else "null"
    if isinstance(value, _SEVERAL):
        return f"[{','.join([value_text(item, float_text) for item in value])}]"
    if isinstance(value, Mapping):
        fields = [f"{string_text(name)}:{value_text(item, float_text)}" for name, item in value.items()]
        return f"{{{','.join(fields)}}}"
    return _TEXT.get(type(value), _other_text)(value)


def flaw_of(value: Value) -> str:
    """Return `nan` or `inf` where the value holds one, at any depth; else an empty text."""
    if isinstance(value, float):
        if isfinite(value):
            return ""
        return "inf" if value in {float("inf"), float("-inf")} else "nan"
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, _SEVERAL):
        return next(filter(None, map(flaw_of, value)), "")
    return ""


def _datetime_text(value: datetime) -> str:
    if value.tzinfo is not None:
        try:
            value = value.astimezone(UTC)
        except OverflowError:  # within a day of year 1 or 9999: how devices say `never`
            value = value.replace(tzinfo=UTC)
    return f'"{value.isoformat(timespec="milliseconds")[:23]}Z"'


def _other_text(value: Any) -> str:  # noqa: ANN401  (subclasses of the types a Value has, and what is none)
    return next((text(value) for kind, text in _TEXT.items() if isinstance(value, kind)), None) or string_text(
        str(value)
    )


_TEXT: dict[type, Callable[[Any], str]] = {
    int: int.__repr__,
    bool: lambda value: "true" if value else "false",
    str: string_text,
    bytes: lambda value: f'"{base64.b64encode(value).decode()}"',
    datetime: _datetime_text,
    type(None): lambda _: "null",
}
