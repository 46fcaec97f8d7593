"""How values and tables look on a terminal. Pure."""

import json
from collections.abc import Sequence

NOTHING = "-"


def shown(value: object) -> str:
    """Return a value as a person reads it: seven digits of a float, and nothing that could steer the terminal."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.7g}"
    return harmless(value if isinstance(value, str) else json.dumps(value, default=str))


def titled(value: object, text: str) -> str:
    """Return a value and, where it has one, the text that says what it means: `tripped (2)`."""
    return f"{harmless(text)} ({shown(value)})" if text else shown(value)


def harmless(text: str) -> str:
    """Return a text of unknown origin without line breaks and control characters."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows as lines, their columns under one another."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return [line.rstrip() for line in lines]
