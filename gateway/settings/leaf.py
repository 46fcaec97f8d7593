"""Single values: what each type of a key takes, and what is said of one that it does not. Pure.

Each takes a value as the YAML source gave it and raises Unfit with what would be right.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from math import isfinite
from typing import Any

from drivers.values import Seconds, Secret
from gateway.settings.duration import parse_duration
from gateway.settings.scalar import resolve
from gateway.settings.suggestion import suggest
from gateway.settings.tree import Given, Group

_LABEL = re.compile(r"0[0-9]+")
"""A number with zeros in front that mean something, such as the Modicon address 00017."""
_COMMA = re.compile(r"[-+]?[0-9]+,[0-9]+")


class Unfit(ValueError):
    """A value that a key does not take; the text says what would be right."""


def shown(value: Any) -> str:  # noqa: ANN401  (whatever the file holds)
    """Return a value as a message may show it: as written, and nothing that came through a reference."""
    if isinstance(value, Group):
        return "a group of keys"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    written = getattr(value, "text", value)
    return repr(written) if isinstance(value, str) else str(written)


def whole(value: Any) -> int:  # noqa: ANN401
    """Take a whole number."""
    number = resolve(str(value)) if isinstance(value, Given) else value
    if isinstance(number, int) and not isinstance(number, bool):
        return int(number)
    raise Unfit(f"needs a whole number, not {shown(value)}")


def real(value: Any) -> float:  # noqa: ANN401
    """Take a finite number."""
    number = resolve(str(value)) if isinstance(value, Given) else value
    if isinstance(number, (int, float)) and not isinstance(number, bool):
        if abs(number) < 1e300 and isfinite(number):
            return float(number)
        raise Unfit(f"needs a finite number, not {shown(value)}")
    if isinstance(number, str) and _COMMA.fullmatch(number) and not isinstance(value, Given):
        raise Unfit(f"needs a number, not {shown(value)}; write {number.replace(',', '.')}")
    raise Unfit(f"needs a number, not {shown(value)}")


def truth(value: Any) -> bool:  # noqa: ANN401
    """Take true or false."""
    answer = resolve(str(value)) if isinstance(value, Given) else value
    if isinstance(answer, bool):
        return answer
    raise Unfit(f"needs true or false, not {shown(value)}")


def text(value: Any) -> str:  # noqa: ANN401
    """Take a text; a number counts as the text that was written."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        hint = "; put it in quotes" if isinstance(value, bool) else ""
        raise Unfit(f"needs a text, not {shown(value)}{hint}")
    return str(getattr(value, "text", value))


def secret(value: Any) -> Secret:  # noqa: ANN401
    """Take a text that no message shows."""
    try:
        return Secret(text(value))
    except Unfit:
        raise Unfit("needs a text; put it in quotes, or better: ${credential:NAME}") from None


def duration(value: Any) -> Seconds:  # noqa: ANN401
    """Take a duration with its unit."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value):
        figure = shown(value)
        raise Unfit(f"needs a unit: {figure}ms or {figure}s, not {figure}")
    if not isinstance(value, str):
        raise Unfit(f"needs a duration such as 250ms, 2s, 5m or 1h, not {shown(value)}")
    try:
        return parse_duration(value)
    except ValueError as error:
        if isinstance(value, Given):
            raise Unfit(f"{shown(value)} gives no duration such as 250ms, 2s, 5m or 1h") from None
        raise Unfit(str(error)) from None


def choice(choices: Mapping[Any, Any]) -> Callable[[Any], Any]:
    """Take one of these, given as what is written -> what it stands for."""

    def choose(value: Any) -> Any:  # noqa: ANN401
        number = resolve(str(value)) if isinstance(value, Given) else value
        for candidate in (value, number):
            for written, meant in choices.items():
                if isinstance(candidate, bool) is isinstance(written, bool) and candidate == written:
                    return meant
        names = [shown(written).strip("'") for written in choices]
        if value is None or isinstance(value, (list, dict)):
            raise Unfit(f"needs one of {', '.join(names)}, not {shown(value)}")
        advice = "" if isinstance(value, Given) else suggest(shown(value).strip("'"), names)
        listed = ", ".join(names)
        raise Unfit(f"{shown(value)} is none of {listed}{'' if advice.startswith('; there are') else advice}")

    return choose


def any_of(leaves: Mapping[str, Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """Take what the first of these takes that takes it; they are given with what they are called."""

    def take(value: Any) -> Any:  # noqa: ANN401
        if text in leaves.values() and _LABEL.fullmatch(getattr(value, "text", "")):
            return text(value)
        for leaf in leaves.values():
            with suppress(Unfit):
                return leaf(value)
        raise Unfit(f"needs {' or '.join(leaves)}, not {shown(value)}")

    return take
