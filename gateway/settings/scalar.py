"""What an unquoted YAML text means: YAML 1.2.2, 10.3.2 (core schema). Pure.

So `on`, `off`, `yes` and `no` are texts, `0123` is a hundred and twenty-three, and there are no dates.
"""

import re

from gateway.settings.tree import Real, Scalar, Whole

UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Characters that only an escape or a reference can bring; they would spoil names, files and terminals."""

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WHOLE = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_REAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LONGEST = 400
"""Digits; more of them are no number of a plant, and Python refuses to convert very many."""


def resolve(text: str) -> Scalar:
    """Return what an unquoted text stands for."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > _LONGEST:
        return text
    if _WHOLE.fullmatch(text):
        return _whole(text)
    if _REAL.fullmatch(text):
        return _real(text, text)
    return _real(text.replace(".", ""), text) if _SPECIAL.fullmatch(text) else text


def _real(figures: str, text: str) -> Real:
    real = Real(figures)
    real.text = text
    return real


def _whole(text: str) -> Whole:
    whole = Whole(text, {"0x": 16, "0o": 8}.get(text[:2], 10))
    whole.text = text
    return whole
