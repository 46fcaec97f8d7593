"""Texts for single values of a tag: what 0, 1 and 2 mean to a person. Pure.

The value itself stays what it is: constraints, expressions and programs compare numbers, not words.
"""

import re
from collections.abc import Mapping

from drivers.values import Value

MOST = 1000
"""Texts of one tag."""
LONGEST = 64
"""Characters of one text."""

_KEY = re.compile(r"-?(0|[1-9][0-9]{0,19})|true|false", re.ASCII)
_WORDS = {"true": 1, "false": 0}
_NUMBERS = (bool, int, float)


def check_texts(texts: Mapping[str, str]) -> None:
    """Raise ValueError for a key that is no value, a second text for one value, or a text that cannot be shown."""
    if len(texts) > MOST:
        raise ValueError(f"texts: there are {len(texts)}, more than {MOST}")
    seen: dict[int, str] = {}
    for key, text in texts.items():
        if not _KEY.fullmatch(key):
            raise ValueError(f"texts: {key!r} is neither a whole number nor true or false")
        first = seen.setdefault(_number(key), key)
        if first != key:
            raise ValueError(f"texts: {first} and {key} are the same value")
        if not (1 <= len(text) <= LONGEST and text.isprintable()):
            raise ValueError(f"texts: the text of {key} needs 1 to {LONGEST} printable characters")


def by_value(texts: Mapping[str, str]) -> dict[float, str]:
    """Return the texts by the values that they stand for; true is found as 1, and 1 as true."""
    return {_number(key): text for key, text in texts.items()}


def text_of(value: Value, texts: Mapping[float, str]) -> str:
    """Return the text of a value, empty where it has none; `texts` as `by_value` gives them."""
    return texts.get(value, "") if type(value) in _NUMBERS else ""  # type: ignore[arg-type]  # narrowed by type()


def _number(key: str) -> int:
    return _WORDS[key] if key in _WORDS else int(key)
